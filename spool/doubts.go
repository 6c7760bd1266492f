package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// bucketTries holds the tries whose outcome nobody knows.
var bucketTries = []byte("doubts.tries") // idm u64be, segment u8, user id u32be -> intent record

// askSpan is how long after a try its device may be asked: gateways keep the
// outcomes of a day or two.
const askSpan = 24 * time.Hour

// Doubt is a try whose outcome its device may still know.
type Doubt struct {
	IDM     uint64
	Segment int    // 0 = the whole message
	UserID  uint32 // ours, as the device has it
	To      gateway.Address
	Channel string // that took it
	SIM     string // that was in it then: gateway.Channel.SIMKey
	Attempt uint16
	At      time.Time // of the try
}

func (d *Doubt) key() []byte { return tryKey(d.IDM, d.Segment, d.UserID) }

func tryKey(idm uint64, segment int, userID uint32) []byte {
	return binary.BigEndian.AppendUint32(intentKey(idm, segment), userID)
}

// Doubts lists the tries in doubt of the last 24 h whose device can be named, of
// messages after an entry position, in its order: about limit, and every try of the last
// message. There are no more when it gives none.
func (s *Spool) Doubts(after uint64, limit int) ([]Doubt, error) {
	var all []Doubt
	err := s.view(func(b *bbolt.Tx) error {
		since := s.o.Now().Add(-askSpan)
		c := b.Bucket(bucketTries).Cursor()
		for k, v := c.Seek(u64(after + 1)); k != nil; k, v = c.Next() {
			d, err := readTry(k, v)
			if err != nil || d.UserID == 0 || d.Channel == "" || d.At.Before(since) {
				continue // Check tells of one that cannot be read
			}
			if n := len(all); n >= limit && all[n-1].IDM != d.IDM {
				return nil
			}
			m, err := readMessage(b, d.IDM, s.laneNamer(b))
			if err == nil && inDoubt(m, d.Segment) {
				d.To = m.To
				all = append(all, d)
			}
		}
		return nil
	})
	return all, err
}

// WatchDoubts gives a channel that is closed when there is another doubt.
func (s *Spool) WatchDoubts() <-chan struct{} { return s.doubting.wait() }

// Settle ends the doubt about a try by its device's word, as Outcome would have
// done at once: accepted, or a kind that says that it was not sent, with Retry where it
// is to be tried again. False says that the doubt had ended meanwhile, and changes nothing.
//
// While another try of the message is in doubt, or at a device, this word alone decides
// nothing: a segment that went out is not sent again, and one that did not stays in doubt
// over the other try.
func (s *Spool) Settle(ctx context.Context, d Doubt, o Outcome) (settled bool, err error) {
	if o.Kind == gateway.KindUnknownOutcome {
		return false, gateway.Invalid("kind", "%s ends no doubt", o.Kind)
	}
	err = s.update(ctx, func(t *tx) (err error) {
		settled, err = t.settleDoubt(&d, &o)
		return err
	})
	return settled && err == nil, err
}

func (t *tx) settleDoubt(d *Doubt, o *Outcome) (bool, error) {
	in, err := t.takeTry(d.key())
	if in == nil || err != nil {
		return false, err
	}
	m, err := t.message(in.IDM)
	switch {
	case gateway.KindOf(err) == gateway.KindNotFound:
		return false, nil
	case err != nil:
		return false, t.skipDamaged(err)
	case !inDoubt(m, in.Segment):
		return false, nil
	}
	if err := t.countSettled(in.SIM, t.orNow(in.At), tried(m, in.Segment), o.Kind, in.Report); err != nil {
		return false, err
	}
	tr := gateway.Transition{At: t.orNow(o.At), Channel: in.Channel, Kind: o.Kind, Code: o.Code, Text: o.Text}
	if o.Kind == gateway.KindNone {
		return true, t.wentOut(m, in, o, tr)
	}
	return true, t.neverWent(m, in, o, tr)
}

// wentOut: the device says that the try was sent.
func (t *tx) wentOut(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	tr.Text = joinWords(tr.Text, "the device was asked: it went out")
	st := gateway.StatusSent
	if o.Queued {
		st = gateway.StatusSubmitted
	}
	markDoubt(m, in.Segment, gateway.Part{Status: st, MR: o.MR, HasMR: o.HasMR, Ref: o.Ref, At: tr.At})
	whole := m.Status
	if !hasIntent(t.b, m.IDM) { // a device has it again: its outcome decides first
		whole = reportedStatus(m)
	}
	switch {
	case whole == m.Status:
	case whole == gateway.StatusFailed:
		m.Kind, m.Reason = gateway.KindRefused, "not all of its segments went out"
	case whole == gateway.StatusQueued:
		m.Kind, m.Reason, m.NotBefore = gateway.KindNone, "", time.Time{}
	default:
		m.Kind, m.Reason = gateway.KindNone, ""
	}
	if err := t.setStatus(m, whole, tr); err != nil {
		return err
	}
	if o.HasMR { // reports find it by its reference from now on
		if err := t.dropDoubtRef(in); err != nil {
			return err
		}
	}
	return t.refer(m, in, o, t.orNow(in.At))
}

