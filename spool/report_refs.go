package spool

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"fieldpost/gateway"
)

// The buckets that lead from a report to its segment.
var (
	bucketRefs     = []byte("refs")      // handle, ms u64be, idm u64be, segment u8 -> recipient
	bucketRefsTime = []byte("refs.time") // ms u64be, key of a row whose handle never comes again -> empty
	bucketDoubts   = []byte("doubts")    // SIM, ms u64be, idm u64be, segment u8 -> recipient
)

const (
	// keepRefs is how long after a send its report still finds it.
	keepRefs = 72 * time.Hour
	// trimRefs is how many old references one new reference may remove.
	trimRefs = 4
	// stampSlack is how much earlier than our own time of a send its SMSC may stamp it.
	stampSlack = 5 * time.Minute
	// doubtSpan is how long after a doubtful send its SMSC may have taken it.
	doubtSpan = 24 * time.Hour
	// tailDigits is how many last digits name a recipient when the network wrote it
	// another way than we did.
	tailDigits = 8
)

// handleSize is the size of a handle: digest's.
const handleSize = 16

// mrHandle names a TP-MR of a SIM. It wraps at 256 (TS 23.040 §9.2.3.6).
func mrHandle(sim string, mr uint8) []byte { return digest([]byte("mr"), []byte(sim), []byte{mr}) }

// nameHandle names a reference of a device that has no TP-MR.
func nameHandle(sim, ref string) []byte { return digest([]byte("ref"), []byte(sim), []byte(ref)) }

// simHandle names a SIM.
func simHandle(sim string) []byte { return digest([]byte("sim"), []byte(sim)) }

func handleOf(r *gateway.StatusReport) []byte {
	if r.Ref != "" {
		return nameHandle(r.SIM, r.Ref)
	}
	return mrHandle(r.SIM, r.MR)
}

// sentRef remembers which segment a SIM sent under a TP-MR, and applies the
// reports that came before it. The message must be stored as it stands: a report
// may change it.
func (t *tx) sentRef(sim string, mr uint8, to gateway.Address, idm uint64, segment int, at time.Time) error {
	handle := mrHandle(sim, mr)
	if err := t.trimRefs(bucketRefs, handle); err != nil {
		return err
	}
	if err := t.bucket(bucketRefs).Put(refKey(handle, at, idm, segment), []byte(to)); err != nil {
		return err
	}
	return t.adoptSent(handle, to, sentAs{idm: idm, segment: segment, at: at}, at)
}

// sentName is sentRef for a device that has references of its own.
func (t *tx) sentName(sim, ref string, to gateway.Address, idm uint64, segment int, at time.Time) error {
	handle := nameHandle(sim, ref)
	k := refKey(handle, at, idm, segment)
	if err := t.bucket(bucketRefs).Put(k, []byte(to)); err != nil {
		return err
	}
	if err := t.bucket(bucketRefsTime).Put(timeKey(at, k), present); err != nil {
		return err
	}
	if err := t.trimOld(bucketRefsTime, bucketRefs, keepRefs, trimRefs); err != nil {
		return err
	}
	return t.adoptSent(handle, "", sentAs{idm: idm, segment: segment, at: at}, at)
}

// doubtRef remembers a segment that a SIM may have sent at a time, without a
// reference, and applies the reports that came before it.
func (t *tx) doubtRef(sim string, to gateway.Address, idm uint64, segment int, at time.Time) error {
	handle := simHandle(sim)
	if err := t.trimRefs(bucketDoubts, handle); err != nil {
		return err
	}
	k := refKey(handle, at, idm, segment)
	if err := t.bucket(bucketDoubts).Put(k, []byte(to)); err != nil {
		return err
	}
	return t.adoptDoubt(sim, to, k, at)
}

// trimRefs forgets what is too old under one handle.
func (t *tx) trimRefs(name, handle []byte) error {
	b := t.bucket(name)
	keys := firstKeys(b, handle, trimRefs)
	for i, k := range keys {
		if _, at, ok := parseRef(k); ok && t.now.Sub(at) <= keepRefs {
			keys = keys[:i]
			break
		}
	}
	return deleteKeys(b, keys)
}

func refKey(handle []byte, at time.Time, idm uint64, segment int) []byte {
	k := append(make([]byte, 0, handleSize+17), handle...)
	k = binary.BigEndian.AppendUint64(k, uint64(max(at.UnixMilli(), 0)))
	k = binary.BigEndian.AppendUint64(k, idm)
	return append(k, byte(segment))
}

func parseRef(k []byte) (home sentAs, at time.Time, ok bool) {
	if len(k) != handleSize+17 {
		return home, at, false
	}
	k = k[handleSize:]
	at = time.UnixMilli(int64(binary.BigEndian.Uint64(k))).UTC()
	return sentAs{idm: binary.BigEndian.Uint64(k[8:]), segment: int(k[16]), at: at}, at, true
}

// findRef gives the segment that a report is for.
func (t *tx) findRef(r *gateway.StatusReport) (sentAs, bool, error) {
	if home, ok := t.findSent(r); ok {
		return home, true, nil
	}
	if r.Ref != "" {
		return sentAs{}, false, nil // a named reference is never in doubt
	}
	return t.findDoubt(r)
}

