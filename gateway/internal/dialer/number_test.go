package dialer

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestNumberIsInFlightOnceOverAllLanesAndChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("a"), aLane("b"))
		flying := map[gateway.Address]int{}
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			w.bank.mu.Lock()
			flying[c.sub.To]++
			if flying[c.sub.To] > 1 {
				t.Errorf("two messages to %s are in flight", c.sub.To)
			}
			w.bank.mu.Unlock()
			r, err := takes(time.Second)(ctx, c)
			w.bank.mu.Lock()
			flying[c.sub.To]--
			w.bank.mu.Unlock()
			return r, err
		})
		var same []gateway.Message
		for i := range 5 {
			for _, name := range []string{"a", "b"} {
				m := row(name, 7)
				m.Text = fmt.Sprint(name, i)
				same = append(same, m)
			}
		}
		w.addAll(same...)
		w.addRows("a", 100, 160)
		w.start()
		pass(2500 * time.Millisecond)
		others := slices.DeleteFunc(w.bank.sent(), func(c call) bool { return c.sub.To == number(7) })
		if len(others) < 8 {
			t.Errorf("%d messages to other numbers left meanwhile, want the free channels used", len(others))
		}
		pass(time.Minute)
		var order []string
		for _, c := range w.bank.sent() {
			if c.sub.To == number(7) && c.sub.Text[0] == 'a' {
				order = append(order, c.sub.Text)
			}
		}
		if !slices.Equal(order, []string{"a0", "a1", "a2", "a3", "a4"}) {
			t.Errorf("messages to one number left as %q", order)
		}
		if n := len(w.bank.sent()); n != 70 {
			t.Errorf("%d sent, want 70", n)
		}
	})
}

func TestManyRowsOfOneNumberDoNotFillTheBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("a"))
		w.bank.script(takes(time.Second))
		w.addAll(slices.Repeat([]gateway.Message{row("a", 7)}, 80)...)
		w.addRows("a", 100, 112)
		w.start()
		pass(3500 * time.Millisecond)
		n := 0
		for _, c := range w.bank.sent() {
			if c.sub.To != number(7) {
				n++
			}
		}
		if n != 12 {
			t.Errorf("%d of 12 messages to other numbers left in 4 s over 4 channels", n)
		}
		pass(2 * time.Minute)
		if n := len(w.bank.sent()); n != 92 {
			t.Errorf("%d sent, want 92", n)
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

func TestRowBehindAnExpiredOneOfItsNumberGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerMinute: 1}
		w := setup(t, newBank("bank", 1), l)
		dies, lives := row("d", 1), row("d", 1)
		dies.ValidUntil = time.Now().Add(30 * time.Second)
		ids := w.addAll(row("d", 0), dies, lives)
		w.start()
		pass(3 * time.Minute)
		w.expect(ids[1], gateway.StatusExpired)
		w.expect(ids[2], gateway.StatusSent)
	})
}

func TestRetryKeepsLaterMessagesOfItsNumberBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		throttled := scripted(says(gateway.KindThrottled, 0))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.Text == "first" {
				return throttled(ctx, c)
			}
			return modem.Receipt{}, nil
		})
		first, second := row("d", 1), row("d", 1)
		first.Text, second.Text = "first", "second"
		w.addAll(first, second, row("d", 2))
		w.start()
		pass(time.Minute)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"first", "m2", "first", "second"}) {
			t.Errorf("sends %q", got)
		}
	})
}
