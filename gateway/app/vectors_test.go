package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// The test vectors of the product, through the whole daemon.

func TestP138P139P146Vector1BaseLeavesInTheOrderOfItsPriorities(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	const name = "AutomatedSMSDialer"
	h.dialer(name)
	u := h.base(name, name+";091111111;Hi World;9999\n"+name+";092222222;Hi City;8888\n"+name+";093333333;Hi People;7777\n")
	if u.Accepted != 3 || u.RejectedTotal != 0 {
		t.Fatalf("the upload says %+v", u)
	}
	if c := h.counters(name); c.NotProcessed != 3 || c.Processed != 0 {
		t.Errorf("after the upload: %+v", c)
	}
	_, err := h.StartDialer(t.Context(), name)
	must(t, err)
	if c := h.processed(name); c.Processed != 3 || c.Uploaded != 3 {
		t.Errorf("after the start: %+v", c)
	}
	if got, want := h.aired(), []string{"Hi People", "Hi City", "Hi World"}; !slices.Equal(got, want) {
		t.Errorf("on the air: %q, not %q", got, want)
	}
}

func TestP64Vector2ExampleRowIsStoredWithItsValues(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.dialer("test1")
	h.base("test1", "test1;098344484;This is my SMS;9999\n")
	page, err := h.Spool(t.Context(), client.MessageQuery{})
	must(t, err)
	want := client.SpoolRow{
		Campaign: "test1", Destination: "098344484", Message: "This is my SMS", Priority: 9999,
		State: 1, StateName: "TO PROCESS",
	}
	if len(page.Items) != 1 {
		t.Fatalf("the spool has %d rows", len(page.Items))
	}
	want.IDM, want.Agent = page.Items[0].IDM, page.Items[0].Agent
	if page.Items[0] != want {
		t.Errorf("got  %+v\nwant %+v", page.Items[0], want)
	}
}

func TestP45P46Vector3DialStringsGiveTheOrderOfThePorts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{modems: 4})
	h.ready(4)
	for i, c := range []struct {
		dial  string
		ports []int
	}{
		{"(0.3)", []int{0, 1, 2, 3, 0, 1}},
		{"0.3", []int{0, 1, 2, 3, 0, 1}},
		{"0-3", []int{0, 1, 2, 3, 0, 1}},
		{"0,1,2,3", []int{0, 1, 2, 3, 0, 1}},
		{"3", []int{3, 3, 3}},
	} {
		name := fmt.Sprintf("ring%d", i)
		h.started(name, func(d *client.Dialer) { d.DialString = c.dial })
		if got := h.ports(name, len(c.ports)); !slices.Equal(got, c.ports) {
			t.Errorf("%s sends on %v, not %v", c.dial, got, c.ports)
		}
	}
	for _, bad := range []string{"32", "3-0", "a", ""} {
		_, err := h.CreateDialer(t.Context(), client.Dialer{Name: "bad", Provider: "bank", DialString: bad})
		var e *gateway.Error
		if !errors.As(err, &e) || e.Kind != gateway.KindInvalid || e.Field != "dial_string" || e.Text == "" {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestP46CursorOfTheRingSurvivesARestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{modems: 4})
	h.ready(4)
	h.started("ring", func(d *client.Dialer) { d.DialString = "(0.3)" })
	got := h.ports("ring", 6)
	h.stop()
	h.start()
	h.ready(4)
	got = append(got, h.ports("ring", 4)...)
	if want := []int{0, 1, 2, 3, 0, 1, 2, 3, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("sent on %v, not %v", got, want)
	}
}

// ports sends messages one after the other, so that every port is free, and gives
// the ports that the ledger has for them.
func (h *house) ports(dialer string, n int) []int {
	h.t.Helper()
	var ports []int
	for i := range n {
		before := h.bank.Network.Len()
		a := h.submit(client.NewMessage{To: "09" + fmt.Sprintf("%07d", 1000000+i), Text: "Hi", Campaign: dialer})
		h.becomes(a.ID, "sent")
		e := h.bank.Network.Entries()[before]
		var port int
		if _, err := fmt.Sscanf(e.Modem, "port%d", &port); err != nil {
			h.t.Fatalf("modem %q: %v", e.Modem, err)
		}
		ports = append(ports, port)
	}
	return ports
}

// clock is a wall clock that a test sets.
type clock struct{ at atomic.Pointer[time.Time] }

func (c *clock) set(t time.Time) { c.at.Store(&t) }
func (c *clock) now() time.Time  { return *c.at.Load() }

