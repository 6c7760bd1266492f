package dialer

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// scripted makes an answer that follows a script for each message, and accepts
// when the script is at its end.
func scripted(answers ...func(context.Context, call) (modem.Receipt, error)) func(context.Context, call) (modem.Receipt, error) {
	var n atomic.Int64
	return func(ctx context.Context, c call) (modem.Receipt, error) {
		if i := int(n.Add(1)) - 1; i < len(answers) {
			return answers[i](ctx, c)
		}
		return modem.Receipt{}, nil
	}
}

func TestP44RetryTable(t *testing.T) {
	for _, c := range []struct {
		kind  gateway.Kind
		final bool // after one try
		wait  time.Duration
		rest  time.Duration // of the channel
		sent  bool
	}{
		{kind: gateway.KindRefused, final: true},
		{kind: gateway.KindInvalid, final: true},
		{kind: gateway.KindThrottled, wait: 5 * time.Second, rest: 5 * time.Second},
		{kind: gateway.KindUnavailable, wait: 0, rest: 2 * time.Second},
		{kind: gateway.KindUnauthorized, wait: 0, rest: time.Minute},
		{kind: gateway.KindForbidden, wait: 0, rest: time.Minute},
		{kind: gateway.KindNotFound, wait: 0, rest: time.Minute},
		{kind: gateway.KindConflict, wait: 0, rest: time.Minute},
		{kind: gateway.KindUnknownOutcome, final: true, sent: true},
		{kind: gateway.KindInternal, final: true, sent: true},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			r := ruleFor(c.kind)
			wait, again := r.again(1, 5)
			if again == c.final || wait != c.wait || r.restFor(1, 0) != c.rest || r.sent != c.sent {
				t.Errorf("after a first try: again %v in %v, the channel rests %v, sent %v", again, wait, r.restFor(1, 0), r.sent)
			}
			if _, again := r.again(100, 5); again {
				t.Error("it is tried for ever")
			}
			if d := r.restFor(1000, 0); d > maxRest {
				t.Errorf("after a thousand faults the channel rests %v, want at most %v", d, maxRest)
			}
			if d := r.restFor(3, time.Hour); d != time.Hour {
				t.Errorf("the device asked for an hour, the channel rests %v", d)
			}
		})
	}
}

func TestEveryKindIsInTheRetryTable(t *testing.T) {
	for _, k := range gateway.Kinds() {
		if r := ruleFor(k); !r.sent && r.rest == 0 {
			t.Errorf("%s: nothing follows from it", k)
		}
	}
}

func TestRefusedEndsForGoodAndTheLaneGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(scripted(says(gateway.KindRefused, 0)))
		ids := w.addRows("d", 0, 3)
		w.start()
		pass(time.Second)
		m := w.expect(ids[0], gateway.StatusFailed)
		if m.Kind != gateway.KindRefused || m.Reason != "the modem says so (CMS 1)" || m.Attempts != 1 {
			t.Errorf("failed with %s: %q after %d attempts", m.Kind, m.Reason, m.Attempts)
		}
		w.expect(ids[1], gateway.StatusSent)
		w.expect(ids[2], gateway.StatusSent)
	})
}

func TestThrottledWaitsForTheHintAndTheChannelRests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(scripted(says(gateway.KindThrottled, 30*time.Second)))
		idm := w.addRows("d", 0, 1)[0]
		w.start()
		began := time.Now()
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusSent)
		calls := w.bank.sent()
		if len(calls) != 2 || calls[1].at.Sub(began) < 30*time.Second || calls[1].at.Sub(began) > 31*time.Second {
			t.Errorf("calls %v, want a second one when the rest of 30 s is over", calls)
		}
	})
}

func TestUnavailableGoesAtOnceToAnotherChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 100 * time.Millisecond
		w := setup(t, newBank("bank", 3), l)
		w.bank.script(scripted(says(gateway.KindUnavailable, 0)))
		ids := w.addRows("d", 0, 3)
		w.start()
		pass(time.Second)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m0", "m0", "m1", "m2"}) {
			t.Errorf("sends %q, want the first row again at the front", got)
		}
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 1, 2, 1})
		if m := w.expect(ids[0], gateway.StatusSent); m.Attempts != 2 {
			t.Errorf("%d attempts, want 2", m.Attempts)
		}
	})
}

