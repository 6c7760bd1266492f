package at

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurnPrefersSendsButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q turn
		var order []string
		q.take(bg, true, nil)
		go func() { q.take(bg, false, nil); order = append(order, "poll"); q.give() }()
		synctest.Wait()
		go func() { q.take(bg, true, nil); order = append(order, "send"); q.give() }()
		synctest.Wait()
		q.give()
		synctest.Wait()
		if !slices.Equal(order, []string{"send", "poll"}) {
			t.Errorf("order %q", order)
		}
		order = nil
		q.take(bg, true, nil)
		go func() { q.take(bg, false, nil); order = append(order, "poll"); q.give() }()
		synctest.Wait()
		go func() { q.take(bg, true, nil); order = append(order, "send"); q.give() }()
		synctest.Wait()
		time.Sleep(MaxDefer)
		q.give()
		synctest.Wait()
		if !slices.Equal(order, []string{"poll", "send"}) {
			t.Errorf("order %q after %s", order, MaxDefer)
		}
	})
}

func TestTurnOfAWaiterWhoLeftGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q turn
		q.take(bg, true, nil)
		ctx, cancel := context.WithCancel(bg)
		left := make(chan error)
		go func() { left <- q.take(ctx, true, nil) }()
		synctest.Wait()
		cancel()
		if err := <-left; err == nil {
			t.Error("a canceled waiter got the turn")
		}
		q.give()
		if err := q.take(bg, false, nil); err != nil {
			t.Error(err)
		}
	})
}
