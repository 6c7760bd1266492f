package app

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

func TestUploadbaseCallLoadsABaseThatAStartedDialerSends(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("test1")
	base := base64.StdEncoding.EncodeToString([]byte("campign;destiny;menssage;priority\r\ntest1;098344484;Señor Núñez;9999\r\n;098344485;Hi;1\r\n"))
	got := h.form("uploadbase", url.Values{"filename": {"base.csv"}, "fileb64": {base}, "campaign": {"test1"}})
	if got.status != 200 || got.body != "OK" {
		t.Fatalf("got %d %q", got.status, got.body)
	}
	eventually(t, "both rows are sent", func() bool { return h.counters("test1").Processed == 2 })
	air := h.aired()
	slices.Sort(air)
	if !slices.Equal(air, []string{"Hi", "Señor Núñez"}) {
		t.Errorf("on the air: %q", air)
	}
}

func TestScheduleDialerSMSLeavesAtItsDate(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Montevideo")
	must(t, err)
	var c clock
	c.set(time.Date(2027, 3, 5, 9, 29, 59, 0, zone))
	h := newHouse(t, setup{now: c.now})
	h.started("test1")
	sms := `{"calldate":"2027-03-05 09:30:00","campaign":"test1","destination":"098344484","data":"Your turn"}`
	if got := h.form("ScheduleDialerSMS", url.Values{"sms": {sms}}); got.status != 200 || got.body != "1" {
		t.Fatalf("got %d %q", got.status, got.body)
	}
	other := func(text string) { // what leaves after it was looked at
		a := h.submit(client.NewMessage{To: "098344485", Text: text, Campaign: "test1"})
		h.becomes(a.ID, "sent")
	}
	other("before")
	c.set(c.now().Add(time.Second))
	other("after")
	h.processed("test1")
	if got := h.aired(); len(got) != 3 || got[0] != "before" || !slices.Contains(got, "Your turn") {
		t.Errorf("on the air: %q", got)
	}
}

func TestP145SingleMessageIsSubjectToScheduleAndDNCR(t *testing.T) {
	t.Parallel()
	var c clock
	c.set(time.Date(2027, 3, 6, 12, 0, 0, 0, time.UTC)) // a Saturday
	h := newHouse(t, setup{now: c.now})
	h.started("office", func(d *client.Dialer) {
		d.Schedule, d.TimeZone, d.DNCR = []string{"mon,tue,wed,thu,fri;09:00-17:59"}, "UTC", true
	})
	h.started("desk", func(d *client.Dialer) { d.DNCR = true })
	_, err := h.AddBlacklist(t.Context(), client.Listed{Number: "098344484"})
	must(t, err)
	waits := h.submit(client.NewMessage{To: "098344485", Text: "Hi", Campaign: "office"})
	listed := h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "desk"})
	leaves := h.submit(client.NewMessage{To: "098344485", Text: "Hi", Campaign: "desk"})
	if m := h.becomes(listed.ID, "blocked"); m.Code != 3 || m.State != "BLOCKED" {
		t.Errorf("a listed number gives %+v", m)
	}
	h.becomes(leaves.ID, "sent")
	if m := h.message(waits.ID); m.Code != 1 || m.Priority != 1 {
		t.Errorf("off schedule: %+v", m)
	}
	d, err := h.Dialer(t.Context(), "office")
	must(t, err)
	if d.OnSchedule || !d.Active || len(d.Reasons) == 0 {
		t.Errorf("the dialer says %+v", d)
	}
	if h.bank.Network.Len() != 1 {
		t.Errorf("on the air: %q", h.aired())
	}
}

func TestP143DeleteRemovesWhatWasNotProcessedOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("test1", func(d *client.Dialer) { d.DNCR = true })
	_, err := h.AddBlacklist(t.Context(), client.Listed{Number: "098344481"})
	must(t, err)
	h.base("test1", "test1;098344481;Listed;1\ntest1;letters;Invalid;1\ntest1;098344482;Sent;1\n")
	h.processed("test1")
	_, err = h.StopDialer(t.Context(), "test1")
	must(t, err)
	h.base("test1", "test1;098344483;Waits;1\ntest1;098344484;Waits;1\n")
	got, err := h.DeleteUnprocessed(t.Context(), "test1")
	must(t, err)
	c := h.counters("test1")
	if got.Deleted != 4 || c.Deleted != 4 || c.Processed != 1 || c.Uploaded != 5 || c.NotProcessed+c.Blocked+c.Other != 0 {
		t.Errorf("deleted %d, counters %+v", got.Deleted, c)
	}
	_, err = h.StartDialer(t.Context(), "test1")
	must(t, err)
	h.submit(client.NewMessage{To: "098344485", Text: "Later", Campaign: "test1"})
	h.processed("test1")
	if air := h.aired(); !slices.Equal(air, []string{"Sent", "Later"}) {
		t.Errorf("on the air: %q", air)
	}
}