func TestUnavailableEverywhereEndsAfterFiveAttempts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 8), aLane("d"))
		w.bank.script(says(gateway.KindUnavailable, 0))
		idm := w.addRows("d", 0, 1)[0]
		w.start()
		pass(time.Minute)
		if m := w.expect(idm, gateway.StatusQueued); m.Attempts < 2 || m.Attempts > 4 {
			t.Errorf("%d attempts in a minute, want waits that grow", m.Attempts)
		}
		pass(10 * time.Minute)
		if m := w.expect(idm, gateway.StatusFailed); m.Attempts != 5 || m.Kind != gateway.KindUnavailable {
			t.Errorf("ended %s after %d attempts, want unavailable after 5", m.Kind, m.Attempts)
		}
	})
}

func TestBadChannelStopsNoOtherAndRestsLonger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.id == "bank/0" {
				return says(gateway.KindUnavailable, 0)(ctx, c)
			}
			return takes(time.Second)(ctx, c)
		})
		ids := w.addRows("d", 0, 60)
		w.start()
		pass(3 * time.Minute)
		for _, id := range ids {
			w.expect(id, gateway.StatusSent)
		}
		var rests []time.Duration
		for _, r := range w.bank.rests {
			if r.id != "bank/0" {
				t.Errorf("%s rests", r.id)
			}
			rests = append(rests, r.d)
		}
		want := []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
		if len(rests) < 4 || !slices.Equal(rests[:4], want) {
			t.Errorf("rests %v, want them to begin with %v", rests, want)
		}
	})
}

func TestChannelThatRefusesEverythingRests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(says(gateway.KindRefused, 0))
		w.addRows("d", 0, 40)
		w.start()
		pass(30 * time.Second)
		if n := len(w.bank.sent()); n != refusalsInARow {
			t.Errorf("%d rows used up by a channel that refuses everything, want %d", n, refusalsInARow)
		}
	})
}

func TestUnknownIsNeverSentAgainByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(scripted(says(gateway.KindUnknownOutcome, 0), says(gateway.KindInternal, 0)))
		ids := w.addRows("d", 0, 3)
		w.start()
		pass(time.Hour)
		w.expect(ids[0], gateway.StatusUnknown)
		w.expect(ids[1], gateway.StatusUnknown)
		w.expect(ids[2], gateway.StatusSent)
		if n := len(w.bank.sent()); n != 3 {
			t.Errorf("%d sends, want one a row", n)
		}
	})
}

func TestUnknownWithResendPolicyGoesAgainAfterTheWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(scripted(says(gateway.KindUnknownOutcome, 0)))
		m := row("d", 1)
		m.Policy = gateway.UnknownResend
		idm := w.add(m)
		w.start()
		pass(9 * time.Minute)
		if n := len(w.bank.sent()); n != 1 {
			t.Errorf("%d sends before the wait for a report is over", n)
		}
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusSent)
	})
}

func TestResendPolicyGivesUpInTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(says(gateway.KindUnknownOutcome, 0))
		m := row("d", 1)
		m.Policy = gateway.UnknownResend
		idm := w.add(m)
		w.start()
		pass(24 * time.Hour)
		w.expect(idm, gateway.StatusUnknown)
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d copies may have reached the customer, want 5 tries at most", n)
		}
	})
}

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

func TestBrokenOffMessageKeepsLaterOnesOfItsNumberBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 3), aLane("d"))
		second := scripted(says(gateway.KindUnavailable, 0))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.Segment == 2 {
				return second(ctx, c)
			}
			return modem.Receipt{}, nil
		})
		first, then := long("d", 1, 2), row("d", 1)
		then.Text = "then"
		w.addAll(first, then)
		w.start()
		pass(time.Minute)
		calls := w.bank.sent()
		if n := len(calls); n != 4 || calls[n-1].sub.Text != "then" {
			t.Errorf("sends %+v, want the later message last", calls)
		}
	})
}

func TestDrainLearnsOutcomesAndOpensNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		ids := w.addRows("d", 0, 20)
		idm := w.add(long("d", 99, 3))
		d := w.start()
		pass(time.Second)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Drain(short); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "4 sends") {
			t.Errorf("a drain that is too short: %v", err)
		}
		if err := d.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(w.bank.sent()); n != 4 {
			t.Errorf("%d sends, want the 4 that were out", n)
		}
		for i, id := range ids {
			want := gateway.StatusQueued
			if i < 4 {
				want = gateway.StatusSent
			}
			w.expect(id, want)
		}
		w.expect(idm, gateway.StatusQueued)
	})
}

