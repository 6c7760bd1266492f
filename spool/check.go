package spool

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// maxFaults bounds what one check tells.
const maxFaults = 20

// Check proves the invariants of the package's doc on a snapshot of the whole
// file, and bbolt's own. It reads everything: it is for tests, for the night and for
// after a crash. The snapshot keeps replaced pages from being used again while it lasts.
func (s *Spool) Check(ctx context.Context) error {
	return s.view(func(b *bbolt.Tx) error {
		var faults []error
		for err := range b.Check() {
			if len(faults) < maxFaults {
				faults = append(faults, fmt.Errorf("bbolt: %w", err))
			}
		}
		for _, check := range []func(context.Context, *bbolt.Tx) error{
			s.checkRows, s.checkEnds, s.checkClosed, s.checkIntents, s.checkOutbox, s.checkRooms,
		} {
			if err := errors.Join(ctx.Err(), check(ctx, b)); err != nil {
				faults = append(faults, err)
			}
		}
		if len(faults) == 0 {
			return nil
		}
		return gateway.Errorf(gateway.KindInternal, "the spool contradicts itself: %w", errors.Join(faults...))
	})
}

// checkRooms checks the buckets that the other files of the package keep.
func (s *Spool) checkRooms(_ context.Context, b *bbolt.Tx) error {
	return errors.Join(checkBlacklist(b), checkDocs(b), checkUploads(b), checkIdempotency(b), checkInbound(b), checkReports(b), checkSIMs(b),
		checkTries(b, s.laneNamer(b)))
}

// checkRows: invariants 1 to 3 and 14. It walks the records once and asks the index for
// each; as many entries as records then means that the two are one to one.
func (s *Spool) checkRows(ctx context.Context, b *bbolt.Tx) error {
	name := s.laneNamer(b)
	index := b.Bucket(bucketIndex)
	lanes := map[string]uint32{}
	records := 0
	c := b.Bucket(bucketMsg).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if records++; records%4096 == 0 && ctx.Err() != nil {
			return nil
		}
		if len(k) != 8 || u64be(k) > b.Bucket(bucketMsg).Sequence() {
			return fmt.Errorf("msg: key %x is no entry position that was given out", k)
		}
		m, err := decodeMessage(u64be(k), v, name)
		if err != nil {
			return fmt.Errorf("message %d: %w", u64be(k), err)
		}
		lane, ok := lanes[m.Campaign]
		if !ok {
			if lane, ok = laneOf(b, m.Campaign); !ok {
				return fmt.Errorf("message %d: no lane for %q", m.IDM, m.Campaign)
			}
			lanes[m.Campaign] = lane
		}
		if err := checkPlace(index, lane, m); err != nil {
			return err
		}
		if err := checkEnd(b, m); err != nil {
			return err
		}
	}
	return s.checkIndex(b, records)
}

// checkPlace: a record is in the index exactly where it says.
func checkPlace(index *bbolt.Bucket, lane uint32, m *gateway.Message) error {
	at := makeKey(lane, slot(m.Status), sortOf(m), m.IDM)
	there := index.Get(at[:]) != nil
	later := false
	if m.Status == gateway.StatusQueued && !m.NotBefore.IsZero() {
		k := laterKey(lane, m)
		later = index.Get(k[:]) != nil
	}
	if there == later {
		return fmt.Errorf("message %d, %s: in the index %t, for later %t", m.IDM, m.Status, there, later)
	}
	return nil
}

// checkIndex counts the entries of each slot and holds them against the counters.
func (s *Spool) checkIndex(b *bbolt.Tx, records int) error {
	found := map[uint32]*gateway.Counters{}
	entries := 0
	c := b.Bucket(bucketIndex).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		key, ok := parseKey(k)
		if !ok || len(v) != 0 || !stored(key.slot().status()) {
			return fmt.Errorf("index: entry %x is none", k)
		}
		n := found[key.lane()]
		if n == nil {
			n = &gateway.Counters{}
			found[key.lane()] = n
		}
		n.ByStatus[key.slot().status()]++
		entries++
	}
	if entries != records {
		return fmt.Errorf("index: %d entries for %d records", entries, records)
	}
	return checkCounters(b, found)
}

func checkCounters(b *bbolt.Tx, found map[uint32]*gateway.Counters) error {
	left := maps.Clone(found)
	c := b.Bucket(bucketState).Cursor()
	for k, v := c.Seek([]byte{'c'}); k != nil && k[0] == 'c'; k, v = c.Next() {
		n, err := decodeCounters(v)
		if err != nil {
			return fmt.Errorf("state: %w", err)
		}
		lane := uint32(k[1])<<24 | uint32(k[2])<<16 | uint32(k[3])<<8 | uint32(k[4])
		var rows gateway.Counters
		if f := left[lane]; f != nil {
			rows = *f
		}
		delete(left, lane)
		if rows.ByStatus != n.ByStatus {
			return fmt.Errorf("lane %d: counters %v, rows %v", lane, n.ByStatus, rows.ByStatus)
		}
		if !n.Balanced() {
			return fmt.Errorf("lane %d: %d uploaded are not the sum of %v and %d deleted", lane, n.Uploaded, n.ByStatus, n.Deleted)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%d lanes have rows and no counters", len(left))
	}
	return nil
}

// checkIntents: invariant 4.
func (s *Spool) checkIntents(_ context.Context, b *bbolt.Tx) error {
	name := s.laneNamer(b)
	return b.Bucket(bucketIntent).ForEach(func(k, v []byte) error {
		in, err := decodeIntent(k, v)
		if err != nil {
			return err
		}
		m, err := readMessage(b, in.IDM, name)
		switch {
		case err != nil:
			return fmt.Errorf("intent of message %d: %w", in.IDM, err)
		case m.Status != gateway.StatusQueued:
			return fmt.Errorf("intent of message %d, which is %s", in.IDM, m.Status)
		}
		return nil
	})
}

// checkOutbox: invariant 5.
func (s *Spool) checkOutbox(_ context.Context, b *bbolt.Tx) error {
	out := b.Bucket(bucketOutbox)
	var last uint64
	c := out.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 8 {
			return fmt.Errorf("outbox: a key of %d bytes", len(k))
		}
		if seq := u64be(k); last != 0 && seq != last+1 {
			return fmt.Errorf("outbox: %d follows %d", seq, last)
		}
		last = u64be(k)
		if _, err := parseEvent(k, v); err != nil {
			return fmt.Errorf("event %d: %w", last, err)
		}
	}
	if last != out.Sequence() {
		return fmt.Errorf("outbox: the last event is %d, and %d were given out", last, out.Sequence())
	}
	return nil
}
