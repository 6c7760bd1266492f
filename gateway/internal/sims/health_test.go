package sims

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestHealthSaysWhatIsMissing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, b, c := w.three()
		w.pass(25 * time.Hour) // their signal is usual now
		b.Refusals = 5
		w.sent(b, 15)
		for i := range 2 {
			a.day()
			a.Days[i].Awaited, a.Days[i].Delivered = 50, 20
		}
		w.meter.set("8000", a.SIMRecord)
		weak := in(2, "8002")
		weak.Signal = 14
		w.plug(in(0, "8000"), in(1, "8001"), weak)
		w.meter.set("8002", c.SIMRecord)
		w.pass(3 * time.Hour)
		for id, want := range map[string]Health{
			"8000": {true, 67, []string{"40 % of what it sent in the last 2 days was delivered, and 90 % before"}},
			"8001": {true, 60, []string{"none of the last 15 segments was reported as delivered", "the network refused the last 5 segments"}},
			"8002": {true, 81, []string{"the signal is -85 dBm, and -74 usually"}},
		} {
			got := w.card(id).Health
			if !got.Known || got.Score < want.Score-3 || got.Score > want.Score+3 || strings.Join(got.Reasons, "; ") != strings.Join(want.Reasons, "; ") {
				t.Errorf("%s: %+v, want about %+v", id, got, want)
			}
		}
	})
}

func TestWhatIsLeftOfAQuotaIsTold(t *testing.T) {
	limits := gateway.Limits{PerDay: 100, PerMonth: 1000, RecipientsPerMonth: 90}
	inWorld(t, Options{Limits: func(_, provider string) gateway.Limits {
		if provider != "bank" {
			return gateway.Limits{}
		}
		return limits
	}}, func(w *world) {
		w.meter.used("8000", spool.Usage{Day: 30, Month: 950, Recipients: 120})
		w.plug(in(0, "8000"))
		w.pass(2 * time.Minute)
		l := w.card("8000").Left
		if l.Segments == nil || *l.Segments != 50 || l.Recipients == nil || *l.Recipients != 0 {
			t.Errorf("left are %+v", l)
		}
	})
}