// findSent gives the newest send under the report's reference to its recipient. A
// send after the SMSC's stamp is passed over for an older one that fits: a TP-MR
// comes round again, and a late report belongs to the send before. When stamps make no
// sense, as from an SMSC in another time zone, the newest it is.
func (t *tx) findSent(r *gateway.StatusReport) (sentAs, bool) {
	handle := handleOf(r)
	var newest *sentAs
	c := t.bucket(bucketRefs).Cursor()
	k, to := seekBefore(c, append(bytes.Clone(handle), bytes.Repeat([]byte{0xFF}, 18)...))
	for ; bytes.HasPrefix(k, handle); k, to = c.Prev() {
		home, at, ok := parseRef(k)
		if !ok || t.now.Sub(at) > keepRefs {
			break
		}
		if r.Ref == "" && !sameRecipient(gateway.Address(to), r.Recipient) {
			continue
		}
		if newest == nil {
			newest = &home
		}
		if r.SentAt.IsZero() || !at.After(r.SentAt.Add(stampSlack)) {
			return home, true
		}
	}
	if newest == nil {
		return sentAs{}, false
	}
	return *newest, true
}

// findDoubt gives the doubtful send of that SIM to that recipient which the SMSC's
// stamp fits best: the newest that is not after it. It is a doubt no longer. Where the report
// may be of something else it waits for its reference, since a doubt is ended by nothing that is
// doubtful itself: while another message goes to that recipient over the SIM, and where another
// doubtful send is so close that the clocks of box and SMSC cannot tell the two apart.
func (t *tx) findDoubt(r *gateway.StatusReport) (sentAs, bool, error) {
	handle := simHandle(r.SIM)
	c := t.bucket(bucketDoubts).Cursor()
	k, to := seekBefore(c, append(bytes.Clone(handle), bytes.Repeat([]byte{0xFF}, 18)...))
	for ; bytes.HasPrefix(k, handle); k, to = c.Prev() {
		home, at, ok := parseRef(k)
		if !ok || !inDoubtSpan(r, at) || !sameRecipient(gateway.Address(to), r.Recipient) {
			continue
		}
		if t.sending(r, home.idm) || t.rival(r, home) {
			return sentAs{}, false, nil
		}
		home.doubt = true
		return home, true, t.endDoubt(bytes.Clone(k), gateway.Address(to), r)
	}
	return sentAs{}, false, nil
}

// rival says that a report of a doubtful send may as well be of another one, of a time
// that clocks cannot tell from it.
func (t *tx) rival(r *gateway.StatusReport, than sentAs) bool {
	handle := simHandle(r.SIM)
	c := t.bucket(bucketDoubts).Cursor()
	for k, to := c.Seek(refKey(handle, than.at.Add(-stampSlack), 0, 0)); bytes.HasPrefix(k, handle); k, to = c.Next() {
		home, at, ok := parseRef(k)
		switch {
		case !ok || home.idm == than.idm && home.segment == than.segment:
		case at.After(than.at.Add(stampSlack)):
			return false
		case inDoubtSpan(r, at) && sameRecipient(gateway.Address(to), r.Recipient):
			return true
		}
	}
	return false
}

// sending says that the report's SIM has another message for its recipient. There is
// at most one intent a channel.
func (t *tx) sending(r *gateway.StatusReport, than uint64) bool {
	c := t.bucket(bucketIntent).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		in, err := decodeIntent(k, v)
		if err != nil || in.SIM != r.SIM || in.IDM == than {
			continue // one that cannot be read is settled by its outcome
		}
		m, err := readMessage(t.b, in.IDM, t.laneName)
		if err == nil && sameRecipient(m.To, r.Recipient) {
			return true
		}
	}
	return false
}

// endDoubt makes a doubtful send one with the reference that its report told, so
// that its next report finds it too.
func (t *tx) endDoubt(k []byte, to gateway.Address, r *gateway.StatusReport) error {
	home, at, _ := parseRef(k)
	if err := t.bucket(bucketDoubts).Delete(k); err != nil {
		return err
	}
	return t.sentRef(r.SIM, r.MR, to, home.idm, home.segment, at)
}

// inDoubtSpan says that a report's SMSC stamp fits a doubtful send at a time.
func inDoubtSpan(r *gateway.StatusReport, at time.Time) bool {
	return !r.SentAt.IsZero() && !r.SentAt.Before(at.Add(-stampSlack)) && !r.SentAt.After(at.Add(doubtSpan))
}

// sameRecipient compares exactly, then by the last eight digits: networks write
// the recipient of a report in national form, or without "+".
func sameRecipient(a, b gateway.Address) bool {
	if a == b {
		return true
	}
	x, y := tailOf(a), tailOf(b)
	return len(x) == tailDigits && x == y
}

// tailOf gives the last digits of a number; shorter when it has not so many.
func tailOf(a gateway.Address) string {
	s := strings.TrimPrefix(string(a), "+")
	if strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s[max(0, len(s)-tailDigits):]
}
