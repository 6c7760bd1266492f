package spool

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
)

// Step commits one turn of the dialer: outcomes, then drops, then intents. It
// returns at once; done is called after the sync, from the writer's goroutine, and must
// not block. Steps of many channels share a commit.
//
// An outcome without an open intent, and a drop of a row that is not waiting or may
// be at a device, change nothing: a late word never undoes what is on record.
func (s *Spool) Step(st Step, done func(Stepped)) {
	for i := range st.Drops {
		if err := checkDrop(&st.Drops[i]); err != nil {
			done(Stepped{Err: err})
			return
		}
	}
	var gone []uint64
	weight := len(st.Outcomes) + len(st.Drops) + len(st.Intents)
	s.w.submit(&request{
		weight: weight,
		fn: func(t *tx) error {
			gone = nil
			for i := range st.Outcomes {
				if err := t.outcome(&st.Outcomes[i]); err != nil {
					return err
				}
			}
			for i := range st.Drops {
				if err := t.skipDamaged(t.drop(&st.Drops[i])); err != nil {
					return err
				}
			}
			for _, in := range st.Intents {
				left, err := t.openIntent(in)
				if err := t.skipDamaged(err); err != nil {
					return err
				}
				if left || err != nil {
					gone = append(gone, in.IDM)
				}
			}
			return nil
		},
		done: func(err error) {
			if err != nil {
				done(Stepped{Err: err})
				return
			}
			done(Stepped{Gone: gone})
		},
	})
}

// skipDamaged puts a record that cannot be read into quarantine in the same
// commit, so that it does not hold up the step that met it.
func (t *tx) skipDamaged(err error) error {
	var d *damaged
	if errors.As(err, &d) {
		return t.quarantine(d.idm, d.why)
	}
	return err
}

// outcome closes an intent with what became of it.
func (t *tx) outcome(o *Outcome) error {
	in, err := t.takeIntent(o.IDM, o.Segment)
	if err != nil {
		return err
	}
	if in == nil {
		t.s.log.Warn("outcome without an intent", "id", o.IDM, "segment", o.Segment, "kind", o.Kind.String())
		return nil
	}
	err = t.settle(in, o)
	if gateway.KindOf(err) == gateway.KindNotFound {
		t.s.log.Warn("outcome of a message that is gone", "id", o.IDM, "segment", o.Segment, "kind", o.Kind.String())
		return nil
	}
	return t.skipDamaged(err)
}

// settle applies an outcome to the message that its intent was for.
func (t *tx) settle(in *opened, o *Outcome) error {
	m, err := t.message(in.IDM)
	if err != nil {
		return err
	}
	if in.Segment > int(max(m.Segments, 1)) { // the key of a damaged intent
		in.Segment = 0
	}
	at := o.At
	if at.IsZero() {
		at = t.now
	}
	if err := t.countOutcome(m, in, o, at); err != nil {
		return err
	}
	m.Channel, m.IMEI, m.ICCID = in.Channel, in.IMEI, in.SIM
	m.Attempts = max(m.Attempts, in.Attempt)
	tr := gateway.Transition{At: at, Channel: in.Channel, Kind: o.Kind, Code: o.Code, Text: o.Text}
	if hasArrived(m, in.Segment) || o.Kind != gateway.KindNone && isOut(m, in.Segment) {
		return t.outBefore(m, in, o, tr)
	}
	switch o.Kind {
	case gateway.KindNone:
		return t.accepted(m, in, o, tr)
	case gateway.KindUnknownOutcome:
		return t.doubted(m, in, o, tr)
	}
	return t.refused(m, in, o, tr)
}

// accepted: a device or the network took the segment. The message is sent when
// every segment is, and waits for the next one until then.
func (t *tx) accepted(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	st := gateway.StatusSent
	if o.Queued {
		st = gateway.StatusSubmitted
	}
	markParts(m, in.Segment, func(p *gateway.Part) {
		*p = gateway.Part{Status: st, MR: o.MR, HasMR: o.HasMR, Ref: o.Ref, At: tr.At}
	})
	m.Kind, m.Reason = gateway.KindNone, ""
	var err error
	if whole := wholeStatus(m); whole == gateway.StatusNone {
		err = t.save(m)
	} else {
		err = t.setStatus(m, whole, tr)
	}
	if err != nil {
		return err
	}
	return t.refer(m, in, o, tr.At)
}

// refer notes how reports will name the segment. It comes last: a report that was
// here first is applied to the message as it is stored.
func (t *tx) refer(m *gateway.Message, in *opened, o *Outcome, at time.Time) error {
	if o.HasMR {
		if err := t.sentRef(in.SIM, o.MR, m.To, m.IDM, in.Segment, at); err != nil {
			return err
		}
	}
	if o.Ref != "" {
		return t.sentName(in.SIM, o.Ref, m.To, m.IDM, in.Segment, at)
	}
	return nil
}

// maxResends is how many tries the policy UnknownResend makes at most: a channel
// that takes messages and never answers would repeat one to a customer for ever.
const maxResends = 5

