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
func (l *lane) house(ctx context.Context) error {
	every := l.o.Every
	poll, sweep, verify := time.NewTicker(every.Poll), time.NewTicker(every.Sweep), time.NewTicker(every.Verify)
	defer poll.Stop()
	defer sweep.Stop()
	defer verify.Stop()
	l.nudge(func(*chores) {}) // something may wait since the start
	for {
		var due chores
		var soon <-chan time.Time
		if !l.ready.Load() { // the network went: not every modem tells when it is back
			soon = time.After(every.Network)
		}
		select {
		case <-soon:
			due.poll = true
		case <-l.wake:
		case <-poll.C:
			if err := l.glance(ctx); err != nil {
				return err
			}
		case <-sweep.C:
			due.sweep = true
		case <-verify.C:
			due.verify = true
		case <-ctx.Done():
			return ctx.Err()
		case <-l.s.Done():
			return l.s.Cause()
		}
		for c := l.merge(due); c.any(); c = l.chores() {
			if err := l.do(ctx, c); err != nil {
				return err
			}
		}
	}
}

func (l *lane) merge(due chores) chores {
	c := l.chores()
	c.poll = c.poll || due.poll
	c.sweep = c.sweep || due.sweep
	c.verify = c.verify || due.verify
	return c
}

// do does what was left, the most urgent first.
func (l *lane) do(ctx context.Context, c chores) error {
	if c.restart {
		return errAgain
	}
	if c.poll {
		if err := l.inspect(ctx); err != nil {
			return err
		}
	}
	for _, p := range c.arrived {
		if err := l.fetch(ctx, p); err != nil {
			return err
		}
	}
	if c.verify {
		if err := l.verify(ctx); err != nil {
			return err
		}
	}
	if c.sweep {
		if err := l.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// glance is the regular poll. While messages go out, the network is there: the
// signal is all that is asked for then.
func (l *lane) glance(ctx context.Context) error {
	if time.Since(time.Unix(0, l.sent.Load())) < l.o.Every.Poll {
		return l.signal(ctx)
	}
	if err := l.inspect(ctx); err != nil {
		return err
	}
	if err := l.look(ctx); err != nil {
		return err
	}
	return l.fill(ctx)
}

// inspect looks at SIM and network, and takes the channel out of use where one of
// them is gone.
func (l *lane) inspect(ctx context.Context) error {
	if err := l.sameSIM(ctx); err != nil {
		return err
	}
	reg, err := l.registration(ctx)
	if err != nil {
		return err
	}
	l.set(func(c *gateway.Channel) {
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
func (l *lane) verify(ctx context.Context) error {
	if l.cnmi == "" {
		return nil
	}
	lines, err := l.s.Query(ctx, "+CNMI?", "+CNMI")
	if err := optional(err); err != nil {
		return err
	}
	if len(lines) > 0 && sameNumbers(lines[0], l.cnmi) {
		return nil
	}
	l.log.Warn("the modem forgot its settings: they are set again", slog.Any("cnmi", lines))
	l.linked.Store(false)
	if err := l.setUp(ctx); err != nil {
		return err
	}
	return l.sweep(ctx)
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
func (l *lane) reset(ctx context.Context) error {
	if l.sending.Load() > 0 {
		return &gateway.Error{Kind: gateway.KindConflict, Text: "a message is on its way through this modem: it is not restarted before its outcome is known"}
	}
	l.state(gateway.ChannelStarting, "being restarted")
	_, err := l.s.Command(ctx, "+CFUN=1,1")
	if r := at.RefusalOf(err); r != nil {
		l.nudge(func(c *chores) { c.poll = true })
		return r.Reason
	}
	if l.s.Cause() != nil {
		return nil // it went at once: that is a restart
	}
	l.s.CloseWith(errors.New("restarted as asked"))
	return reasonOf(err)
}
