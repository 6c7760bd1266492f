package modem

import (
	"context"
	"errors"
	"time"

	"fieldpost/gateway"
)

// defaultSend bounds a send of a driver that states no limit.
const defaultSend = 2 * time.Minute

// Send hands one submission to a channel and waits for its outcome: the
// Receipt, or a *gateway.Error of a kind of the driver contract. A channel that is
// not ready refuses as unavailable: nothing went out. An error that says nothing, a
// panic, and a driver that does not return within its own limit are
// unknown_outcome. Two sends at a time on one channel are a fault of the caller:
// internal, and nothing of the second went out.
func (b *Bank) Send(ctx context.Context, id string, s Submission) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return Receipt{}, &gateway.Error{Kind: gateway.KindUnavailable, Text: "the send was given up before it began", Err: err}
	}
	c, err := b.begin(id)
	if err != nil {
		return Receipt{}, err
	}
	result := make(chan sent, 1) // never blocks the driver's goroutine, even when nobody reads
	go func() {
		var r sent
		r.err = c.supervisor.protect("send", func() (err error) {
			r.receipt, err = c.driver.Send(ctx, c.port, s)
			return err
		})
		b.returned(c)
		result <- r
	}()
	r, ok := b.outcome(ctx, c, result)
	if !ok {
		r.err = gateway.Errorf(gateway.KindUnknownOutcome, "the driver did not return in time")
	}
	if r.err = sendError(r.err); r.err != nil {
		r.receipt = Receipt{}
	}
	b.mu.Lock()
	c.slot.judge(b.o.Now().UTC(), r.err)
	b.mu.Unlock()
	return r.receipt, r.err
}

// call is one send that is out.
type call struct {
	supervisor *supervisor
	slot       *slot
	driver     Driver
	port       int
	limit      time.Duration // the driver's own
}

type sent struct {
	receipt Receipt
	err     error
}

// begin takes the channel for one send.
func (b *Bank) begin(id string) (call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[id]
	switch {
	case s == nil:
		return call{}, gateway.Errorf(gateway.KindUnavailable, "there is no channel %q", id)
	case s.sending:
		return call{}, gateway.Errorf(gateway.KindInternal, "two sends at a time on channel %q", id)
	case s.view.State != gateway.ChannelReady || s.supervisor.driver == nil:
		return call{}, notReady(s.view, b.o.Now())
	}
	s.sending = true
	s.supervisor.enter()
	return call{supervisor: s.supervisor, slot: s, driver: s.supervisor.driver, port: s.told.Port, limit: s.supervisor.limits.Send}, nil
}

// notReady says why a channel takes nothing, and when it may again.
func notReady(c gateway.Channel, now time.Time) error {
	e := gateway.Errorf(gateway.KindUnavailable, "channel %q is %s: %s", c.ID, c.State, c.Reason)
	if !c.Until.IsZero() {
		e.Retry = max(0, c.Until.Sub(now))
	}
	return e
}

// returned gives the channel back once the driver let go of it.
func (b *Bank) returned(c call) {
	b.mu.Lock()
	c.slot.sending = false
	if c.slot.stuck {
		c.slot.stuck = false
		b.refresh(c.slot)
	}
	b.mu.Unlock()
	c.supervisor.leave()
	b.tell()
}

// outcome waits for the driver: for its own limit and Grace, or for Grace after
// ctx ended. It is false when the driver overstayed; the channel then is at fault
// until it returns.
func (b *Bank) outcome(ctx context.Context, c call, result <-chan sent) (sent, bool) {
	limit := c.limit
	if limit <= 0 {
		limit = defaultSend
	}
	t := time.NewTimer(limit + b.o.Grace)
	defer t.Stop()
	select {
	case r := <-result:
		return r, true
	case <-t.C:
	case <-ctx.Done():
		t.Reset(b.o.Grace)
		select {
		case r := <-result:
			return r, true
		case <-t.C:
		}
	}
	b.mu.Lock()
	if c.slot.sending {
		c.slot.sending, c.slot.stuck = false, true
		b.refresh(c.slot)
	}
	b.mu.Unlock()
	b.tell()
	return sent{}, false
}

// sendError holds the driver to the contract: whatever does not say that nothing
// went out may have gone out.
func sendError(err error) error {
	if err == nil {
		return nil
	}
	var e *gateway.Error
	if !errors.As(err, &e) {
		return &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: err.Error(), Err: err}
	}
	if e.Kind == gateway.KindInternal || e.Kind == gateway.KindNone {
		return &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: e.Text, Code: e.Code, Err: err}
	}
	return err
}

// Limits gives what the channel's device takes, and whether its driver is there.
func (b *Bank) Limits(id string) (Limits, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[id]
	if s == nil || s.supervisor.driver == nil {
		return Limits{}, false
	}
	return s.supervisor.limits, true
}
