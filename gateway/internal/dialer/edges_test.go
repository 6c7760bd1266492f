package dialer

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// onceUnread is a blacklist whose first look-up fails.
type onceUnread struct{ failed atomic.Bool }

func (o *onceUnread) Listed(gateway.Address, string) (listed, optOut bool, err error) {
	if o.failed.CompareAndSwap(false, true) {
		return false, false, gateway.Errorf(gateway.KindInternal, "a page of the blacklist cannot be read")
	}
	return false, false, nil
}

func TestARowThatIsPutOffGoesByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("a"))
		w.o.Blacklist = &onceUnread{}
		id := w.add(row("a", 1))
		w.start()
		pass(time.Second)
		w.expect(id, gateway.StatusQueued)
		pass(stuckWait)
		w.expect(id, gateway.StatusSent)
	})
}

// What waits for the pace of its lane is queued, and can be taken back until then.
func TestAMessageIsNotOpenedLongBeforeItsStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		def := aLane("a")
		def.Interval = time.Hour
		w := setup(t, newBank("bank", 1), def)
		w.start()
		w.add(row("a", 1))
		pass(110 * time.Minute)
		w.add(row("a", 2)) // starts at once: 50 minutes of its interval are made good
		pass(time.Second)
		late := w.add(row("a", 3))
		pass(30 * time.Minute)
		w.expect(late, gateway.StatusQueued)
		pass(30 * time.Minute)
		w.expect(late, gateway.StatusSent)
		if c := w.bank.sent(); c[2].at.Sub(c[1].at) != time.Hour {
			t.Errorf("%v between two messages", c[2].at.Sub(c[1].at))
		}
	})
}

// begin sends the first segment of a message over the first channel.
func (w *world) begin(campaign string) uint64 {
	m := row(campaign, 1)
	m.Segments = 2
	id := w.add(m)
	for _, st := range []spool.Step{
		{Intents: []spool.Intent{{IDM: id, Segment: 1, Channel: "bank/0", SIM: "8959000"}}},
		{Outcomes: []spool.Outcome{{IDM: id, Segment: 1}}},
	} {
		done := make(chan spool.Stepped, 1)
		w.store.Step(st, func(s spool.Stepped) { done <- s })
		if s := <-done; s.Err != nil || len(s.Gone) > 0 {
			w.t.Fatal(s)
		}
	}
	return id
}

// The SIM sits in a device now that has no segments of its own.
func TestTheEndOfAMessageIsNotForcedOnADeviceOfWholeOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.limits = modem.Limits{Whole: true}
		w := setup(t, bank, aLane("a"))
		id, other := w.begin("a"), w.add(row("a", 2))
		before := w.store.Stats().Commits
		d := w.start()
		pass(time.Minute)
		w.expect(other, gateway.StatusSent)
		m := w.expect(id, gateway.StatusQueued)
		if n := w.store.Stats().Commits - before; n > 10 {
			t.Errorf("%d commits for one message", n)
		}
		if said := strings.Join(d.Explain(m), " "); !strings.Contains(said, "takes whole messages only") {
			t.Errorf("explained: %s", said)
		}
	})
}

func TestSegmentsDoNotFollowOverAnotherSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		swap := func(sim string) { bank.set("bank/0", func(c *gateway.Channel) { c.ICCID = sim }) }
		bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			swap("another")
			return takes(time.Second)(ctx, c) // the dialer hears of the SIM first
		})
		w := setup(t, bank, aLane("a"))
		m := row("a", 1)
		m.Segments = 2
		id := w.add(m)
		w.start()
		pass(10 * time.Minute)
		if n := len(bank.sent()); n != 1 {
			t.Errorf("%d segments went out", n)
		}
		bank.script(nil)
		swap("8959000")
		pass(10 * time.Minute)
		w.expect(id, gateway.StatusSent)
	})
}

func TestAStopIsNotTheLastTryOfAMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.script(func(ctx context.Context, _ call) (modem.Receipt, error) {
			<-ctx.Done()
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "told to stop before it began")
		})
		w := setup(t, bank, aLane("a"))
		w.o.Attempts = 1
		id := w.add(row("a", 1))
		w.start()
		pass(time.Second)
		w.stop()
		w.expect(id, gateway.StatusQueued)
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

// Each segment of a long message that a quota spreads out is a part of one try: at
// the last of them there are tries left.
func TestAMessageThatGoesOnAfterAQuotaHasAllItsTries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		def := aLane("a")
		def.Limits.PerMinute = 1
		bank := newBank("bank", 1)
		failed := false
		bank.script(func(_ context.Context, c call) (modem.Receipt, error) {
			if c.sub.Segment == 4 && !failed {
				failed = true
				return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "no network")
			}
			return modem.Receipt{}, nil
		})
		w := setup(t, bank, def)
		w.o.Attempts = 3
		m := row("a", 1)
		m.Segments = 4
		id := w.add(m)
		w.start()
		pass(10 * time.Minute)
		if m := w.expect(id, gateway.StatusSent); m.Attempts != 2 {
			t.Errorf("%d tries", m.Attempts)
		}
	})
}

func TestAnExpiredMessageSaysWhatIsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			bank.set("bank/0", func(c *gateway.Channel) { c.ICCID = "another" })
			return takes(time.Second)(ctx, c)
		})
		w := setup(t, bank, aLane("a"))
		m := row("a", 1)
		m.Segments, m.ValidUntil = 2, time.Now().Add(time.Hour)
		id := w.add(m)
		w.start()
		pass(2 * time.Hour)
		if m := w.expect(id, gateway.StatusExpired); !strings.Contains(m.Reason, "1 of 2 segments out") {
			t.Errorf("reason: %s", m.Reason)
		}
	})
}
