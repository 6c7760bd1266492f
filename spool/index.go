package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// message reads a message to change it. Its Status is the stored one: a row with
// an open intent is queued. The error is KindNotFound for no such row, and
// KindInternal for one that cannot be read, which a reader moves to quarantine.
func (t *tx) message(idm uint64) (*gateway.Message, error) {
	m, err := readMessage(t.b, idm, t.laneName)
	if err != nil {
		return nil, err
	}
	lane, err := t.lane(m.Campaign)
	if err != nil {
		return nil, err
	}
	home := t.home(lane, m)
	if t.bucket(bucketIndex).Get(home[:]) == nil {
		return nil, &damaged{idm: idm, why: errors.New("it has no place in the index")}
	}
	t.homes[idm] = home
	return m, nil
}

// home says where the index holds a row as its record stands. Only a queued row
// with a time can be in one of two places: promotion moves it without its record.
func (t *tx) home(lane uint32, m *gateway.Message) key {
	if m.Status == gateway.StatusQueued && !m.NotBefore.IsZero() {
		if k := laterKey(lane, m); t.bucket(bucketIndex).Get(k[:]) != nil {
			return k
		}
	}
	return makeKey(lane, slot(m.Status), sortOf(m), m.IDM)
}

// readMessage reads a record as a snapshot has it.
func readMessage(b *bbolt.Tx, idm uint64, name func(uint32) (string, bool)) (*gateway.Message, error) {
	var k [8]byte
	binary.BigEndian.PutUint64(k[:], idm)
	rec := b.Bucket(bucketMsg).Get(k[:])
	if rec == nil {
		return nil, notFound(idm)
	}
	m, err := decodeMessage(idm, rec, name)
	if err != nil {
		return nil, &damaged{idm: idm, why: err}
	}
	return m, nil
}

func notFound(idm uint64) error {
	return gateway.Errorf(gateway.KindNotFound, "there is no message %d", idm)
}

// save writes a message that message gave, after its fields were changed, and
// moves its index entry and the counters after it. It tells nobody: a change of
// status goes through setStatus.
func (t *tx) save(m *gateway.Message) error {
	old, ok := t.homes[m.IDM]
	if !ok {
		return fmt.Errorf("message %d is saved but was not read", m.IDM)
	}
	lane := old.lane()
	home := place(lane, m, t.now)
	if home != old {
		if err := t.moveIndex(old, home); err != nil {
			return err
		}
	}
	if from := old.slot().status(); from != m.Status {
		if err := t.count(lane, from, m.Status); err != nil {
			return err
		}
	}
	if home.slot().status() == gateway.StatusQueued && home != old {
		t.arrived(lane, m)
	}
	t.homes[m.IDM] = home
	if err := t.noteEnd(m); err != nil {
		return err
	}
	return t.bucket(bucketMsg).Put(u64(m.IDM), encodeMessage(lane, m))
}

func (t *tx) moveIndex(old, home key) error {
	index := t.bucket(bucketIndex)
	if err := index.Delete(old[:]); err != nil {
		return err
	}
	return index.Put(home[:], present)
}

// count moves one row of a lane from a status to another; StatusNone is outside.
func (t *tx) count(lane uint32, from, to gateway.Status) error {
	c, err := t.tally(lane)
	if err != nil {
		return err
	}
	switch {
	case from == gateway.StatusNone:
		c.Uploaded++
	case c.ByStatus[from] == 0:
		return fmt.Errorf("lane %d: the counter of %s rows would fall below 0", lane, from)
	default:
		c.ByStatus[from]--
	}
	if to == gateway.StatusNone {
		c.Deleted++
	} else {
		c.ByStatus[to]++
	}
	return nil
}

// setStatus is the only door through which the status of a stored message
// changes: record, index, counters, timeline and event, in one commit. m is what
// message gave, with its other fields changed as wanted. tr.At, when zero, is now.
func (t *tx) setStatus(m *gateway.Message, st gateway.Status, tr gateway.Transition) error {
	from := m.Status
	if tr.At.IsZero() {
		tr.At = t.now
	}
	if st == gateway.StatusQueued && from != st && from != gateway.StatusHeld && t.closed(m.Campaign) {
		// The rest of a message whose doubt ends: nobody would send it.
		st, tr.Text = gateway.StatusFailed, joinWords(tr.Text, "its campaign was deleted")
		m.Kind, m.Reason = gateway.KindRefused, tr.Text
	}
	tr.Status = st
	m.Status = st
	m.Finished = time.Time{}
	if st.Final() {
		m.Finished = tr.At
	}
	note(m, tr)
	if err := t.save(m); err != nil {
		return err
	}
	if !anyPart(m, gateway.StatusUnknown) {
		if err := t.forgetTries(m.IDM); err != nil {
			return err
		}
	}
	if from == st && tr.Kind != gateway.KindUnknownOutcome {
		return nil
	}
	return t.announce(m, tr)
}

