package spool

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"

	"fieldpost/gateway"
)

// The fields of an intent record.
const (
	iUserID protowire.Number = iota + 1
	iProvider
	iChannel
	iIMEI
	iSIM
	iAttempt
	iCharge
	iFresh
	iAt
	iReport
)

// opened is an intent on disk: what a device may have, and what it was charged.
type opened struct {
	Intent
	fresh bool // its recipient was counted with it
}

func intentKey(idm uint64, segment int) []byte {
	return append(u64(idm), byte(segment))
}

// hasIntent says that a message, or a segment of it, may be at a device.
func hasIntent(b *bbolt.Tx, idm uint64) bool {
	k, _ := b.Bucket(bucketIntent).Cursor().Seek(u64(idm))
	return len(k) >= 8 && binary.BigEndian.Uint64(k) == idm
}

func (t *tx) putIntent(in *opened) error {
	k := intentKey(in.IDM, in.Segment)
	return t.bucket(bucketIntent).Put(k, seal(k, encodeIntent(in)))
}

// encodeIntent gives the body of an intent's record.
func encodeIntent(in *opened) []byte {
	e := encoder{b: append(make([]byte, 0, 128), recordVersion)}
	e.uint(iUserID, uint64(in.UserID))
	e.string(iProvider, in.Provider)
	e.string(iChannel, in.Channel)
	e.string(iIMEI, in.IMEI)
	e.string(iSIM, in.SIM)
	e.uint(iAttempt, uint64(in.Attempt))
	e.uint(iCharge, uint64(max(in.Charge, 0)))
	if in.fresh {
		e.uint(iFresh, 1)
	}
	e.time(iAt, in.At)
	if in.Report {
		e.uint(iReport, 1)
	}
	return e.b
}

// takeIntent closes an intent and gives what it said; nil when there is none.
func (t *tx) takeIntent(idm uint64, segment int) (*opened, error) {
	k := intentKey(idm, segment)
	v := t.bucket(bucketIntent).Get(k)
	if v == nil {
		return nil, nil
	}
	in, err := decodeIntent(k, v)
	if err != nil {
		return t.damagedIntent(k, err)
	}
	return in, t.bucket(bucketIntent).Delete(k)
}

// damagedIntent puts an intent that cannot be read into quarantine, and gives
// what its key says; nil when it says nothing.
func (t *tx) damagedIntent(k []byte, why error) (*opened, error) {
	b := t.bucket(bucketIntent)
	if err := t.putAside(bucketIntent, k, b.Get(k), why); err != nil {
		return nil, err
	}
	if err := b.Delete(k); err != nil || len(k) != 9 {
		return nil, err
	}
	return &opened{Intent: Intent{IDM: u64be(k), Segment: int(k[8])}}, nil
}

func decodeIntent(k, v []byte) (*opened, error) {
	if len(k) != 9 {
		return nil, fmt.Errorf("intent: a key of %d bytes", len(k))
	}
	in := &opened{}
	in.IDM, in.Segment = binary.BigEndian.Uint64(k), int(k[8])
	body, err := unseal(k, v)
	if err != nil {
		return nil, fmt.Errorf("intent of message %d: %w", in.IDM, err)
	}
	return in, decodeIntentBody(in, body)
}

func decodeIntentBody(in *opened, body []byte) error {
	return decode(body, func(f field) error {
		switch f.n {
		case iUserID:
			return within(&in.UserID, f)
		case iProvider:
			in.Provider = f.string()
		case iChannel:
			in.Channel = f.string()
		case iIMEI:
			in.IMEI = f.string()
		case iSIM:
			in.SIM = f.string()
		case iAttempt:
			return within(&in.Attempt, f)
		case iCharge:
			in.Charge = int(f.v)
		case iFresh:
			in.fresh = true
		case iAt:
			in.At = f.time()
		case iReport:
			in.Report = true
		default:
			return unknownField(f)
		}
		return nil
	})
}

// openIntent writes that a segment is about to reach a device. gone says that the
// row has left the queue meanwhile, that the segment is out already, or that the customer
// opted out since the dialer looked: the row ends in this commit then.
func (t *tx) openIntent(want Intent) (gone bool, err error) {
	in := &opened{Intent: want}
	if in.At.IsZero() {
		in.At = t.now
	}
	m, err := t.message(in.IDM)
	switch {
	case gateway.KindOf(err) == gateway.KindNotFound:
		return true, nil
	case err != nil:
		return false, err
	case !mayOpen(t.b, m, in.Segment):
		return true, nil
	}
	if stopped, err := t.stoppedMeanwhile(in, m); stopped || err != nil {
		return true, err
	}
	if in.Attempt == 0 {
		in.Attempt = m.Attempts + 1
	}
	if in.fresh, err = t.charge(&in.Intent, m.To); err != nil {
		return false, err
	}
	if in.Dialer != "" {
		t.rings[in.Dialer] = in.Port
	}
	return false, t.putIntent(in)
}

// stoppedMeanwhile ends a row whose customer opted out. Where the blacklist cannot be
// read the row only stays: the dialer, which looks again, knows what to do with it.
func (t *tx) stoppedMeanwhile(in *opened, m *gateway.Message) (bool, error) {
	number, ok := m.To.Packed()
	if !ok {
		return false, nil
	}
	v, err := viewBlack(t.b)
	if err != nil {
		return true, nil
	}
	_, optOut, err := v.match(number, t.homes[m.IDM].lane())
	if err != nil || !optOut || in.Exempt && !v.optedOutSince(number, m.Created) {
		return err != nil, nil
	}
	m.Kind, m.Reason = gateway.KindForbidden, "the customer opted out"
	return true, t.end(m, gateway.StatusBlocked, gateway.Transition{Kind: m.Kind, Text: m.Reason})
}

// optedOutSince says that a number opted out of everything after a time: what confirms
// an earlier start is stopped like anything else.
func (v *blackView) optedOutSince(number uint64, at time.Time) bool {
	l := listing{number, scopeOf(0, true)}
	a, err := decodeAddition(v.listed.Get(l.key()))
	return err == nil && a.at.After(at)
}

// mayOpen says that a segment of a message may go to a device: the row is queued,
// no device has this segment or the whole message, and it is not out yet.
func mayOpen(b *bbolt.Tx, m *gateway.Message, segment int) bool {
	if m.Status != gateway.StatusQueued || segment < 0 || segment > int(max(m.Segments, 1)) {
		return false
	}
	intents := b.Bucket(bucketIntent)
	if segment == 0 {
		return !hasIntent(b, m.IDM) && !anyOut(m)
	}
	if intents.Get(intentKey(m.IDM, segment)) != nil || intents.Get(intentKey(m.IDM, 0)) != nil {
		return false
	}
	return segment > len(m.Parts) || !out(m.Parts[segment-1].Status)
}

// out says that a segment left the box for sure.
func out(s gateway.Status) bool {
	switch s {
	case gateway.StatusSubmitted, gateway.StatusSent, gateway.StatusDelivered, gateway.StatusUndelivered:
		return true
	}
	return false
}

func anyOut(m *gateway.Message) bool {
	for i := range m.Parts {
		if out(m.Parts[i].Status) {
			return true
		}
	}
	return false
}
