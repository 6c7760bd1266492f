package tpdu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

const reportLine = "00062A0B919598193254F6621122415410296211224154702900"

func TestReportVectors(t *testing.T) {
	for _, c := range []struct {
		name, line string
		length     int
		want       Report
	}{
		{"a modem's, delivered", reportLine, 25,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt, DischargedAt: sentAt.Add(6 * time.Second)}},
		{"gave up", reportLine[:len(reportLine)-2] + "46", 25,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt, DischargedAt: sentAt.Add(6 * time.Second), ST: 0x46}},
		{"S18 garbage behind the status", reportLine + "FF", 26,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt, DischargedAt: sentAt.Add(6 * time.Second)}},
		{"S18 more of it", reportLine + "07FFFFFFFF", 30,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt, DischargedAt: sentAt.Add(6 * time.Second)}},
		{"S13 an odd number filled with 0", strings.Replace(reportLine, "54F6", "5406", 1), 25,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt, DischargedAt: sentAt.Add(6 * time.Second)}},
		{"S16 no discharge time", strings.Replace(reportLine, "62112241547029", "00000000000000", 1), 25,
			Report{MR: 42, Recipient: "+59899123456", SentAt: sentAt}},
	} {
		got := DecodeReport(c.line, c.length)
		if got.Undecoded != "" || got.Raw != c.line {
			t.Errorf("%s: undecoded %q, raw %s", c.name, got.Undecoded, got.Raw)
		}
		got.Notes, got.Raw = nil, ""
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}

func TestReportThatEndsEarlyIsNeverDelivered(t *testing.T) {
	for n := 0; n < len(reportLine); n += 2 {
		r := DecodeReport(reportLine[:n], 0)
		if r.Undecoded == "" || r.ST != StatusMissing || gateway.ReportStatus(r.ST) != gateway.StatusNone {
			t.Fatalf("%s: undecoded %q, status %02X", reportLine[:n], r.Undecoded, r.ST)
		}
	}
	if r := DecodeReport(deliver("04", sender, "00", "04C8373B0C"), 0); !strings.Contains(r.Undecoded, "no SMS-STATUS-REPORT") {
		t.Errorf("a message is read as a report: %+v", r)
	}
}