func TestP41P44Vector4SendsInItsWindowsOnly(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Montevideo")
	must(t, err)
	friday := time.Date(2027, 3, 5, 17, 59, 59, 0, zone)
	var c clock
	c.set(friday)
	h := newHouse(t, setup{now: c.now, sections: "[sending.valid_for]\nsingle = \"7d\""})
	h.ready(1)
	h.started("office", func(d *client.Dialer) { d.Schedule = []string{"mon,tue,wed,thu,fri;09:00-17:59"} })
	h.started("always", func(d *client.Dialer) { d.Schedule = []string{"sun,mon,tue,wed,thu,fri,sat;00:00-23:59"} })
	sent := 0
	for i, step := range []struct {
		at time.Time
		on bool
	}{
		{friday, true},
		{friday.Add(time.Second), false},
		{friday.AddDate(0, 0, 1), false},
		{friday.AddDate(0, 0, 3).Add(-9 * time.Hour), false}, // Monday 08:59:59
		{friday.AddDate(0, 0, 3).Add(-9*time.Hour + time.Second), true},
	} {
		c.set(step.at)
		a := h.submit(client.NewMessage{To: "098344484", Text: fmt.Sprintf("office %d", i), Campaign: "office"})
		// What leaves by the other dialer has passed the same loop after the clock was set.
		b := h.submit(client.NewMessage{To: "098344485", Text: fmt.Sprintf("always %d", i), Campaign: "always"})
		h.becomes(b.ID, "sent")
		d, err := h.Dialer(t.Context(), "office")
		must(t, err)
		if d.OnSchedule != step.on {
			t.Errorf("%s: on schedule: %t", step.at, d.OnSchedule)
		}
		if step.on {
			h.becomes(a.ID, "sent")
			h.processed("office")
			sent = i + 1
		} else if m := h.message(a.ID); m.Status != "queued" && m.Status != "claimed" {
			t.Errorf("%s: message is %s", step.at, m.Status)
		} else if x, err := h.Explain(t.Context(), a.ID); err != nil || !strings.Contains(strings.Join(x.Reasons, " "), "schedule") {
			t.Errorf("%s: explained as %q (%v)", step.at, x.Reasons, err)
		}
		if got := h.airedTo("+59898344484"); got != sent {
			t.Errorf("%s: %d messages of the dialer are on the air, not %d", step.at, got, sent)
		}
	}
}

// airedTo counts the segments on the air to a number.
func (h *house) airedTo(to string) int {
	n := 0
	for _, e := range h.bank.Network.Entries() {
		if e.To == to {
			n++
		}
	}
	return n
}

func TestP52P57P58P59P141Vector5BlacklistBlocksWhereDNCRIsOn(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		t.Run(fmt.Sprintf("DNCR=%t", on), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, setup{})
			h.dialer("test1", func(d *client.Dialer) { d.DNCR = on })
			_, err := h.AddBlacklist(t.Context(), client.Listed{Number: "098344484", Campaign: "test1"})
			must(t, err)
			h.base("test1", "test1;098344484;One;9999\ntest1;098344485;Two;9999\n")
			_, err = h.StartDialer(t.Context(), "test1")
			must(t, err)
			c := h.processed("test1")
			rows, err := h.Spool(t.Context(), client.MessageQuery{Campaign: "test1"})
			must(t, err)
			states := []uint8{rows.Items[0].State, rows.Items[1].State}
			want, blocked, air := []uint8{3, 6}, uint64(1), []string{"Two"}
			if !on {
				want, blocked, air = []uint8{6, 6}, 0, []string{"One", "Two"}
			}
			if !slices.Equal(states, want) || c.Blocked != blocked || c.Processed != 2-blocked {
				t.Errorf("states %v, counters %+v", states, c)
			}
			if got := h.aired(); !slices.Equal(got, air) {
				t.Errorf("on the air: %q", got)
			}
			hits, err := h.BlacklistHistory(t.Context(), client.List{})
			must(t, err)
			if uint64(len(hits.Items)) != blocked {
				t.Errorf("the history has %+v", hits.Items)
			}
		})
	}
}

func TestP72P73P74P75P76Vector6SendSMS(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.dialer("test1")
	form := url.Values{"destination": {"098344484"}, "message": {"This is my SMS"}, "campaign": {"test1"}, "agent": {"anna"}}
	for _, missing := range []string{"message", "destination", "campaign"} {
		bad := url.Values{}
		for k, v := range form {
			if k != missing {
				bad[k] = v
			}
		}
		got := h.form("SendSMS", bad)
		if got.status != 200 || got.body != "ERROR" || !strings.Contains(got.header.Get("X-Reason"), missing) {
			t.Errorf("without %s: %d %q, %q", missing, got.status, got.body, got.header.Get("X-Reason"))
		}
	}
	if got := h.form("SendSMS", form); got.status != 200 || got.body != "OK" {
		t.Fatalf("got %d %q", got.status, got.body)
	}
	rows, err := h.Spool(t.Context(), client.MessageQuery{})
	must(t, err)
	if len(rows.Items) != 1 || rows.Items[0].Agent != "anna" || rows.Items[0].Message != "This is my SMS" || rows.Items[0].Priority != 1 {
		t.Fatalf("the spool has %+v", rows.Items)
	}
	_, err = h.StartDialer(t.Context(), "test1")
	must(t, err)
	h.processed("test1")
	if got := h.aired(); !slices.Equal(got, []string{"This is my SMS"}) {
		t.Errorf("on the air: %q", got)
	}
}
