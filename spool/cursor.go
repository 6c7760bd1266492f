package spool

import (
	"context"
	"encoding/binary"
	"math"
	"sync"

	"go.etcd.io/bbolt"
)

// flushRings writes the ring cursors that moved.
func (t *tx) flushRings() error {
	for dialer, port := range t.rings {
		if err := t.bucket(bucketState).Put(ringKey(dialer), []byte{byte(port)}); err != nil {
			return err
		}
	}
	return nil
}

func ringKey(dialer string) []byte { return append([]byte{'r'}, dialer...) }

// Cursor gives the port that a dialer's ring used last; false when it never used one.
func (s *Spool) Cursor(dialer string) (port int, ok bool, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		if v := b.Bucket(bucketState).Get(ringKey(dialer)); len(v) == 1 {
			port, ok = int(v[0]), true
		}
		return nil
	})
	return port, ok, err
}

// userBlock is how many user ids one commit reserves.
const userBlock = 4096

// users gives out the ids that devices know our messages by.
type users struct {
	mu    sync.Mutex
	next  uint32
	limit uint32 // ids below it are reserved on disk
}

// NextUserID gives an id to know a message by in a device: never 0, and not given
// out before in this store until all 2^31 were: gateways take ids as signed numbers of 32 bits. A
// new store begins anywhere among them, since a gateway may remember those of the one before.
// Once in 4096 calls it waits for a commit, which reserves the next ids; where that fails the
// ids go on, since no intent can be committed then either.
func (s *Spool) NextUserID() uint32 {
	u := &s.users
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.next == 0 || u.next >= u.limit {
		u.next, u.limit = s.reserveUsers(u.next)
	}
	id := u.next
	u.next++
	return id
}

// reserveUsers marks the next block of ids as given out, from next or what the
// file says.
func (s *Spool) reserveUsers(next uint32) (first, limit uint32) {
	err := s.update(context.Background(), func(t *tx) error {
		meta := t.bucket(bucketMeta)
		first = max(next, 1)
		if v := meta.Get(metaUser); len(v) == 4 {
			first = max(first, binary.BigEndian.Uint32(v))
		}
		if first > math.MaxInt32-userBlock {
			first = 1
		}
		limit = first + userBlock
		return meta.Put(metaUser, binary.BigEndian.AppendUint32(nil, limit))
	})
	if err != nil {
		s.log.Warn("user ids not reserved", "error", err)
		first = max(next, 1)
		return first, first
	}
	return first, limit
}