// neverWent: the device says that the try was not sent. Its charge is given back.
func (t *tx) neverWent(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	if err := t.refund(&in.Intent, m.To, in.fresh); err != nil {
		return err
	}
	if err := t.dropDoubtRef(in); err != nil { // no report can be of this try
		return err
	}
	tr.Text = joinWords(tr.Text, "the device was asked: it did not go out")
	if t.otherTry(in) {
		return t.setStatus(m, m.Status, tr)
	}
	if m.Status == gateway.StatusUndelivered { // a report has ended it by another segment
		markDoubt(m, in.Segment, gateway.Part{Status: gateway.StatusFailed, At: tr.At})
		return t.setStatus(m, m.Status, tr)
	}
	again := hasIntent(t.b, m.IDM)
	if !again && !o.Retry.IsZero() && resumable(m) {
		again = true
		m.NotBefore = o.Retry.UTC()
	}
	if again {
		markDoubt(m, in.Segment, gateway.Part{})
	} else {
		markDoubt(m, in.Segment, gateway.Part{Status: gateway.StatusFailed, At: tr.At})
	}
	m.Kind, m.Reason = o.Kind, joinWords(reason(o), "the device was asked: it did not go out")
	st := settledStatus(m)
	if st == gateway.StatusUnknown {
		m.Kind = gateway.KindUnknownOutcome
		if m.Status == gateway.StatusQueued {
			st = m.Status // another segment waits for its next try
		}
	}
	return t.setStatus(m, st, tr)
}

// dropDoubtRef takes a try from those that a report without a reference may end.
func (t *tx) dropDoubtRef(in *opened) error {
	return t.bucket(bucketDoubts).Delete(refKey(simHandle(in.SIM), t.orNow(in.At), in.IDM, in.Segment))
}

// otherTry says that another try of the same segment is in doubt too.
func (t *tx) otherTry(in *opened) bool {
	c := t.bucket(bucketTries).Cursor()
	for _, segment := range []int{in.Segment, 0} {
		first := intentKey(in.IDM, segment)
		if k, _ := c.Seek(first); bytes.HasPrefix(k, first) {
			return true
		}
	}
	return false
}

// resumable says that a message waits for nothing but the end of its doubt: one that
// was taken back, or ended in another way, is not sent after all.
func resumable(m *gateway.Message) bool {
	last := m.History[len(m.History)-1]
	return m.Status == gateway.StatusQueued || last.Status == gateway.StatusUnknown && last.Kind == gateway.KindUnknownOutcome
}

// inDoubt says that a segment, or any for segment 0, may or may not have gone out.
func inDoubt(m *gateway.Message, segment int) bool {
	if segment == 0 {
		return anyPart(m, gateway.StatusUnknown)
	}
	return segment <= len(m.Parts) && m.Parts[segment-1].Status == gateway.StatusUnknown
}

// markDoubt replaces one segment's part, or every part for segment 0, where it is in
// doubt.
func markDoubt(m *gateway.Message, segment int, part gateway.Part) {
	markParts(m, segment, func(p *gateway.Part) {
		if p.Status == gateway.StatusUnknown {
			*p = part
		}
	})
}

// keepTry keeps the intent of a try whose outcome nobody knows.
func (t *tx) keepTry(in *opened) error {
	k := tryKey(in.IDM, in.Segment, in.UserID)
	t.after(t.s.doubting.ring)
	return t.bucket(bucketTries).Put(k, seal(k, encodeIntent(in)))
}

// takeTry forgets a try and gives its intent; nil when it is not there.
func (t *tx) takeTry(k []byte) (*opened, error) {
	v := t.bucket(bucketTries).Get(k)
	if v == nil {
		return nil, nil
	}
	in, err := decodeTry(k, v)
	if err != nil {
		return nil, t.aside(bucketTries, k, err)
	}
	return in, t.bucket(bucketTries).Delete(k)
}

// forgetTries forgets the tries of a message that is in doubt no longer.
func (t *tx) forgetTries(idm uint64) error {
	b := t.bucket(bucketTries)
	for {
		keys := firstKeys(b, u64(idm), maxResends)
		if len(keys) == 0 {
			return nil
		}
		if err := deleteKeys(b, keys); err != nil {
			return err
		}
	}
}

func decodeTry(k, v []byte) (*opened, error) {
	if len(k) != 13 {
		return nil, fmt.Errorf("a try in doubt: a key of %d bytes", len(k))
	}
	body, err := unseal(k, v)
	if err != nil {
		return nil, fmt.Errorf("a try of message %d in doubt: %w", u64be(k), err)
	}
	in := &opened{}
	in.IDM, in.Segment = u64be(k), int(k[8])
	return in, decodeIntentBody(in, body)
}

func readTry(k, v []byte) (Doubt, error) {
	in, err := decodeTry(k, v)
	if err != nil {
		return Doubt{}, err
	}
	return Doubt{
		IDM: in.IDM, Segment: in.Segment, UserID: in.UserID, Channel: in.Channel, SIM: in.SIM, Attempt: in.Attempt, At: in.At,
	}, nil
}

// checkTries proves that each kept try can be read, and that its message waits or has a
// segment in doubt.
func checkTries(b *bbolt.Tx, name func(uint32) (string, bool)) error {
	return b.Bucket(bucketTries).ForEach(func(k, v []byte) error {
		in, err := decodeTry(k, v)
		if err != nil {
			return err
		}
		m, err := readMessage(b, in.IDM, name)
		switch {
		case err != nil:
			return fmt.Errorf("a try in doubt: %w", err)
		case m.Status != gateway.StatusQueued && !anyPart(m, gateway.StatusUnknown):
			return fmt.Errorf("message %d is %s, and a try of it is kept", m.IDM, m.Status)
		}
		return nil
	})
}
