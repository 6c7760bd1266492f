package dialer

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
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

// The month is the SIM's own, and what waits for it says until when; what may go says
// no such thing.
func TestP46RecipientsOfTheMonthSayUntilWhen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 1}
		w := setup(t, newBank("bank", 2), l)
		bill := &billing{Meter: w.store, day: 17}
		w.o.Meter = bill
		ids := w.addAll(row("d", 1), row("d", 2), row("d", 3))
		d := w.start()
		pass(time.Minute)
		w.expect(ids[2], gateway.StatusQueued)
		want := "Channel bank/1 has used its 1 recipients of this month, until Mon 2000-01-17 00:00:00 UTC."
		if why := d.Explain(w.message(ids[2])); len(why) != 3 || why[2] != want {
			t.Errorf("explained as %q, want %q at the end", why, want)
		}
		if st, _ := d.Status("d"); !strings.Contains(st.Idle, "until Mon 2000-01-17") {
			t.Errorf("idle because %q", st.Idle)
		}
	})
}

// billing is a meter whose SIMs' months begin on a day of their own.
type billing struct {
	Meter
	day int
}

func (b *billing) SIMUsage(sim string, now time.Time) (spool.Usage, error) {
	u, err := b.Meter.SIMUsage(sim, now)
	u.MonthStart = time.Date(now.Year(), now.Month()-1, b.day, 0, 0, 0, 0, time.UTC)
	return u, err
}

// While the clock is not trusted no window opens by itself: a time that has passed by
// that clock is nothing to wake up for.
func TestUntrustedClockDoesNotSpinAtTheEndOfAMonth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		pass(31*24*time.Hour - 2*time.Minute)
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 1}
		w := setup(t, newBank("bank", 1), l)
		var turns atomic.Int64
		w.o.Now = func() time.Time { turns.Add(1); return time.Now() }
		w.o.Trusted = func() bool { return false }
		w.addRows("d", 0, 3)
		w.start()
		pass(3 * time.Minute) // the month is over
		turns.Store(0)
		pass(10 * time.Minute)
		if n := turns.Load(); n > 60 {
			t.Errorf("%d turns in ten minutes with nothing to do", n)
		}
	})
}

// A base of new numbers that must wait for the next month keeps nobody from answering
// a customer who is counted already.
func TestNewRecipientsDoNotHoldUpKnownOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		pass(31*24*time.Hour - 30*time.Minute) // to the end of a month
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 2}
		w := setup(t, newBank("bank", 1), l)
		w.addRows("d", 0, 3)
		w.start()
		pass(time.Second)
		first := w.add(row("d", 1)) // behind one that waits
		pass(time.Second)
		w.expect(first, gateway.StatusSent)
		base := w.addRows("d", 100, 300)
		second := w.add(row("d", 0)) // behind more of them than the memory holds
		pass(time.Second)
		w.expect(second, gateway.StatusSent)
		w.expect(base[0], gateway.StatusQueued)
		if st, _ := w.d.Status("d"); !strings.Contains(st.Idle, "2 recipients of this month, until Tue 2000-02-01") {
			t.Errorf("idle because %q", st.Idle)
		}

		// Another card has room at once, and the rows that waited longest come first.
		w.bank.set("bank/0", func(c *gateway.Channel) { c.ICCID = "8959555" })
		pass(time.Second)
		if got := texts(w.bank.sent()[4:]); !slices.Equal(got, []string{"m2", "m100"}) {
			t.Errorf("over the new card went %q", got)
		}
		pass(time.Hour)
		if got := texts(w.bank.sent()[6:]); !slices.Equal(got, []string{"m101", "m102"}) {
			t.Errorf("in the next month went %q", got)
		}
	})
}

func TestARecipientThatIsGivenBackIsUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 1}
		w := setup(t, newBank("bank", 2), l)
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.id == "bank/0" || c.sub.Text != "m1" {
				return modem.Receipt{}, nil
			}
			<-time.After(time.Minute)
			return says(gateway.KindRefused, 0)(ctx, c)
		})
		ids := w.addRows("d", 0, 100)
		w.start()
		pass(time.Hour)
		w.expect(ids[0], gateway.StatusSent)
		w.expect(ids[1], gateway.StatusFailed)
		w.expect(ids[2], gateway.StatusSent)
		w.expect(ids[3], gateway.StatusQueued)
	})
}

// A count that was read while something was on its way to the disk bars rows for some
// minutes, and not for the month.
func TestACountThatWasTooHighIsReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 2}
		w := setup(t, newBank("bank", 1), l)
		w.o.Meter = &hasty{Meter: w.store, until: time.Now().Add(time.Minute)}
		ids := w.addRows("d", 0, 100)
		w.start()
		pass(30 * time.Second)
		w.expect(ids[1], gateway.StatusQueued)
		pass(10 * time.Minute)
		w.expect(ids[1], gateway.StatusSent)
		w.expect(ids[2], gateway.StatusQueued)
	})
}

// The same where no row is left in memory that would have its SIM's count read.
func TestCountsAreReadAgainForBarredRowsAlone(t *testing.T) {
	meter := &fakeMeter{usage: map[string]spool.Usage{"8959000": {Recipients: 2, MonthStart: time.Now()}}}
	d, l := table(1, gateway.ChoiceRing, meter, newCards())
	l.def.Limits = gateway.Limits{RecipientsPerMonth: 2}
	l.buf, l.more, l.stale = []gateway.Message{row("d", 1)}, true, false
	l.buf[0].IDM = 7
	if _, ok := d.choose(l); ok || len(l.barred) != 1 {
		t.Fatalf("%d rows barred, want the one whose SIM is full", len(l.barred))
	}
	meter.usage["8959000"] = spool.Usage{Recipients: 1, MonthStart: time.Now()}
	for _, after := range []time.Duration{barredFor / 2, barredFor / 2} {
		if d.placed {
			t.Error("the count is read all the time")
		}
		d.now, d.mono = d.now.Add(after), d.mono.Add(after)
		d.lookAgain(l)
	}
	if !d.placed {
		t.Error("the count is not read again")
	}
}

// hasty is a meter that counts one recipient too many until a time.
type hasty struct {
	Meter
	until time.Time
}

func (h *hasty) SIMUsage(sim string, now time.Time) (spool.Usage, error) {
	u, err := h.Meter.SIMUsage(sim, now)
	if now.Before(h.until) {
		u.Recipients++
	}
	return u, err
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
