package dinstar

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// strict is a host that stores no more of a message, or of a report, than the spool does.
type strict struct{ *rig }

func (s strict) Inbound(ctx context.Context, p modem.Part) error {
	if n := len(p.From) + len(p.Text) + len(p.Raw) + len(p.SMSC) + len(p.Undecoded); n > 256<<10 {
		return gateway.Invalid("part", "has %d bytes", n)
	}
	return s.rig.Inbound(ctx, p)
}

func (s strict) Report(ctx context.Context, r gateway.StatusReport) error {
	if n := len(r.Channel) + len(r.SIM) + len(r.Recipient); n > 4096 {
		return gateway.Invalid("report", "has %d bytes", n)
	}
	return s.rig.Report(ctx, r)
}

func TestARowThatNobodyCanStoreHoldsUpNoOther(t *testing.T) {
	longest := strings.Repeat("ñ", 255*153) // of as many segments as a header can number (TS 23.040 §9.2.3.24.1)
	huge := strings.Repeat("x", 300<<10)
	long := strings.Repeat("9", 9<<10)
	page, err := json.Marshal(map[string]any{"error_code": 200,
		"sms": []map[string]any{
			{"incoming_sms_id": 1, "port": 0, "number": "+59899000001", "timestamp": "2026-11-22 14:50:10", "text": huge},
			{"incoming_sms_id": 2, "port": 0, "number": huge, "timestamp": long, "smsc": long, "imsi": long, "text": "two"},
			{"incoming_sms_id": 3, "port": 0, "number": "+59899000003", "timestamp": "2026-11-22 14:50:12", "text": longest},
		},
	})
	must(t, err)
	s, r := scripted(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Get("incoming_sms_id") == "0" {
			_, _ = w.Write(page)
			return
		}
		fmt.Fprint(w, `{"error_code":200,"sms":[]}`)
	})
	s.host = strict{r}
	s.inbox.whole = true
	s.fetch(t.Context())
	if len(r.parts) != 3 {
		t.Fatalf("%d of 3 rows were stored", len(r.parts))
	}
	if p := r.parts[0]; p.Undecoded == "" || !strings.HasPrefix(huge, p.Text) || len(p.Text) < len(longest) {
		t.Errorf("of a text of %d bytes %d are kept: %q", len(huge), len(p.Text), p.Undecoded)
	}
	if p := r.parts[1]; p.Text != "two" || p.Undecoded == "" {
		t.Errorf("the second row is %d bytes of text: %q", len(p.Text), p.Undecoded)
	}
	if p := r.parts[2]; p.Text != longest || p.Undecoded != "" {
		t.Errorf("the longest text that there is has %d bytes afterwards: %q", len(p.Text), p.Undecoded)
	}
}

func TestAReportThatNobodyCanStoreHoldsUpNoOther(t *testing.T) {
	s, r := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"error_code":200,"result":[{"port":0,"number":%q,"ref_id":1,"status_code":0},
			{"port":0,"number":"+59899123456","ref_id":2,"status_code":0,"imsi":%[1]q},{"port":0,"number":"+59899123456","ref_id":3,"status_code":0}]}`,
			strings.Repeat("5", 5000))
	})
	s.host = strict{r}
	s.ports[0] = &port{channel: gateway.Channel{Port: 0, ICCID: "8959"}}
	s.reports(t.Context())
	if n := len(r.reports); n == 0 || r.reports[n-1].MR != 3 {
		t.Errorf("the reports that came are %+v", r.reports)
	}
}
