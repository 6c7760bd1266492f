package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// endedBy is the end of a run by a signal: there is nothing to say about it, and
// the exit code is the shell's, 128 and the signal's number.
type endedBy struct{ signal syscall.Signal }

func (e endedBy) Error() string { return "ended by the signal " + e.signal.String() }

// Is makes it an ordinary end of a context.
func (e endedBy) Is(target error) bool { return target == context.Canceled }

// endOf gives the signal that ended a context; false when none did.
func endOf(ctx context.Context) (endedBy, bool) {
	var by endedBy
	return by, errors.As(context.Cause(ctx), &by)
}

// untilSignal gives a context that ends at the first of these signals, which is its
// cause. Later ones are kept from ending the process until stop is called.
func untilSignal(parent context.Context, signals ...os.Signal) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	got := make(chan os.Signal, 1)
	signal.Notify(got, signals...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-got:
			if s, ok := s.(syscall.Signal); ok {
				cancel(endedBy{s})
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(got)
		cancel(nil)
		<-done
	}
}

// whileRead gives a context that ends when nobody reads the output any more, and
// the output that notices it. Without it the process would die where it stands, at
// SIGPIPE, and leave behind what it made. A terminal is given back as it is.
func whileRead(parent context.Context, out io.Writer) (ctx context.Context, w io.Writer, stop func()) {
	if isTerminal(out) {
		return parent, out, func() {}
	}
	ctx, cancel := context.WithCancelCause(parent)
	pipes := make(chan os.Signal, 1) // nobody need read it: that it is asked for makes a write fail instead
	signal.Notify(pipes, syscall.SIGPIPE)
	return ctx, &readOut{out, cancel}, func() {
		signal.Stop(pipes)
		cancel(nil)
	}
}

// readOut ends a run when a write finds its reader gone.
type readOut struct {
	w   io.Writer
	end context.CancelCauseFunc
}

func (r *readOut) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		r.end(endedBy{syscall.SIGPIPE})
	}
	return n, err
}
