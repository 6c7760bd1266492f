package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// maxClaim is the most rows of one claim.
const maxClaim = gateway.MaxBatch

// promoteChunk is how many rows one commit moves into the queue when their time
// has come.
const promoteChunk = 2000

// Claim gives the next rows of a campaign's queue in (priority, idm) order, without
// marking them: a claim lives in the memory of who asked. Rows with an open intent are
// left out. Rows whose time has come are put into the queue first, and a record that
// cannot be read into quarantine, unless it is a peek: only then does a claim write.
func (s *Spool) Claim(c Claim) (Claimed, error) {
	if c.Limit < 1 || c.Limit > maxClaim {
		return Claimed{}, gateway.Invalid("limit", "a claim takes 1 to %d rows, not %d", maxClaim, c.Limit)
	}
	lane, ok := s.laneID(c.Campaign)
	if !ok {
		return Claimed{}, nil
	}
	if c.Peek {
		return s.peek(lane, &c)
	}
	wake, err := s.promote(lane)
	if err != nil {
		return Claimed{}, err
	}
	for {
		got, err := s.claim(lane, &c)
		var d *damaged
		if errors.As(err, &d) {
			// The row goes aside, and the queue behind it moves on.
			if err := s.quarantine(context.Background(), d.idm); err != nil {
				return Claimed{}, err
			}
			continue
		}
		got.Wake = wake
		return got, err
	}
}

// peek is a claim that only reads. A record that cannot be read ends it.
func (s *Spool) peek(lane uint32, c *Claim) (Claimed, error) {
	wake, err := s.nextDue(lane)
	if err != nil {
		return Claimed{}, err
	}
	got, err := s.claim(lane, c)
	var d *damaged
	if errors.As(err, &d) {
		got.More, got.Due, got.Damaged, err = true, true, d.idm, nil
	}
	if got.Wake = wake; !wake.IsZero() && !wake.After(s.o.Now()) {
		got.Due = true
	}
	return got, err
}

// Ready writes what a peek left undone: the rows of a campaign whose time has come
// go into its queue, a chunk at a time, and the record that it named (0 = none) into
// quarantine, where it still cannot be read.
func (s *Spool) Ready(campaign string, damaged uint64) error {
	if lane, ok := s.laneID(campaign); ok {
		if _, err := s.promote(lane); err != nil {
			return err
		}
	}
	if damaged == 0 {
		return nil
	}
	err := s.quarantine(context.Background(), damaged)
	if gateway.KindOf(err) == gateway.KindNotFound {
		return nil // somebody deleted it, or put it aside, meanwhile
	}
	return err
}

func (s *Spool) claim(lane uint32, c *Claim) (got Claimed, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		got = Claimed{Messages: make([]gateway.Message, 0, c.Limit), Next: c.After}
		read := s.newReader(b, false)
		queue := prefix(lane, slot(gateway.StatusQueued))
		first := makeKey(lane, slot(gateway.StatusQueued), uint64(c.After.Priority), c.After.IDM+1)
		rows := b.Bucket(bucketIndex).Cursor()
		skipped := 0
		for k, _ := rows.Seek(first[:]); bytes.HasPrefix(k, queue); k, _ = rows.Next() {
			key, ok := parseKey(k)
			if !ok {
				return errKey(k)
			}
			full := len(got.Messages) == c.Limit || skipped == MaxSkip
			busy := read.submitting(key.idm()) // at most one a channel: they do not count as skipped
			if full && !busy {
				got.More = true
				return nil
			}
			if !full {
				got.Next = Place{Priority: uint16(key.sort()), IDM: key.idm()}
			}
			if busy {
				continue
			}
			m, err := read.message(key.idm())
			if err != nil {
				return err
			}
			if c.Skip != nil && c.Skip(m) {
				skipped++
				continue
			}
			m.Status = gateway.StatusClaimed
			got.Messages = append(got.Messages, *m)
		}
		return nil
	})
	return got, err
}

// promote puts the rows of a lane whose time has come into the queue, one chunk
// at a time and in the order that the queue will have them; a very large number of
// them takes several claims. wake is when the next one falls due; zero = none waits.
func (s *Spool) promote(lane uint32) (wake time.Time, err error) {
	wake, err = s.nextDue(lane)
	if err != nil || wake.IsZero() || wake.After(s.o.Now()) {
		return wake, err
	}
	err = s.updateRows(context.Background(), promoteChunk, func(t *tx) error { return t.promote(lane) })
	if err != nil {
		return time.Time{}, err
	}
	return s.nextDue(lane)
}

func (s *Spool) nextDue(lane uint32) (wake time.Time, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		later := prefix(lane, slotLater)
		if k, _ := b.Bucket(bucketIndex).Cursor().Seek(later); bytes.HasPrefix(k, later) {
			key, ok := parseKey(k)
			if !ok {
				return errKey(k)
			}
			wake = key.due()
		}
		return nil
	})
	return wake, err
}

func (t *tx) promote(lane uint32) error {
	var due []key // collected first: a cursor that deletes skips keys (bbolt#146)
	later := prefix(lane, slotLater)
	c := t.bucket(bucketIndex).Cursor()
	for k, _ := c.Seek(later); bytes.HasPrefix(k, later) && len(due) < promoteChunk; k, _ = c.Next() {
		key, ok := parseKey(k)
		if !ok {
			return errKey(k)
		}
		if key.due().After(t.now) {
			break
		}
		due = append(due, key)
	}
	for _, old := range due {
		// The priority is the lower half of the sort: the record need not be read.
		home := makeKey(lane, slot(gateway.StatusQueued), old.sort()&0xFFFF, old.idm())
		if err := t.moveIndex(old, home); err != nil {
			return err
		}
		if _, ok := t.homes[old.idm()]; ok {
			t.homes[old.idm()] = home
		}
	}
	return nil
}

func errKey(k []byte) error {
	return gateway.Errorf(gateway.KindInternal, "index: a key of %d bytes", len(k))
}

// u64be reads a number that a key holds.
func u64be(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
