package serial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/internal/tpdu"
)

// send hands one segment to the network.
func (r *run) send(ctx context.Context, s modem.Submission) (modem.Receipt, error) {
	s.Report = s.Report || r.o.Report
	t, err := encode(&s)
	if err != nil {
		return modem.Receipt{}, err
	}
	r.sending.Add(1)
	defer r.sending.Add(-1)
	if s.More && r.quirk().cmms && !r.linked.Load() {
		r.keepLink(ctx)
	}
	r.begun.Store(time.Now().UnixNano())
	got, err := r.s.Submit(ctx, t.Length, t.Hex)
	if err != nil {
		return modem.Receipt{}, r.failed(err)
	}
	r.sent.Store(time.Now().UnixNano())
	r.mute.Store(0)
	return modem.Receipt{MR: got.MR, HasMR: got.Had}, nil
}

// encode writes the TPDU of a submission: its segment is cut from the text the same
// way each time.
func encode(s *modem.Submission) (tpdu.Encoded, error) {
	cut, err := gsm7.Cut(s.Text)
	if err != nil {
		return tpdu.Encoded{}, err
	}
	if s.Segment < 1 || s.Segment > len(cut) || s.Segments != len(cut) {
		return tpdu.Encoded{}, gateway.Invalid("segment", "is %d of %d, and the text takes %d", s.Segment, s.Segments, len(cut))
	}
	t := tpdu.Submit{
		To: s.To, Segment: cut[s.Segment-1], Ref: s.Ref, Total: len(cut), Seq: s.Segment,
		Report: s.Report, Validity: s.Validity, Flash: s.Flash,
	}
	return t.Encode()
}

// keepLink asks the modem to keep the radio link open between segments (TS 27.005
// §3.5.6). Mode 2 lasts: the modem lets go some seconds after the last message by itself.
func (r *run) keepLink(ctx context.Context) {
	if _, err := r.s.Command(ctx, "+CMMS=2"); optional(err) == nil {
		r.linked.Store(true) // a modem that refuses, or does not answer to that, is not asked again
	}
}

// failed turns an error of the session into one for the caller, and leaves to the
// keeper what the error says of the modem.
func (r *run) failed(err error) error {
	refusal := at.RefusalOf(err)
	if refusal == nil {
		r.unanswered(err)
		var e *gateway.Error
		if errors.As(err, &e) {
			return e
		}
		return &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: err.Error(), Err: err}
	}
	r.mute.Store(0)
	switch {
	case refusal.Class == at.Setup:
		r.nudge(func(c *chores) { c.restart = true }) // the SMSC's address is set with everything else
	case memoryFull(refusal):
		r.nudge(func(c *chores) { c.sweep = true })
	case refusal.Class == at.SIM, refusal.Class == at.Doubt, refusal.Number == 331:
		r.nudge(func(c *chores) { c.poll = true })
	}
	return refusal.Reason
}

// maxMute is how many sends in a row a modem may leave without an answer, while it
// answers everything else, before its radio is switched off and on.
const maxMute = 3

// unanswered counts a send that the modem said nothing to.
func (r *run) unanswered(err error) {
	mute := r.mute.Load()
	if errors.Is(err, at.ErrNoAnswer) {
		mute = r.mute.Add(1)
	}
	r.nudge(func(c *chores) {
		c.verify, c.poll = true, true
		if mute >= maxMute {
			c.radio = fmt.Sprintf("the modem did not answer %d messages in a row", mute)
		}
	})
}

// memoryFull says that a refusal is about the memory for messages (TS 27.005
// §3.2.5, TS 23.040 §9.2.3.22).
func memoryFull(r *at.Refusal) bool {
	return r.Reason.Code == "CMS 322" || r.Reason.Code == "CMS 208" || r.Reason.Code == "CMS 211"
}
