package dialer

import (
	"errors"
	"log/slog"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// finished takes in the end of a send.
func (d *Dialer) finished(s *slot, r modem.Receipt, err error) {
	f := s.flying
	s.flying = nil
	s.hasOutcome = true
	s.outcome[0] = spool.Outcome{IDM: f.m.IDM, Segment: f.segment, At: d.now}
	if err != nil {
		d.failed(s, f, err)
		return
	}
	o := &s.outcome[0]
	o.Queued, o.MR, o.HasMR, o.Ref = r.Queued, r.MR, r.HasMR, r.Ref
	s.faults, f.sim.refusals = 0, 0
	f.mark(gateway.StatusSubmitted)
	next := f.following()
	if next > 0 && d.continues(s, f) {
		f.segment = next
		d.openStep(s, f)
		return
	}
	// With segments left, the row is in the queue again: they follow on this SIM.
	f.again, f.retryAt = next > 0, d.now
	d.close(s, f)
}

// continues says that the next segment of a message follows at once. A lane that
// was stopped, and a SIM that was held, finish the message that they began: half of
// one costs what it costs, and says nothing. A dialer that drains does not.
func (d *Dialer) continues(s *slot, f *flight) bool {
	if d.draining || !s.ready() || s.sim.key != f.sim.key || d.store.holds(d) {
		return false
	}
	return d.room(s, f.lane.def.limits(s.sim.key), 1, f.m.To)
}

// failed judges a send that was not accepted by the retry table.
func (d *Dialer) failed(s *slot, f *flight, err error) {
	o := &s.outcome[0]
	var hint time.Duration
	var e *gateway.Error
	if errors.As(err, &e) {
		o.Code, hint = e.Code, e.Retry
	}
	o.Kind, o.Text = gateway.KindOf(err), reason(err)
	rule := ruleFor(o.Kind)
	if rule.sent {
		o.Kind = gateway.KindUnknownOutcome                             // whatever a driver called it
		f.again, f.retryAt = f.m.Policy == gateway.UnknownResend, d.now // the store says when
	} else {
		f.refund()
	}
	d.restAfter(s, f, &rule, hint, reason(err))
	wait, ok := rule.again(int(f.attempt), d.o.Attempts)
	if d.sends.Err() != nil && len(rule.waits) > 0 {
		ok = true // we ended the try ourselves: it is not the last
	}
	if ok {
		if begun(&f.m) || f.m.Source != "" {
			wait = max(wait, hint, rule.rest) // no other channel may take it
		}
		f.again, f.retryAt = true, d.now.Add(wait)
		o.Retry = f.retryAt
	}
	d.o.Logger.Info("send not accepted", slog.Uint64("message", f.m.IDM), slog.String("to", f.m.To.Masked()),
		slog.String("channel", s.id), slog.String("kind", o.Kind.String()), slog.String("code", o.Code),
		slog.Int("attempt", int(f.attempt)), slog.Bool("again", f.again))
	d.close(s, f)
}

// close ends a flight: its outcome goes to disk with the slot's next intent, or
// alone at the end of the turn.
func (d *Dialer) close(s *slot, f *flight) {
	s.closing, s.state = f, slotDone
	d.moved = d.moved || d.waiting(s)
}

// restAfter counts a failure and lets a channel rest when it is due: a fault is the
// channel's, a refusal by the network its SIM's. A refusal is an answer, so the
// channel works; a fault says nothing of the SIM.
func (d *Dialer) restAfter(s *slot, f *flight, r *rule, hint time.Duration, why string) {
	if !r.fault {
		s.faults = 0
		d.refusedBy(f.sim, r, hint, why)
		return
	}
	s.faults++
	if rest := r.restFor(s.faults, hint); rest > 0 {
		d.rest(s, rest, why)
	}
}

// rest takes a slot out of use; the bank hears of it after the turn.
func (d *Dialer) rest(s *slot, t time.Duration, why string) {
	s.resting = true
	d.rests = append(d.rests, rest{s.id, t, why})
	d.o.Logger.Warn("channel rests", slog.String("channel", s.id), slog.Duration("for", t),
		slog.Int("faults", s.faults), slog.Int("refusals", s.sim.refusals), slog.String("why", why))
}

// reason gives an error in words that a person may read, without the field.
func reason(err error) string {
	var e *gateway.Error
	if errors.As(err, &e) && e.Text != "" {
		return e.Text
	}
	return err.Error()
}
