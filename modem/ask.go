package modem

import (
	"context"
	"errors"
	"strings"

	"fieldpost/gateway"
)

// USSD runs a USSD dialogue on a channel and gives the network's last text. code is a
// request such as *100#, and behind it, each after a comma, what to answer to the menus
// that the network opens: *100#,2,1. A driver that cannot is invalid, an unknown channel
// not_found.
func (b *Bank) USSD(ctx context.Context, id, code string) (text string, err error) {
	codes := strings.Split(code, ",")
	err = b.ask(id, "USSD", func(d Driver, port int) error {
		if x, ok := d.(Dialoguer); ok {
			text, err = x.Dialogue(ctx, port, codes)
			return err
		}
		u, ok := d.(USSDer)
		switch {
		case !ok:
			return cannot("USSD")
		case len(codes) > 1:
			return cannot("answer the network's menus")
		}
		text, err = u.USSD(ctx, port, code)
		return err
	})
	return text, err
}

// Reset restarts a channel at its device and, when that went well, ends its rest:
// a person asked for it. A driver that cannot is invalid.
func (b *Bank) Reset(ctx context.Context, id string) error {
	err := b.ask(id, "reset", func(d Driver, port int) error {
		r, ok := d.(Resetter)
		if !ok {
			return cannot("reset a port")
		}
		return r.Reset(ctx, port)
	})
	if err == nil {
		b.Rest(id, 0, "")
	}
	return err
}

// Reconcile asks the channel's device what became of a submission: see
// Reconciler. A device that cannot be asked is unknown_outcome too, so that any other
// error is its word that nothing went out.
func (b *Bank) Reconcile(ctx context.Context, id string, q Question) (r Receipt, err error) {
	told := false
	err = b.ask(id, "reconcile", func(d Driver, port int) error {
		rec, ok := d.(Reconciler)
		if !ok {
			return cannot("say what became of a message")
		}
		r, err = rec.Reconcile(ctx, port, q)
		told = err != nil
		return err
	})
	if err != nil && !told {
		err = &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: errorText(err), Err: err}
	}
	if err = sendError(err); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// ask calls an ability of a channel's driver. Unlike a send it may run beside
// others: the driver orders them.
func (b *Bank) ask(id, what string, f func(d Driver, port int) error) error {
	b.mu.Lock()
	s := b.slots[id]
	if s == nil {
		b.mu.Unlock()
		return noChannel(id)
	}
	v, d, port := s.supervisor, s.supervisor.driver, s.told.Port
	if d == nil || v.session == nil {
		b.mu.Unlock()
		return gateway.Errorf(gateway.KindUnavailable, "channel %q is %s: %s", id, s.view.State, s.view.Reason)
	}
	v.enter()
	b.mu.Unlock()
	defer v.leave()
	return asked(v.protect(what, func() error { return f(d, port) }))
}

// asked holds an ability to the contract: an error that says nothing is for now.
func asked(err error) error {
	var e *gateway.Error
	if err != nil && !errors.As(err, &e) {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: err.Error(), Err: err}
	}
	return err
}

func cannot(what string) error {
	return gateway.Errorf(gateway.KindInvalid, "this driver cannot %s", what)
}
