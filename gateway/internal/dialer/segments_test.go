package dialer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// long is a message of n segments.
func long(campaign string, to, n int) gateway.Message {
	m := row(campaign, to)
	m.Text, m.Segments = strings.Repeat("x", 153*n), uint8(n)
	return m
}

func TestSegmentsFollowEachOtherOnOneChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 5 * time.Second
		w := setup(t, newBank("bank", 4), l)
		counting := &countingQueue{Queue: w.store}
		w.o.Queue = counting
		w.bank.script(takes(time.Second))
		idm := w.add(long("d", 1, 3))
		w.start()
		began := time.Now()
		pass(4 * time.Second)
		calls := w.bank.sent()
		if len(calls) != 3 {
			t.Fatalf("%d sends, want 3", len(calls))
		}
		for i, c := range calls {
			if c.id != "bank/0" || c.sub.Segment != i+1 || c.sub.Segments != 3 || c.sub.Ref != uint16(idm) || c.sub.More != (i < 2) {
				t.Errorf("send %d: %s, segment %d of %d, ref %d, more %v", i, c.id, c.sub.Segment, c.sub.Segments, c.sub.Ref, c.sub.More)
			}
			if want := time.Duration(i) * time.Second; c.at.Sub(began) != want {
				t.Errorf("segment %d began after %v, want %v: no pause between segments", i+1, c.at.Sub(began), want)
			}
		}
		if n := counting.steps.Load(); n != 4 {
			t.Errorf("%d steps for 3 segments, want 4: each outcome carries the next intent", n)
		}
		w.expect(idm, gateway.StatusSent)
	})
}

func TestDeviceThatCutsItselfGetsTheWholeMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.limits = modem.Limits{Whole: true}
		idm := w.add(long("d", 1, 3))
		w.start()
		pass(time.Second)
		if calls := w.bank.sent(); len(calls) != 1 || calls[0].sub.Segment != 0 || calls[0].sub.Segments != 3 || calls[0].sub.More {
			t.Errorf("sends %+v, want one of the whole message", calls)
		}
		w.expect(idm, gateway.StatusSent)
		if u, _ := w.store.SIMUsage("8959000", time.Now()); u.Month != 3 {
			t.Errorf("%d segments counted, want 3", u.Month)
		}
	})
}

func TestMissingSegmentsFollowOnTheSameSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 3), aLane("d"))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.Segment == 2 && len(w.bank.sent()) < 10 {
				return says(gateway.KindUnavailable, 0)(ctx, c)
			}
			return takes(time.Second)(ctx, c)
		})
		idm := w.add(long("d", 1, 3))
		w.start()
		pass(1500 * time.Millisecond)
		// The SIM is put into another slot while its message waits.
		w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelAbsent, "" })
		w.bank.script(takes(time.Second))
		pass(20 * time.Second)
		if n := len(w.bank.sent()); n != 2 {
			t.Fatalf("%d sends while the SIM is away, want the 2 from before", n)
		}
		w.bank.set("bank/2", func(c *gateway.Channel) { c.ICCID = "8959000" })
		pass(10 * time.Second)
		w.expect(idm, gateway.StatusSent)
		var got []string
		for _, c := range w.bank.sent() {
			got = append(got, c.id+"#"+string(rune('0'+c.sub.Segment)))
			if c.sub.Ref != uint16(idm) {
				t.Errorf("ref %d, want %d in every try", c.sub.Ref, uint16(idm))
			}
		}
		if want := []string{"bank/0#1", "bank/0#2", "bank/2#2", "bank/2#3"}; !slices.Equal(got, want) {
			t.Errorf("sends %v, want %v: segment 1 once, the others over its SIM", got, want)
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
