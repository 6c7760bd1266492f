package spool

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// tally is a lane's counters in a commit.
type tally struct {
	gateway.Counters
	changed bool
}

// countersSize is the length of a counters record: a number for each status, then
// Uploaded and Deleted, u64be each.
const countersSize = 8 * (gateway.NumStatus + 2)

// tally gives a lane's counters to change.
func (t *tx) tally(lane uint32) (*tally, error) {
	c, ok := t.counts[lane]
	if !ok {
		c = &tally{}
		if v := t.bucket(bucketState).Get(counterKey(lane)); v != nil {
			var err error
			if c.Counters, err = decodeCounters(v); err != nil {
				return nil, err
			}
		}
		t.counts[lane] = c
	}
	c.changed = true
	return c, nil
}

func (t *tx) flushCounters() error {
	for lane, c := range t.counts {
		if !c.changed {
			continue
		}
		if err := t.bucket(bucketState).Put(counterKey(lane), encodeCounters(&c.Counters)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) publishCounters() {
	m := &t.s.mirror
	m.mu.Lock()
	defer m.mu.Unlock()
	for lane, c := range t.counts {
		m.counts[lane] = c.Counters
	}
}

// Counters gives a campaign's counters, without touching the disk; all zero for a
// campaign that never had a row.
func (s *Spool) Counters(campaign string) (gateway.Counters, error) {
	if err := s.broken(); err != nil {
		return gateway.Counters{}, err
	}
	s.mirror.mu.RLock()
	defer s.mirror.mu.RUnlock()
	return s.mirror.counts[s.mirror.ids[campaign]], nil
}

// AllCounters gives the counters of every campaign that ever had a row.
func (s *Spool) AllCounters() (map[string]gateway.Counters, error) {
	if err := s.broken(); err != nil {
		return nil, err
	}
	s.mirror.mu.RLock()
	defer s.mirror.mu.RUnlock()
	all := make(map[string]gateway.Counters, len(s.mirror.counts))
	for lane, c := range s.mirror.counts {
		all[s.mirror.names[lane]] = c
	}
	return all, nil
}

// waitingRows is how many rows of all campaigns have their outcome before them.
func (s *Spool) waitingRows() (n uint64) {
	s.mirror.mu.RLock()
	defer s.mirror.mu.RUnlock()
	for _, c := range s.mirror.counts {
		n += c.NotProcessed()
	}
	return n
}

func (s *Spool) loadCounters(b *bbolt.Tx) error {
	c := b.Bucket(bucketState).Cursor()
	for k, v := c.Seek([]byte{'c'}); k != nil && k[0] == 'c'; k, v = c.Next() {
		n, err := decodeCounters(v)
		if err != nil || len(k) != 5 {
			return fmt.Errorf("state: counters of lane % x: %w", k[1:], err)
		}
		s.mirror.counts[binary.BigEndian.Uint32(k[1:])] = n
	}
	return nil
}

func counterKey(lane uint32) []byte { return binary.BigEndian.AppendUint32([]byte{'c'}, lane) }

func encodeCounters(c *gateway.Counters) []byte {
	v := make([]byte, 0, countersSize)
	for _, n := range c.ByStatus {
		v = binary.BigEndian.AppendUint64(v, n)
	}
	v = binary.BigEndian.AppendUint64(v, c.Uploaded)
	return binary.BigEndian.AppendUint64(v, c.Deleted)
}

func decodeCounters(v []byte) (c gateway.Counters, err error) {
	if len(v) != countersSize {
		return c, fmt.Errorf("counters of %d bytes, want %d", len(v), countersSize)
	}
	for i := range c.ByStatus {
		c.ByStatus[i] = binary.BigEndian.Uint64(v[8*i:])
	}
	c.Uploaded = binary.BigEndian.Uint64(v[8*gateway.NumStatus:])
	c.Deleted = binary.BigEndian.Uint64(v[8*gateway.NumStatus+8:])
	return c, nil
}
