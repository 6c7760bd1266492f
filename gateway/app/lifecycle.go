package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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

// errHurry ends a walk that was told not to wait any more.
var errHurry = errors.New("stopped in a hurry")

// unwind walks the releases backwards, once, within stopTime. When ctx ends - a
// second signal - or when that time is nearly over, the others are told to end and
// not waited for, all but the last: the spool is always closed.
func (s *stack) unwind(ctx context.Context) error {
	all := s.releases
	s.releases = nil
	hurry := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, stopTime-spoolTime, errors.New("no time is left"))
	defer cancel()
	var errs []error
	var left []string
	for i, r := range slices.Backward(all) {
		from := ctx
		if i == 0 {
			from = context.WithoutCancel(ctx)
		}
		switch err := s.run(from, r); {
		case err != nil && from.Err() != nil && hurry.Err() != nil:
			left = append(left, r.name)
		case err != nil:
			errs = append(errs, fmt.Errorf("stop %s: %w", r.name, err))
		}
	}
	if len(left) > 0 {
		errs = append(errs, fmt.Errorf("%w: %s: not waited for", errHurry, strings.Join(left, ", ")))
	}
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
