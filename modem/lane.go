package modem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"fieldpost/gateway"
)

const (
	reasonNotReported = "its driver has not reported it yet"
	reasonFormer      = "waits until the former driver of this device has returned"
)

// lane supervises the driver of one device: starts it, waits after a failure,
// starts it again.
type lane struct {
	bank *Bank  // set once
	dev  Device // set once

	// under bank.mu
	cancel  context.CancelFunc
	started bool // supervise was started
	retired bool // no longer desired
	driver  Driver
	limits  Limits        // of driver: asked once, when it is made
	session *session      // of the Run that goes on; nil between two
	calls   int           // calls into the driver that have not returned, Run included
	idle    chan struct{} // closed when calls comes to 0; nil while it is 0
	over    chan struct{} // closed when the supervisor ended and calls is 0
	ended   bool          // the supervisor ended
}

func newLane(b *Bank, d Device) *lane {
	return &lane{bank: b, dev: d, over: make(chan struct{})}
}

// overlaps says that both drive the same device or may report the same channel.
func (l *lane) overlaps(o *lane) bool {
	if l.dev.Key == o.dev.Key {
		return true
	}
	if l.dev.Provider != o.dev.Provider {
		return false
	}
	if l.dev.Ports == nil || o.dev.Ports == nil {
		return true // any port may be reported
	}
	for _, p := range l.dev.Ports {
		if slices.Contains(o.dev.Ports, p) {
			return true
		}
	}
	return false
}

// supervise runs the driver until ctx ends.
func (l *lane) supervise(ctx context.Context) {
	defer l.finish()
	if !l.awaitFormer(ctx) {
		return
	}
	b := l.bank
	for failures := 1; ; failures++ {
		steady, err := l.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if steady {
			failures = 1
		}
		wait := b.o.Backoff.wait(failures)
		b.o.Logger.Warn("driver ended", slog.String("provider", l.dev.Provider), slog.String("device", l.dev.Key),
			slog.Any("error", err), slog.Int("failures", failures), slog.Duration("again_in", wait))
		if !sleep(ctx, wait) {
			return
		}
	}
}

// finish ends the lane; the last call that returns tells those who wait for it.
func (l *lane) finish() {
	b := l.bank
	b.mu.Lock()
	l.ended = true
	l.settle()
	b.mu.Unlock()
}

// settle lets go of the device once nothing of the driver runs. bank.mu is held.
func (l *lane) settle() {
	if l.calls > 0 {
		return
	}
	if l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
	if l.ended {
		delete(l.bank.leaving, l)
		close(l.over)
	}
}

// awaitFormer waits until no other driver holds the device. It is false when ctx
// ended first.
func (l *lane) awaitFormer(ctx context.Context) bool {
	b := l.bank
	for {
		b.mu.Lock()
		o := b.former(l)
		if o != nil {
			b.absent(l, reasonFormer)
		}
		b.mu.Unlock()
		b.tell()
		if o == nil {
			return ctx.Err() == nil
		}
		select {
		case <-o.over:
		case <-ctx.Done():
			return false
		}
	}
}

// once runs the driver one time and waits until nothing of it runs any more. It
// says whether the run had a ready channel long enough for former failures to be
// forgotten, and why it ended. When ctx ended, it waits for Grace at most.
func (l *lane) once(ctx context.Context) (steady bool, err error) {
	b := l.bank
	d, err := l.make()
	if err != nil {
		b.mu.Lock()
		b.absent(l, errorText(err))
		b.mu.Unlock()
		b.tell()
		return false, err
	}
	s := &session{lane: l}
	b.mu.Lock()
	l.session = s
	idle := l.enter()
	b.mu.Unlock()

	grace, cancel := afterGrace(ctx, b.o.Grace)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		err := l.protect("run", func() error { return d.Run(ctx, s) })
		l.leave()
		result <- err
	}()
	select {
	case err = <-result:
	case <-grace.Done():
		err = gateway.Errorf(gateway.KindUnavailable, "the driver was told to stop and has not returned")
	}
	switch {
	case err == nil && ctx.Err() != nil:
		err = gateway.Errorf(gateway.KindUnavailable, "it was told to stop")
	case err == nil:
		err = gateway.Errorf(gateway.KindInternal, "the driver ended without an error")
	}
	steady = l.close(s, err)
	if !l.drain(grace, idle) {
		b.o.Logger.Error("driver left behind: it does not stop", slog.String("provider", l.dev.Provider), slog.String("device", l.dev.Key))
	}
	return steady, err
}

// make gives the lane's driver, made when there is none.
func (l *lane) make() (d Driver, err error) {
	l.bank.mu.Lock()
	d = l.driver
	l.bank.mu.Unlock()
	if d != nil {
		return d, nil
	}
	var limits Limits
	err = l.protect("make", func() (err error) {
		if d, err = l.dev.New(); err == nil && d == nil {
			return gateway.Errorf(gateway.KindInternal, "no driver was made for %q", l.dev.Key)
		}
		if err == nil {
			limits = d.Limits()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.bank.mu.Lock()
	l.driver, l.limits = d, limits
	l.bank.mu.Unlock()
	return d, nil
}

// close ends a session: its channels become absent, with the reason, and what the
// driver still reports is ignored.
func (l *lane) close(s *session, err error) (steady bool) {
	b := l.bank
	b.mu.Lock()
	steady = s.steadySince(time.Now(), b.o.Backoff.Steady)
	s.over = true
	l.session = nil
	if errors.Is(err, errPanic) {
		l.driver = nil // it may hold locks for ever: the next Run gets a new one
	}
	b.absent(l, errorText(err))
	b.mu.Unlock()
	b.tell()
	return steady
}

// drain waits until no call into the driver goes on: a driver is not started
// again while a send of its former run is out. It is false when grace ended and a
// call is left behind.
func (l *lane) drain(grace context.Context, idle <-chan struct{}) bool {
	select {
	case <-idle:
		return true
	default:
	}
	b := l.bank
	b.mu.Lock()
	b.absent(l, reasonFormer)
	b.mu.Unlock()
	b.tell()
	select {
	case <-idle:
		return true
	case <-grace.Done():
		return false
	}
}

// enter counts a call into the driver; the channel is closed when none is left.
// bank.mu is held.
func (l *lane) enter() <-chan struct{} {
	l.calls++
	if l.idle == nil {
		l.idle = make(chan struct{})
	}
	return l.idle
}

// leave undoes enter.
func (l *lane) leave() {
	l.bank.mu.Lock()
	l.calls--
	l.settle()
	l.bank.mu.Unlock()
}

// errPanic is the cause of an error that was a panic.
var errPanic = errors.New("panic")

// protect turns a panic in the driver into an error and its stack into a log line.
func (l *lane) protect(what string, f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		l.bank.o.Logger.Error("driver panicked", slog.String("provider", l.dev.Provider), slog.String("device", l.dev.Key),
			slog.String("call", what), slog.String("panic", fmt.Sprint(r)), slog.String("stack", string(debug.Stack())))
		err = &gateway.Error{Kind: gateway.KindInternal, Text: fmt.Sprintf("the driver panicked in %s: %v", what, r), Err: errPanic}
	}()
	return f()
}

// afterGrace gives a context that ends d after ctx does.
func afterGrace(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	g, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		sleep(g, d)
		cancel()
	})
	return g, func() {
		stop()
		cancel()
	}
}

// sleep waits; it is false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
