package at

import (
	"context"
	"slices"
	"sync"
	"time"
)

// MaxDefer is how long housekeeping stands back behind sends. A command of it that
// waited longer gets the next turn, before a send that waits too.
const MaxDefer = 2 * time.Second

// turn lets one goroutine at a time use a modem, sends first.
type turn struct {
	mu    sync.Mutex
	busy  bool
	queue []*waiter // in the order in which they came
}

type waiter struct {
	granted chan struct{}
	urgent  bool
	since   time.Time
}

// take waits for the turn. An error is that of the context, or of a port that closed.
func (t *turn) take(ctx context.Context, urgent bool, gone <-chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if !t.busy && len(t.queue) == 0 {
		t.busy = true
		t.mu.Unlock()
		return nil
	}
	w := &waiter{granted: make(chan struct{}), urgent: urgent, since: time.Now()}
	t.queue = append(t.queue, w)
	t.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		t.leave(w)
		return ctx.Err()
	case <-gone:
		t.leave(w)
		return errClosed
	}
}

// leave takes a waiter out, and passes the turn on if it was granted meanwhile.
func (t *turn) leave(w *waiter) {
	t.mu.Lock()
	if i := slices.Index(t.queue, w); i >= 0 {
		t.queue = slices.Delete(t.queue, i, i+1)
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	t.give()
}

// give passes the turn on.
func (t *turn) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.busy = false
		return
	}
	i := t.next(time.Now())
	w := t.queue[i]
	t.queue = slices.Delete(t.queue, i, i+1)
	close(w.granted)
}

func (t *turn) next(now time.Time) int {
	first := -1
	for i, w := range t.queue {
		switch {
		case !w.urgent && now.Sub(w.since) >= MaxDefer:
			return i
		case w.urgent && first < 0:
			first = i
		}
	}
	return max(first, 0)
}
