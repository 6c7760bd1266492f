package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// release gives back one thing that New acquired.
type release struct {
	name  string
	bound time.Duration
	fn    func(context.Context) error
}

// stack is what was acquired, in order. It is owned by whoever calls New, Run
// and Stop, one after the other.
type stack struct {
	log      *slog.Logger
	releases []release
}

// push registers the release of what was just acquired. It may take bound, then
// it is left behind and the walk goes on.
func (s *stack) push(name string, bound time.Duration, fn func(context.Context) error) {
	s.releases = append(s.releases, release{name, bound, fn})
}

// unwind walks the releases backwards, once. When ctx ends, the bounds of all but
// the last - the spool - shrink to nothing: a second signal goes straight there.
func (s *stack) unwind(ctx context.Context) error {
	var errs []error
	for i := len(s.releases) - 1; i >= 0; i-- {
		r := s.releases[i]
		from := ctx
		if i == 0 {
			from = context.WithoutCancel(ctx) // the spool is always closed
		}
		if err := s.run(from, r); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", r.name, err))
		}
	}
	s.releases = nil
	return errors.Join(errs...)
}

func (s *stack) run(ctx context.Context, r release) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.bound, fmt.Errorf("not done within %s", r.bound))
	defer cancel()
	began := time.Now()
	done := make(chan error, 1)
	go func() { done <- r.fn(ctx) }()
	select {
	case err := <-done:
		s.log.Debug("stopped", "part", r.name, "took", time.Since(began).Round(time.Millisecond))
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
