package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// actor is one named part of the daemon that runs until it is told to stop.
type actor struct {
	name   string
	run    func(context.Context) error
	cancel context.CancelFunc // nil before start
	done   chan struct{}      // closed when run returned
	err    error              // why it returned; valid once done is closed
}

// start runs the actor; ended hears of it when it returns.
func (a *actor) start(ended chan<- *actor) {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	go func() {
		defer func() {
			close(a.done)
			ended <- a
		}()
		a.err = guard(ctx, a.run)
	}()
}

// stop tells the actor to end and waits for it. An actor that never started has
// nothing to stop.
func (a *actor) stop(ctx context.Context) error {
	if a.cancel == nil {
		return nil
	}
	a.cancel()
	select {
	case <-a.done:
		if errors.Is(a.err, context.Canceled) {
			return nil
		}
		return a.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// guard turns a panic into an error, so that the others are stopped in order.
func guard(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(ctx)
}
