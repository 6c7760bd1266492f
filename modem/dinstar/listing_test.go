package dinstar

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

// longText fills a page of 8 KB with a few messages.
func longText(i int) string { return fmt.Sprintf("%03d %s", i, strings.Repeat("ñandú ", 60)) }

func (r *rig) deliverLong(from, to int) {
	r.Helper()
	for i := from; i < to; i++ {
		must(r.TB, r.net.Deliver(sim.Incoming{From: "+59899123456", To: r.gateway.Card(i % r.gateway.Ports()).ICCID(), Text: longText(i)}))
	}
}

func TestAPageThatIsCutLosesNothingWhicheverEndItShows(t *testing.T) {
	for name, newest := range map[string]bool{"oldest first": false, "newest first": true} {
		for mode, noAll := range map[string]bool{"all": false, "no flag=all": true} {
			if newest && noAll {
				continue // nothing could show the older ones
			}
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				marks := &forgetful{}
				r := newRig(t, sim.DinstarOptions{Ports: 2, Firmware: sim.DinstarFirmware{Newest: newest, NoAll: noAll}},
					func(o *Options) { o.Marks = marks })
				r.ready(0)
				r.deliverLong(0, 3)
				r.came(3)
				o := r.driver.o
				r.stop()
				r.deliverLong(3, 80) // 40 KB while nobody looks
				r.run(o)
				r.came(80)
				r.deliverLong(80, 85)
				r.came(85)
			})
		}
	}
}

func TestAnInboxThatForgotItsOldestLosesNothingThatSomebodyRead(t *testing.T) {
	const kept = 60
	marks := &forgetful{}
	r := newRig(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{Inbox: kept}}, func(o *Options) { o.Marks = marks })
	r.ready(0)
	o := r.driver.o
	r.stop()
	r.deliverLong(0, 80) // the first 20 are forgotten
	for range 3 {        // 30 or so of the others are read by somebody
		_, err := r.driver.api.get(t.Context(), "query_incoming_sms", url.Values{"flag": {"unread"}})
		must(t, err)
	}
	r.run(o)
	r.came(kept)
}

func TestRowsWithoutAnIDAreStoredOnce(t *testing.T) {
	marks := &forgetful{}
	r := newRig(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{NoIDs: true}}, func(o *Options) { o.Marks = marks })
	r.ready(0)
	r.deliver(0, 4)
	r.came(4)
	o := r.driver.o
	r.stop()
	r.run(o) // the gateway tells them all again
	r.deliver(4, 6)
	r.came(6)
}

func TestTwoRowsThatAreAlikeAreTwoMessages(t *testing.T) {
	asked := make(chan struct{}, 100)
	rows := `{"port":0,"number":"+59899123456","timestamp":"2026-11-22 14:50:10","text":"here"}`
	s, host := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"error_code":200,"sms":[%s,%s]}`, rows, rows)
		asked <- struct{}{}
	})
	for range 3 {
		s.fetch(t.Context())
		<-asked
	}
	if len(host.parts) != 2 || host.parts[0].ID == host.parts[1].ID {
		t.Errorf("%d messages came, want two with an identity each: %+v", len(host.parts), host.parts)
	}
}

func TestAnIDThatIsGivenAgainNamesAnotherMessage(t *testing.T) {
	a := message{ID: num{1, true}, Number: "+59899123456", Time: "1970-01-01 00:00:30", Text: "before"}
	b := a
	b.Text = "after the restart"
	if identity("x", a) == identity("x", b) || identity("x", a) == identity("y", a) {
		t.Error("the identity does not tell them apart")
	}
}

// scripted gives a site of a gateway that is a function, and its host.
func scripted(t *testing.T, h http.HandlerFunc) (*site, *rig) {
	t.Helper()
	d, _ := wire(t, h)
	r := &rig{TB: t, changed: make(chan struct{})}
	r.ch = nil
	s := newSite(d, r)
	t.Cleanup(s.end)
	return s, r
}

func TestTheTimeOfAnInboundMessageIsPlausibleOrLeftOpen(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s, _ := scripted(t, nil)
	s.o = &Options{Zone: time.UTC, Now: func() time.Time { return now }}
	for name, c := range map[string]struct {
		clock clock
		at    text
		want  time.Time
	}{
		"the network's":          {clock{zone: time.UTC}, "2026-11-22 11:59:00", now.Add(-time.Minute)},
		"an old one":             {clock{zone: time.UTC}, "2025-01-01 00:00:00", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
		"1970, clock unknown":    {clock{zone: time.UTC}, "1970-01-01 00:10:00", time.Time{}},
		"1970, clock known":      {clock{time.UTC, time.Date(1970, 1, 1, 0, 11, 0, 0, time.UTC).Sub(now), true}, "1970-01-01 00:10:00", now.Add(-time.Minute)},
		"5 h ahead, known":       {clock{time.UTC, 5 * time.Hour, true}, "2026-11-22 16:58:00", now.Add(-2 * time.Minute)},
		"5 h ahead, unknown":     {clock{zone: time.UTC}, "2026-11-22 16:58:00", time.Time{}},
		"network's, clock wrong": {clock{time.UTC, 5 * time.Hour, true}, "2026-11-22 11:59:00", now.Add(-time.Minute)},
		"no time":                {clock{zone: time.UTC}, "<NULL>", time.Time{}},
	} {
		s.clock = c.clock
		if got := s.sentAt(c.at); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestReportsAndInboxAreMatchedWhateverTheClockOfTheGateway(t *testing.T) {
	for name, off := range map[string]time.Duration{
		"1970": time.Until(time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC)), "hours ahead": 7 * time.Hour, "hours behind": -9 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{Clock: off}}, func(o *Options) {
				o.Report, o.Zone = true, time.UTC
			})
			r.ready(0)
			began := time.Now()
			got, err := r.send(0, 1, "reported")
			must(t, err)
			r.until("its report", func() bool { return len(r.reports) > 0 })
			r.deliver(0, 2)
			r.came(2)
			r.mu.Lock()
			defer r.mu.Unlock()
			rep := r.reports[0]
			if rep.MR != got.MR || rep.Recipient != "+59899123456" || !rep.SentAt.IsZero() && rep.SentAt.Sub(began).Abs() > 5*time.Second {
				t.Errorf("the report %+v does not match %+v of %v", rep, got, began)
			}
			for _, p := range r.parts {
				if !p.SentAt.IsZero() && time.Since(p.SentAt).Abs() > time.Minute {
					t.Errorf("a message of now has the time %v", p.SentAt)
				}
			}
		})
	}
}
