package dialer

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestCardOfItsOwnLimits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits, l.SIMLimits = gateway.Limits{PerHour: 1}, map[string]gateway.Limits{"8959001": {PerHour: 4}}
		w := setup(t, newBank("bank", 2), l)
		w.addRows("d", 0, 20)
		w.start()
		pass(time.Minute)
		got := map[int]int{}
		for _, p := range ports(w.bank.sent()) {
			got[p]++
		}
		if got[0] != 1 || got[1] != 4 {
			t.Errorf("sends by port %v, want 1 over the first SIM and 4 over the one with limits of its own", got)
		}
	})
}

func TestQuotaWindowsHoldAndOpen(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits gateway.Limits
		window time.Duration
		perWin int
	}{
		{"minute", gateway.Limits{PerMinute: 3}, 2 * time.Minute, 3},
		{"hour", gateway.Limits{PerHour: 5}, time.Hour, 5},
		{"day", gateway.Limits{PerDay: 4}, 24 * time.Hour, 4},
		{"month", gateway.Limits{PerMonth: 2}, 31 * 24 * time.Hour, 2},
		{"recipients", gateway.Limits{RecipientsPerMonth: 2}, 31 * 24 * time.Hour, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := aLane("d")
				l.Limits = c.limits
				pass(c.window - time.Minute) // to the end of a window
				w := setup(t, newBank("bank", 2), l)
				w.addRows("d", 0, 5*c.perWin)
				d := w.start()
				pass(59 * time.Second)
				if n := len(w.bank.sent()); n != 2*c.perWin {
					t.Errorf("%d sends over 2 SIMs in the first window, want %d", n, 2*c.perWin)
				}
				if c.name == "day" {
					if why := strings.Join(d.Explain(w.message(9)), " "); !strings.Contains(why, "this day, until Sun 2000-01-02 00:00:00 UTC") {
						t.Errorf("explained as %q", why)
					}
				}
				pass(2 * time.Second)
				if n := len(w.bank.sent()); n != 4*c.perWin {
					t.Errorf("%d sends when the second window opened, want %d", n, 4*c.perWin)
				}
			})
		})
	}
}

func TestQuotaCountsSegmentsSurvivesARestartAndRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerDay: 5}
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(scripted(says(gateway.KindRefused, 0))) // gives its segment back
		w.addAll(row("d", 0), long("d", 1, 3))
		w.start()
		pass(time.Second)
		w.restart()
		w.addAll(row("d", 2), row("d", 3), row("d", 4))
		pass(time.Second)
		if n := len(w.bank.sent()); n != 1+3+2 {
			t.Errorf("%d segments sent, want 6: one refused, then five", n)
		}
	})
}

func TestRefusedSegmentIsGivenBackAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerDay: 2}
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(scripted(says(gateway.KindRefused, 0)))
		w.addRows("d", 0, 5)
		w.start()
		pass(time.Second)
		if n := len(w.bank.sent()); n != 3 {
			t.Errorf("%d sends, want one refused and two that count", n)
		}
	})
}

func TestKnownRecipientPassesTheLimitOfRecipients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 2}
		w := setup(t, newBank("bank", 1), l)
		w.addAll(row("d", 1), row("d", 2), row("d", 3), row("d", 1))
		w.start()
		pass(time.Minute)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m1", "m2", "m1"}) {
			t.Errorf("sends %q, want the known number again and the third not", got)
		}
	})
}

func TestLongMessageOverAWindowBegins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerMinute: 2}
		w := setup(t, newBank("bank", 2), l)
		idm := w.add(long("d", 1, 5))
		w.start()
		pass(59 * time.Second)
		if n := len(w.bank.sent()); n != 2 {
			t.Errorf("%d segments in the first minute, want 2", n)
		}
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusSent)
		for _, c := range w.bank.sent() {
			if c.id != "bank/0" {
				t.Errorf("segment %d went over %s", c.sub.Segment, c.id)
			}
		}
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d segments, want 5", n)
		}
	})
}

// The quota of a minute that lies two hours ahead, once the clock is right.
func TestAClockThatIsSetBackStopsNoSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		def := aLane("a")
		def.Limits.PerMinute = 1
		w := setup(t, newBank("bank", 1), def)
		var ahead atomic.Int64
		ahead.Store(int64(2 * time.Hour))
		w.o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		w.start()
		w.addRows("a", 1, 3)
		pass(time.Second)
		ahead.Store(0)
		pass(3 * time.Minute)
		if n := len(w.bank.sent()); n != 2 {
			t.Errorf("%d of 2 messages went out", n)
		}
	})
}