// doubted: nobody knows. The charge stays, a report may still tell, and the
// message is queued again only by its policy, which says so.
func (t *tx) doubted(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	markParts(m, in.Segment, func(p *gateway.Part) {
		*p = gateway.Part{Status: gateway.StatusUnknown, MR: o.MR, HasMR: o.HasMR, Ref: o.Ref, At: tr.At}
	})
	m.Kind, m.Reason = gateway.KindUnknownOutcome, reason(o)
	st := gateway.StatusUnknown
	if m.Policy == gateway.UnknownResend && m.Attempts < maxResends {
		st = gateway.StatusQueued
		m.NotBefore = t.now.Add(t.s.o.ResendAfter)
		tr.Text = joinWords(reason(o), "sent again by policy: may arrive twice")
	}
	if err := t.setStatus(m, st, tr); err != nil {
		return err
	}
	if err := t.keepTry(in); err != nil {
		return err
	}
	return t.referDoubt(m, in, o)
}

// referDoubt notes how reports will find a segment that may have gone out.
func (t *tx) referDoubt(m *gateway.Message, in *opened, o *Outcome) error {
	at := t.orNow(in.At) // after a crash the outcome is much later
	if err := t.refer(m, in, o, at); err != nil {
		return err
	}
	return t.doubtRef(in.SIM, m.To, m.IDM, in.Segment, at)
}

// refused: this try was not sent. The charge is given back. An earlier try that is
// in doubt stays so.
func (t *tx) refused(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	if err := t.refund(&in.Intent, m.To, in.fresh); err != nil {
		return err
	}
	m.Kind, m.Reason = o.Kind, reason(o)
	if !o.Retry.IsZero() {
		markSure(m, in.Segment, gateway.Part{})
		m.NotBefore = o.Retry.UTC()
		return t.setStatus(m, gateway.StatusQueued, tr)
	}
	markSure(m, in.Segment, gateway.Part{Status: gateway.StatusFailed, At: tr.At})
	return t.end(m, gateway.StatusFailed, tr)
}

// end gives a row that goes out no more its last status. One with an earlier try in
// doubt ends in doubt: why it is not tried again says nothing of that try.
func (t *tx) end(m *gateway.Message, st gateway.Status, tr gateway.Transition) error {
	if anyPart(m, gateway.StatusUnknown) {
		st = gateway.StatusUnknown
		tr.Text = joinWords(tr.Text, "an earlier try may have arrived")
		m.Kind, m.Reason = gateway.KindUnknownOutcome, tr.Text
		for i := range m.Parts {
			if m.Parts[i].Status == gateway.StatusNone {
				m.Parts[i].Status = gateway.StatusFailed // it does not follow when the doubt ends
			}
		}
	}
	return t.setStatus(m, st, tr)
}

// joinWords joins two texts of which the first may be missing.
func joinWords(a, b string) string { return strings.TrimPrefix(a+"; "+b, "; ") }

// markSure replaces one segment's part, or every part for segment 0, where no
// earlier try is in doubt.
func markSure(m *gateway.Message, segment int, part gateway.Part) {
	markParts(m, segment, func(p *gateway.Part) {
		if p.Status != gateway.StatusUnknown {
			*p = part
		}
	})
}

// markParts changes one segment's part, or every part for segment 0.
func markParts(m *gateway.Message, segment int, mark func(*gateway.Part)) {
	n := int(max(m.Segments, 1))
	for len(m.Parts) < n {
		m.Parts = append(m.Parts, gateway.Part{})
	}
	if segment > 0 {
		mark(&m.Parts[segment-1])
		return
	}
	for i := range m.Parts {
		mark(&m.Parts[i])
	}
}

func reason(o *Outcome) string {
	switch {
	case o.Code == "":
		return o.Text
	case o.Text == "":
		return o.Code
	}
	return fmt.Sprintf("%s (%s)", o.Text, o.Code)
}

// drop ends a waiting row that no device has seen, or puts it off.
func (t *tx) drop(d *Drop) error {
	m, err := t.message(d.IDM)
	switch {
	case gateway.KindOf(err) == gateway.KindNotFound:
		return nil
	case err != nil:
		return err
	case m.Status != gateway.StatusQueued || hasIntent(t.b, d.IDM):
		return nil
	}
	at := d.At
	if at.IsZero() {
		at = t.now
	}
	tr := gateway.Transition{At: at, Kind: d.Kind, Text: d.Text}
	if d.Status == gateway.StatusQueued {
		return t.putOff(m, d.NotBefore, tr)
	}
	m.Kind, m.Reason = d.Kind, d.Text
	return t.end(m, d.Status, tr)
}

func checkDrop(d *Drop) error {
	switch d.Status {
	case gateway.StatusQueued, gateway.StatusBlocked, gateway.StatusExpired, gateway.StatusInvalid, gateway.StatusFailed, gateway.StatusCanceled:
		return nil
	}
	return gateway.Invalid("status", "a waiting row ends blocked, expired, invalid, failed or canceled, or is put off: not %q", d.Status)
}

// putOff lets a row wait until a time. Its timeline says so once for each reason,
// however often it is put off.
func (t *tx) putOff(m *gateway.Message, until time.Time, tr gateway.Transition) error {
	m.NotBefore = until.UTC()
	if until.IsZero() {
		m.NotBefore = time.Time{}
	}
	if n := len(m.History); n > 0 && m.History[n-1].Text == tr.Text && m.History[n-1].Status == m.Status {
		return t.save(m)
	}
	return t.setStatus(m, gateway.StatusQueued, tr)
}
