package spool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"fieldpost/gateway"
)

const (
	// maxWeight bounds the rows of one commit, and so the time that a
	// request waits behind its neighbours.
	maxWeight = 4096
	// maxLinger bounds the wait for company.
	maxLinger = 5 * time.Millisecond
)

// request is one member of a group commit.
type request struct {
	ctx    context.Context // gives up before the commit begins, never in it; nil = never
	fn     func(*tx) error // may run more than once: it must begin anew each time
	done   func(error)     // called once, from the writer's goroutine; must not block
	weight int             // rows that it writes, about
}

// writer is the one goroutine that writes. What waits when a sync ends goes into
// the next commit.
type writer struct {
	s    *Spool
	wake chan struct{} // cap 1: something waits, or the end came
	end  chan struct{} // closed when run has returned

	// under mu
	mu     sync.Mutex
	queue  []*request
	closed bool

	// owned by run
	lastSize int           // members of the previous commit
	lastTook time.Duration // its time, sync included
}

func newWriter(s *Spool) *writer {
	return &writer{s: s, wake: make(chan struct{}, 1), end: make(chan struct{})}
}

// submit queues a request. Its done is called in every case.
func (w *writer) submit(r *request) {
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.queue = append(w.queue, r)
	}
	w.mu.Unlock()
	if closed {
		r.done(errClosed())
		return
	}
	w.nudge()
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close lets the waiting requests be committed, refuses later ones, and returns
// when the writer is done.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.nudge()
	<-w.end
}

func (w *writer) run() {
	defer close(w.end)
	for {
		n, closed := w.waiting()
		switch {
		case n == 0 && closed:
			return
		case n == 0:
			<-w.wake
			continue
		}
		w.linger()
		batch := w.take()
		start := time.Now()
		w.commit(batch)
		w.lastSize, w.lastTook = len(batch), time.Since(start)
	}
}

func (w *writer) waiting() (n int, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue), w.closed
}

// linger waits for company when the previous commit had some: until as many came
// as last time, and no longer than a quarter of a commit. A lone caller never waits.
func (w *writer) linger() {
	if w.lastSize < 2 {
		return
	}
	limit := time.NewTimer(min(w.lastTook/4, maxLinger))
	defer limit.Stop()
	for {
		if n, closed := w.waiting(); closed || n >= w.lastSize {
			return
		}
		select {
		case <-w.wake:
		case <-limit.C:
			return
		}
	}
}

// take gives the oldest requests, at least one, up to maxWeight.
func (w *writer) take() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, weight := 0, 0
	for n < len(w.queue) && (n == 0 || weight+w.queue[n].weight <= maxWeight) {
		weight += w.queue[n].weight
		n++
	}
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

// commit writes the batch and answers each member. A member that fails is taken
// out and the others run again without it, so that it harms nobody.
func (w *writer) commit(batch []*request) {
	batch = slices.DeleteFunc(batch, func(r *request) bool {
		if r.ctx == nil || r.ctx.Err() == nil {
			return false
		}
		r.done(gateway.Errorf(gateway.KindUnavailable, "the caller left before the request was stored: %w", r.ctx.Err()))
		return true
	})
	for len(batch) > 0 {
		errs, bad, err := w.try(batch)
		switch {
		case bad >= 0:
			batch[bad].done(err)
			batch = slices.Delete(batch, bad, bad+1)
		case err != nil && len(batch) > 1 && isFull(err):
			// A large member may not fit where a small one does.
			for i := range batch {
				w.commit(batch[i : i+1 : i+1])
			}
			return
		case err != nil:
			for _, r := range batch {
				r.done(err)
			}
			return
		default:
			for i, r := range batch {
				r.done(errs[i])
			}
			return
		}
	}
}

// errUntouched rolls back a commit in which no member wrote.
var errUntouched = errors.New("nothing to write")

// try runs the members in one transaction. bad is the member that failed, whose
// error err is, or -1. errs are the errors of members that failed without having
// written, when the others are committed.
func (w *writer) try(batch []*request) (errs []error, bad int, err error) {
	s := w.s
	var t *tx
	bad = -1
	err = s.guard(func() error {
		return s.db.Update(func(b *bbolt.Tx) error {
			t = s.newTx(b)
			var err error
			if errs, bad, err = t.run(batch); err != nil {
				return err
			}
			return t.flush()
		})
	})
	switch {
	case errors.Is(err, errUntouched):
		return errs, -1, nil
	case err != nil && bad < 0:
		return nil, -1, s.storageError(err)
	case err != nil:
		return nil, bad, err
	}
	s.stats.commits.Add(1)
	s.stats.requests.Add(uint64(len(batch)))
	if err := s.guard(s.measure); err != nil {
		s.log.Warn("size of the spool not known", "error", err) // what was committed stays so
	}
	t.publish()
	return errs, -1, nil
}

// run lets each member write, and stops at the first that fails after it may have
// written.
func (t *tx) run(batch []*request) (errs []error, bad int, err error) {
	errs = make([]error, len(batch))
	failed := 0
	for i, r := range batch {
		mark := len(t.hooks)
		err := r.fn(t)
		var clean *cleanError
		switch {
		case errors.As(err, &clean):
			errs[i], t.hooks = clean.err, t.hooks[:mark]
			failed++
		case err != nil:
			return nil, i, err
		}
	}
	if failed == len(batch) {
		return errs, -1, errUntouched
	}
	return errs, -1, nil
}

// cleanError is a refusal by a request that has written nothing: its neighbours
// need not run again.
type cleanError struct{ err error }

func (e *cleanError) Error() string { return e.err.Error() }
func (e *cleanError) Unwrap() error { return e.err }

// clean marks an error of a request that has not written anything yet.
func clean(err error) error { return &cleanError{err} }

// update runs fn in a group commit and returns after the sync. fn may run more
// than once, and must set what it captures anew each time.
func (s *Spool) update(ctx context.Context, fn func(*tx) error) error {
	return s.updateRows(ctx, 1, fn)
}

// updateRows is update for a request that writes about so many rows.
func (s *Spool) updateRows(ctx context.Context, rows int, fn func(*tx) error) error {
	answer := make(chan error, 1)
	s.w.submit(&request{ctx: ctx, fn: fn, done: func(err error) { answer <- err }, weight: rows})
	return <-answer
}

// isFull says that there was no room: nothing was written, and it can be tried
// again when there is.
func isFull(err error) bool {
	return errors.Is(err, berrors.ErrMaxSizeReached) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
