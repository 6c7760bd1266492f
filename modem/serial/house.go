package serial

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// house keeps the modem in order while it sends, until it is lost, silent, or has
// started again. Each command waits for its turn behind the sends.
func (r *run) house(ctx context.Context) error {
	every := r.o.Every
	poll, sweep := time.NewTicker(every.Poll), time.NewTicker(every.Sweep)
	verify, clock := time.NewTicker(every.Verify), time.NewTicker(every.Clock)
	defer poll.Stop()
	defer sweep.Stop()
	defer verify.Stop()
	defer clock.Stop()
	r.nudge(func(*chores) {}) // something may wait since the start
	for {
		var due chores
		var soon <-chan time.Time
		if !r.ready.Load() { // the network went: not every modem tells when it is back
			soon = time.After(every.Network)
		}
		select {
		case <-soon:
			due.poll = true
		case <-r.wake:
		case <-poll.C:
			if err := r.glance(ctx); err != nil {
				return err
			}
		case <-sweep.C:
			due.sweep = true
		case <-verify.C:
			due.verify = true
		case <-clock.C:
			due.clock = true
		case <-ctx.Done():
			return ctx.Err()
		case <-r.s.Done():
			return r.s.Cause()
		}
		for c := r.merge(due); c.any(); c = r.chores() {
			if err := r.do(ctx, c); err != nil {
				return err
			}
		}
	}
}

func (r *run) merge(due chores) chores {
	c := r.chores()
	c.poll = c.poll || due.poll
	c.sweep = c.sweep || due.sweep
	c.verify = c.verify || due.verify
	c.clock = c.clock || due.clock
	return c
}

// do does what was left, the most urgent first.
func (r *run) do(ctx context.Context, c chores) error {
	if c.restart {
		return errAgain
	}
	if c.radio != "" {
		return r.cycle(ctx, c.radio)
	}
	if c.poll {
		if err := r.inspect(ctx); err != nil {
			return err
		}
	}
	for _, p := range c.arrived {
		if err := r.fetch(ctx, p); err != nil {
			return err
		}
	}
	if c.verify {
		if err := r.verify(ctx); err != nil {
			return err
		}
	}
	if c.sweep {
		if err := r.sweep(ctx); err != nil {
			return err
		}
	}
	if c.clock {
		return r.askTime(ctx)
	}
	return nil
}

// glance is the regular poll. While messages go out, the network is there: the
// signal is all that is asked for then.
func (r *run) glance(ctx context.Context) error {
	if time.Since(time.Unix(0, r.sent.Load())) < r.o.Every.Poll {
		return r.signal(ctx)
	}
	if err := r.inspect(ctx); err != nil {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	return r.fill(ctx)
}

// inspect looks at SIM and network, and takes the channel out of use where one of
// them is gone.
func (r *run) inspect(ctx context.Context) error {
	if err := r.sameSIM(ctx); err != nil {
		return err
	}
	reg, err := r.registration(ctx)
	if err != nil {
		return err
	}
	if err := r.onAir(ctx, reg); err != nil {
		return err
	}
	r.set(func(c *gateway.Channel) {
		c.Registration = reg
		switch {
		case reg.Usable():
			c.State = gateway.ChannelReady
		case c.State == gateway.ChannelReady:
			c.State, c.Reason = gateway.ChannelStarting, regReason(reg)
		default:
			c.Reason = regReason(reg)
		}
	})
	return nil
}

// verify asks whether the modem still announces messages: a failed acknowledgement, a
// restart or another program switches that off in silence (G4).
func (r *run) verify(ctx context.Context) error {
	if r.cnmi == "" {
		return nil
	}
	lines, err := r.s.Query(ctx, "+CNMI?", "+CNMI")
	if err := optional(err); err != nil {
		return err
	}
	if len(lines) > 0 && sameNumbers(lines[0], r.cnmi) {
		return nil
	}
	r.log.Warn("the modem forgot its settings: they are set again", slog.Any("cnmi", lines))
	r.linked.Store(false)
	if err := r.setUp(ctx); err != nil {
		return err
	}
	return r.sweep(ctx)
}

// sameNumbers compares lists such as 2,1,0,1,0, blanks apart.
func sameNumbers(a, b string) bool {
	for i := range 4 { // <bfr> is often not kept
		if stat(a, i) != stat(b, i) {
			return false
		}
	}
	return true
}

// reset restarts the modem at a person's wish.
func (r *run) reset(ctx context.Context) error {
	if r.sending.Load() > 0 {
		return &gateway.Error{Kind: gateway.KindConflict, Text: "a message is on its way through this modem: it is not restarted before its outcome is known"}
	}
	r.state(gateway.ChannelStarting, "being restarted")
	_, err := r.s.Command(ctx, "+CFUN=1,1")
	if refusal := at.RefusalOf(err); refusal != nil {
		r.nudge(func(c *chores) { c.poll = true })
		return refusal.Reason
	}
	if r.s.Cause() != nil {
		return nil // it went at once: that is a restart
	}
	r.s.CloseWith(errors.New("restarted as asked"))
	return reasonOf(err)
}
