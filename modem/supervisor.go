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

// supervisor keeps the driver of one device running: starts it, waits after a failure,
// starts it again.
type supervisor struct {
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

func newSupervisor(b *Bank, d Device) *supervisor {
	return &supervisor{bank: b, dev: d, over: make(chan struct{})}
}

// overlaps says that both drive the same device or may report the same channel.
func (v *supervisor) overlaps(o *supervisor) bool {
	if v.dev.Key == o.dev.Key {
		return true
	}
	if v.dev.Provider != o.dev.Provider {
		return false
	}
	if v.dev.Ports == nil || o.dev.Ports == nil {
		return true // any port may be reported
	}
	for _, p := range v.dev.Ports {
		if slices.Contains(o.dev.Ports, p) {
			return true
		}
	}
	return false
}

// supervise runs the driver until ctx ends.
func (v *supervisor) supervise(ctx context.Context) {
	defer v.finish()
	if !v.awaitFormer(ctx) {
		return
	}
	b := v.bank
	for failures := 1; ; failures++ {
		steady, err := v.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if steady {
			failures = 1
		}
		wait := b.o.Backoff.wait(failures)
		b.o.Logger.Warn("driver ended", slog.String("provider", v.dev.Provider), slog.String("device", v.dev.Key),
			slog.Any("error", err), slog.Int("failures", failures), slog.Duration("again_in", wait))
		if !sleep(ctx, wait) {
			return
		}
	}
}

// finish ends the supervisor; the last call that returns tells those who wait for it.
func (v *supervisor) finish() {
	b := v.bank
	b.mu.Lock()
	v.ended = true
	v.settle()
	b.mu.Unlock()
}

// settle lets go of the device once nothing of the driver runs. bank.mu is held.
func (v *supervisor) settle() {
	if v.calls > 0 {
		return
	}
	if v.idle != nil {
		close(v.idle)
		v.idle = nil
	}
	if v.ended {
		delete(v.bank.leaving, v)
		close(v.over)
	}
}

// awaitFormer waits until no other driver holds the device. It is false when ctx
// ended first.
func (v *supervisor) awaitFormer(ctx context.Context) bool {
	b := v.bank
	for {
		b.mu.Lock()
		o := b.former(v)
		if o != nil {
			b.absent(v, reasonFormer)
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
func (v *supervisor) once(ctx context.Context) (steady bool, err error) {
	b := v.bank
	d, err := v.make()
	if err != nil {
		b.mu.Lock()
		b.absent(v, errorText(err))
		b.mu.Unlock()
		b.tell()
		return false, err
	}
	s := &session{supervisor: v}
	b.mu.Lock()
	v.session = s
	idle := v.enter()
	b.mu.Unlock()

	grace, cancel := afterGrace(ctx, b.o.Grace)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		err := v.protect("run", func() error { return d.Run(ctx, s) })
		v.leave()
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
	steady = v.close(s, err)
	if !v.drain(grace, idle) {
		b.o.Logger.Error("driver left behind: it does not stop", slog.String("provider", v.dev.Provider), slog.String("device", v.dev.Key))
	}
	return steady, err
}

// make gives the supervisor's driver, made when there is none.
func (v *supervisor) make() (d Driver, err error) {
	v.bank.mu.Lock()
	d = v.driver
	v.bank.mu.Unlock()
	if d != nil {
		return d, nil
	}
	var limits Limits
	err = v.protect("make", func() (err error) {
		if d, err = v.dev.New(); err == nil && d == nil {
			return gateway.Errorf(gateway.KindInternal, "no driver was made for %q", v.dev.Key)
		}
		if err == nil {
			limits = d.Limits()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	v.bank.mu.Lock()
	v.driver, v.limits = d, limits
	v.bank.mu.Unlock()
	return d, nil
}

// close ends a session: its channels become absent, with the reason, and what the
// driver still reports is ignored.
func (v *supervisor) close(s *session, err error) (steady bool) {
	b := v.bank
	b.mu.Lock()
	steady = s.steadySince(time.Now(), b.o.Backoff.Steady)
	s.over = true
	v.session = nil
	if errors.Is(err, errPanic) {
		v.driver = nil // it may hold locks for ever: the next Run gets a new one
	}
	b.absent(v, errorText(err))
	b.mu.Unlock()
	b.tell()
	return steady
}

// drain waits until no call into the driver goes on: a driver is not started
// again while a send of its former run is out. It is false when grace ended and a
// call is left behind.
func (v *supervisor) drain(grace context.Context, idle <-chan struct{}) bool {
	select {
	case <-idle:
		return true
	default:
	}
	b := v.bank
	b.mu.Lock()
	b.absent(v, reasonFormer)
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
func (v *supervisor) enter() <-chan struct{} {
	v.calls++
	if v.idle == nil {
		v.idle = make(chan struct{})
	}
	return v.idle
}

// leave undoes enter.
func (v *supervisor) leave() {
	v.bank.mu.Lock()
	v.calls--
	v.settle()
	v.bank.mu.Unlock()
}

// errPanic is the cause of an error that was a panic.
var errPanic = errors.New("panic")

// protect turns a panic in the driver into an error and its stack into a log line.
func (v *supervisor) protect(what string, f func() error) (err error) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		v.bank.o.Logger.Error("driver panicked", slog.String("provider", v.dev.Provider), slog.String("device", v.dev.Key),
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