func TestP142StopHaltsAndStartGoesOnWithoutLossOrRepeat(t *testing.T) {
	t.Parallel()
	const rows = 60
	h := newHouse(t, setup{modems: 2, sim: sim.BankOptions{Latency: 5 * time.Millisecond}})
	h.started("test1")
	h.base("test1", numbered("test1", rows))
	for target := rows / 4; target < rows; target += rows / 4 {
		eventually(t, "some are sent", func() bool { return h.bank.Network.Len() >= target })
		_, err := h.StopDialer(t.Context(), "test1")
		must(t, err)
		// Two may be in flight; then it stands still, with everything accounted for.
		eventually(t, "what was in flight has its outcome", func() bool {
			c := h.counters("test1")
			return c.ByStatus["submitting"] == 0 && int(c.Processed) == h.bank.Network.Len()
		})
		if c := h.counters("test1"); c.NotProcessed == 0 {
			t.Fatalf("stopped too late: %+v", c)
		}
		d, err := h.StartDialer(t.Context(), "test1")
		must(t, err)
		if !d.Active {
			t.Errorf("started: %+v", d)
		}
	}
	h.processed("test1")
	h.eachOnce(rows)
}

// numbered is a base of rows that each have their own text.
func numbered(campaign string, rows int) string {
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, "%s;09%07d;Row %d;9999\n", campaign, 1_000_000+i, i)
	}
	return b.String()
}

// eachOnce holds that each row of a numbered base is on the air once.
func (h *house) eachOnce(rows int) {
	h.t.Helper()
	copies := h.bank.Network.Copies()
	for i := range rows {
		key := sim.Copy{To: fmt.Sprintf("+5989%07d", 1_000_000+i), Text: fmt.Sprintf("Row %d", i)}
		if n := copies[key]; n != 1 {
			h.t.Errorf("%q to %s is %d times on the air", key.Text, key.To, n)
		}
		delete(copies, key)
	}
	if len(copies) > 0 {
		h.t.Errorf("on the air too: %v", copies)
	}
}

func TestP144BlacklistUploadStopsRowsThatWait(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.dialer("test1", func(d *client.Dialer) { d.DNCR = true })
	h.base("test1", numbered("test1", 4))
	u, err := h.UploadBlacklist(t.Context(), client.File{Reader: strings.NewReader("phone;campaign\n091000000;test1\nletters;test1\n091000002;\n091000003;nobody\n")})
	must(t, err)
	u = h.loaded(u)
	if u.Accepted != 2 || len(u.Rejected) != 2 || u.Rejected[0].Line != 3 || u.Rejected[1].Line != 5 {
		t.Errorf("the upload says %+v", u)
	}
	_, err = h.StartDialer(t.Context(), "test1")
	must(t, err)
	c := h.processed("test1")
	air := h.aired()
	slices.Sort(air)
	if c.Blocked != 2 || !slices.Equal(air, []string{"Row 1", "Row 3"}) {
		t.Errorf("counters %+v, on the air: %q", c, air)
	}
}

func TestP147ReportListsSentAndWaiting(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("sends")
	h.dialer("waits")
	sent := h.submit(client.NewMessage{To: "098344484", Text: "One; with a \"quote\"", Campaign: "sends"})
	h.submit(client.NewMessage{To: "098344485", Text: "Two", Campaign: "waits"})
	h.becomes(sent.ID, "sent")
	var b bytes.Buffer
	must(t, h.MessageReport(t.Context(), client.ReportQuery{}, &b))
	r := csv.NewReader(&b)
	r.Comma = ';'
	rows, err := r.ReadAll()
	must(t, err)
	if len(rows) != 3 {
		t.Fatalf("the report is %q", rows)
	}
	column := func(row int, name string) string {
		i := slices.Index(rows[0], name)
		if i < 0 {
			t.Fatalf("the report has no column %q: %q", name, rows[0])
		}
		return rows[row][i]
	}
	byStatus := map[string]string{column(1, "status"): column(1, "message"), column(2, "status"): column(2, "message")}
	if byStatus["sent"] != "One; with a \"quote\"" || byStatus["queued"] != "Two" {
		t.Errorf("the report says %q", byStatus)
	}
	var none bytes.Buffer
	must(t, h.MessageReport(t.Context(), client.ReportQuery{MessageQuery: client.MessageQuery{Campaign: "waits", Statuses: []string{"sent"}}}, &none))
	if n := strings.Count(none.String(), "\n"); n != 1 {
		t.Errorf("a filter without rows gives %q", none.String())
	}
}
