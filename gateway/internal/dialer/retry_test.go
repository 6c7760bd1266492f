package dialer

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
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