// announce tells the hub and the screens of a status that a message reached after
// it was queued; queued itself is news only when it may make a second copy.
func (t *tx) announce(m *gateway.Message, tr gateway.Transition) error {
	switch {
	case m.Status == gateway.StatusHeld:
		return nil
	case m.Status == gateway.StatusQueued && tr.Kind != gateway.KindUnknownOutcome:
		return nil
	case m.Status == gateway.StatusBlocked:
		if err := t.stopped(m, tr.At); err != nil {
			return err
		}
	}
	return t.emitMessage(m)
}

// stopped writes a blocked message into the history of the blacklist.
func (t *tx) stopped(m *gateway.Message, at time.Time) error {
	h := Hit{At: at, Number: m.To, Campaign: m.Campaign, IDM: m.IDM}
	if n, ok := m.To.Packed(); ok {
		v, err := viewBlack(t.b)
		if err != nil {
			return err
		}
		lane, err := t.lane(m.Campaign)
		if err != nil {
			return err
		}
		if _, h.OptOut, err = v.match(n, lane); err != nil {
			return err
		}
	}
	return t.hit(h)
}

const (
	keepFirst = 8  // transitions kept from the beginning of a timeline
	keepLast  = 24 // and from its end
)

// note adds a line to the timeline, and leaves out the middle of a long one.
func note(m *gateway.Message, tr gateway.Transition) {
	tr.At = tr.At.UTC()
	m.History = append(m.History, tr)
	if over := len(m.History) - keepFirst - keepLast; over > 0 {
		m.History = append(m.History[:keepFirst:keepFirst], m.History[keepFirst+over:]...)
		m.Omitted += uint32(over)
	}
}

// insert stores a new message at the next entry position.
func (t *tx) insert(m *gateway.Message) error {
	lane, err := t.lane(m.Campaign)
	if err != nil {
		return err
	}
	msgs := t.bucket(bucketMsg)
	if m.IDM, err = msgs.NextSequence(); err != nil {
		return err
	}
	if m.Created.IsZero() {
		m.Created = t.now
	}
	tr := gateway.Transition{At: t.now, Status: m.Status, Kind: m.Kind, Text: m.Reason}
	if m.Status.Final() {
		m.Finished = t.now
	}
	m.History = []gateway.Transition{tr}
	if err := msgs.Put(u64(m.IDM), encodeMessage(lane, m)); err != nil {
		return err
	}
	home := place(lane, m, t.now)
	if err := t.bucket(bucketIndex).Put(home[:], present); err != nil {
		return err
	}
	if err := t.noteEnd(m); err != nil {
		return err
	}
	if err := t.count(lane, gateway.StatusNone, m.Status); err != nil {
		return err
	}
	if home.slot().status() == gateway.StatusQueued {
		t.arrived(lane, m)
	}
	return t.announce(m, tr)
}

// remove deletes a row whose place in the index is known.
func (t *tx) remove(home key) error {
	if err := t.bucket(bucketIndex).Delete(home[:]); err != nil {
		return err
	}
	if err := t.count(home.lane(), home.slot().status(), gateway.StatusNone); err != nil {
		return err
	}
	delete(t.homes, home.idm())
	return t.bucket(bucketMsg).Delete(u64(home.idm()))
}

// arrival is what came into a lane's queue in one commit.
type arrival struct {
	rows     int
	priority uint16 // the best of them
	idm      uint64 // of the only one
}

func (t *tx) arrived(lane uint32, m *gateway.Message) {
	a, ok := t.queued[lane]
	if !ok || m.Priority < a.priority {
		a.priority = m.Priority
	}
	a.rows++
	a.idm = m.IDM
	t.queued[lane] = a
}

// publishQueued tells of the queues that grew, after the names of new lanes are known.
func (t *tx) publishQueued() {
	for lane, a := range t.queued {
		if a.rows > 1 {
			a.idm = 0
		}
		name, _ := t.laneName(lane)
		t.s.o.OnQueued(name, a.priority, a.idm)
	}
}
