package spool

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// Change is what belongs to a change of a definition, in the same commit.
type Change struct {
	Event string // kind of the event that tells it
	Body  any    // of the event
	// Lane is the queue that the definition gives rows to; "" = none, or another one
	// gives it too. A put opens it. A delete is refused while rows of it wait, and closes
	// it: from then on no row can come into it, also by a call that is under way.
	Lane string
	// Open leaves the lane open at a delete: another definition gives it rows too.
	Open bool
}

// PutDocTold is PutDoc with its event: there is never one without the other.
func (s *Spool) PutDocTold(ctx context.Context, d Doc, ch Change) (Doc, error) {
	return s.putDoc(ctx, d, func(t *tx) error {
		if ch.Lane != "" {
			if err := t.bucket(bucketLane).Delete(closedKey(ch.Lane)); err != nil {
				return err
			}
		}
		return t.emit(ch.Event, ch.Body)
	})
}

// DeleteDocTold is DeleteDoc with its event. KindConflict: rows of its lane wait.
func (s *Spool) DeleteDocTold(ctx context.Context, kind, name string, ch Change) error {
	return s.deleteDoc(ctx, kind, name, func(t *tx) error {
		if ch.Lane == "" {
			return nil
		}
		return t.checkEmpty(kind, ch.Lane)
	}, func(t *tx) error {
		if ch.Lane != "" && !ch.Open {
			if err := t.bucket(bucketLane).Put(closedKey(ch.Lane), present); err != nil {
				return err
			}
		}
		return t.emit(ch.Event, ch.Body)
	})
}

// checkEmpty refuses to delete what rows still wait for, those of this commit too.
func (t *tx) checkEmpty(kind, lane string) error {
	id, ok := t.lanes[lane]
	if !ok {
		if id, ok = t.s.laneID(lane); !ok {
			return nil // it never had a row
		}
	}
	c, err := t.tally(id)
	if err != nil {
		return err
	}
	if waiting := c.NotProcessed(); waiting > 0 {
		return gateway.Errorf(gateway.KindConflict,
			"%d rows of %s %s still wait: let them be sent, or delete its unprocessed rows first", waiting, kind, lane)
	}
	return nil
}

// closed says that the definition of a lane was deleted. One that never had a
// definition is not closed: whether a name means anything is not known here.
func (t *tx) closed(lane string) bool {
	return t.bucket(bucketLane).Get(closedKey(lane)) != nil
}

func closedKey(lane string) []byte { return append([]byte{'x'}, lane...) }

func errLaneClosed(lane string) error {
	return gateway.Invalid("campaign", "no campaign or dialer is named %q any more", lane)
}

// checkClosed: invariant 15.
func (s *Spool) checkClosed(_ context.Context, b *bbolt.Tx) error {
	c := b.Bucket(bucketLane).Cursor()
	for k, _ := c.Seek([]byte{'x'}); k != nil && k[0] == 'x'; k, _ = c.Next() {
		id, ok := laneOf(b, string(k[1:]))
		if !ok {
			continue
		}
		v := b.Bucket(bucketState).Get(counterKey(id))
		if v == nil {
			continue
		}
		n, err := decodeCounters(v)
		if err != nil {
			return fmt.Errorf("state: %w", err)
		}
		if n.NotProcessed() > 0 {
			return fmt.Errorf("lane %q was deleted, and %d rows of it wait", k[1:], n.NotProcessed())
		}
	}
	return nil
}