func TestDrainBreaksALongMessageOffAndARestartFinishesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 3), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		idm := w.addAll(long("d", 1, 3))[0]
		d := w.start()
		pass(time.Second)
		if err := d.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := w.expect(idm, gateway.StatusQueued); len(w.bank.sent()) != 1 || m.Parts[0].Status != gateway.StatusSent {
			t.Errorf("after the drain %d segments were sent, parts %+v", len(w.bank.sent()), m.Parts)
		}
		w.restart()
		pass(10 * time.Second)
		w.expect(idm, gateway.StatusSent)
		var segments []int
		for _, c := range w.bank.sent() {
			segments = append(segments, c.sub.Segment)
			if c.id != "bank/0" || c.sub.Ref != uint16(idm) {
				t.Errorf("segment %d went over %s with ref %d", c.sub.Segment, c.id, c.sub.Ref)
			}
		}
		wantInts(t, "segments", segments, []int{1, 2, 3})
	})
}

func TestStopWithoutDrainRecordsTheDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Hour))
		ids := w.addRows("d", 0, 4)
		w.start()
		pass(time.Second)
		w.stop()
		w.expect(ids[0], gateway.StatusUnknown)
		w.expect(ids[1], gateway.StatusUnknown)
		w.expect(ids[2], gateway.StatusQueued)
	})
}

func TestStoreThatFailsLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		q := &brokenQueue{Queue: w.store}
		w.o.Queue = q
		w.bank.script(takes(2 * time.Second))
		ids := w.addRows("d", 0, 10)
		d := w.start()
		pass(time.Second)
		q.set(true) // while two sends are out
		pass(time.Minute)
		if n := len(w.bank.sent()); n != 2 {
			t.Errorf("%d sends, want nothing opened while the store fails", n)
		}
		if st, _ := d.Status("d"); !strings.Contains(st.Idle, "disk is full") || st.InFlight != 2 {
			t.Errorf("status %+v does not say that the store fails", st)
		}
		if q.tries < 5 || q.tries > 60 {
			t.Errorf("%d tries in a minute, want some, with backoff", q.tries)
		}
		w.expect(ids[0], gateway.StatusSubmitting)
		q.set(false)
		pass(time.Minute)
		for _, id := range ids {
			w.expect(id, gateway.StatusSent)
		}
		if n := len(w.bank.sent()); n != 10 {
			t.Errorf("%d sends of 10 rows", n)
		}
	})
}

func TestStoreThatFailsBeforeAnIntentOpensNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		q := &brokenQueue{Queue: w.store, broken: true}
		w.o.Queue = q
		ids := w.addRows("d", 0, 3)
		w.start()
		pass(150 * time.Millisecond) // two tries
		if n := len(w.bank.sent()); n != 0 {
			t.Fatalf("%d sends without an intent on disk", n)
		}
		q.set(false)
		pass(time.Minute)
		for _, id := range ids {
			w.expect(id, gateway.StatusSent)
		}
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 1, 2})
	})
}

func TestP143DeleteUnprocessedIsSafeWhileSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 100)
		w.start()
		pass(2500 * time.Millisecond)
		n, err := w.store.DeleteUnprocessed(t.Context(), "d")
		if err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if sent := len(w.bank.sent()); sent+n != 100 {
			t.Errorf("%d sent and %d deleted of 100", sent, n)
		}
		c, _ := w.store.Counters("d")
		if c.NotProcessed() != 0 || !c.Balanced() {
			t.Errorf("counters %+v", c)
		}
		w.addRows("d", 200, 204)
		pass(10 * time.Second)
		if c, _ = w.store.Counters("d"); c.NotProcessed() != 0 {
			t.Errorf("%d rows wait after the deletion, want the lane to go on", c.NotProcessed())
		}
	})
}

func TestCanceledRowInTheBufferIsNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		ids := w.addRows("d", 0, 3)
		w.start()
		synctest.Wait()
		if err := w.store.Cancel(t.Context(), ids[1], "ana"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		w.expect(ids[1], gateway.StatusCanceled)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m0", "m2"}) {
			t.Errorf("sends %q", got)
		}
	})
}
