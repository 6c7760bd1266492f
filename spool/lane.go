package spool

import (
	"encoding/binary"
	"fmt"
	"maps"
	"sync"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// mirror is what readers may know without a transaction: it follows each commit.
type mirror struct {
	mu     sync.RWMutex
	names  map[uint32]string           // lane -> campaign
	ids    map[string]uint32           // campaign -> lane
	counts map[uint32]gateway.Counters // lane -> counters
}

func (m *mirror) init() {
	m.names = map[uint32]string{}
	m.ids = map[string]uint32{}
	m.counts = map[uint32]gateway.Counters{}
}

// MaxName is the longest name of a campaign, in bytes.
const MaxName = 255

// lane gives the number under which a campaign's or dialer's rows are kept,
// allotted at its first use and never given to another.
func (t *tx) lane(name string) (uint32, error) {
	if id, ok := t.lanes[name]; ok {
		return id, nil
	}
	if id, ok := t.s.laneID(name); ok {
		return id, nil
	}
	if name == "" || len(name) > MaxName {
		return 0, gateway.Invalid("campaign", "a name has 1 to %d bytes, not %d", MaxName, len(name))
	}
	b := t.bucket(bucketLane)
	n, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	id := uint32(n)
	key := binary.BigEndian.AppendUint32([]byte{'i'}, id)
	if err := b.Put(key, []byte(name)); err != nil {
		return 0, err
	}
	t.lanes[name] = id
	return id, b.Put(append([]byte{'n'}, name...), key[1:])
}

// laneName undoes lane; "" and false for a number that was never allotted.
func (t *tx) laneName(id uint32) (string, bool) { return t.s.laneNamer(t.b)(id) }

// laneNamer gives names as a snapshot has them: the mirror may be a moment behind
// a snapshot, never wrong.
func (s *Spool) laneNamer(b *bbolt.Tx) func(uint32) (string, bool) {
	return func(id uint32) (string, bool) {
		s.mirror.mu.RLock()
		name, ok := s.mirror.names[id]
		s.mirror.mu.RUnlock()
		if ok {
			return name, true
		}
		v := b.Bucket(bucketLane).Get(binary.BigEndian.AppendUint32([]byte{'i'}, id))
		return string(v), v != nil
	}
}

// laneID gives the number of a campaign that has, or had, rows.
func (s *Spool) laneID(name string) (uint32, bool) {
	s.mirror.mu.RLock()
	defer s.mirror.mu.RUnlock()
	id, ok := s.mirror.ids[name]
	return id, ok
}

// laneIDs gives every campaign's number.
func (s *Spool) laneIDs() map[string]uint32 {
	s.mirror.mu.RLock()
	defer s.mirror.mu.RUnlock()
	return maps.Clone(s.mirror.ids)
}

func (t *tx) publishLanes() {
	if len(t.lanes) == 0 {
		return
	}
	m := &t.s.mirror
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, id := range t.lanes {
		m.ids[name], m.names[id] = id, name
	}
}

func (s *Spool) loadLanes(b *bbolt.Tx) error {
	c := b.Bucket(bucketLane).Cursor()
	for k, v := c.Seek([]byte{'i'}); k != nil && k[0] == 'i'; k, v = c.Next() {
		if len(k) != 5 {
			return fmt.Errorf("lane: a key of %d bytes", len(k))
		}
		id := binary.BigEndian.Uint32(k[1:])
		s.mirror.names[id], s.mirror.ids[string(v)] = string(v), id
	}
	return nil
}

// laneOf gives a campaign's number as a snapshot has it.
func laneOf(b *bbolt.Tx, name string) (uint32, bool) {
	v := b.Bucket(bucketLane).Get(append([]byte{'n'}, name...))
	if len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}
