package spool

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// checkInbound proves that every inbound message can be read, that the sets of
// segments are bounded, and that each is found by its key and is either open or late.
func checkInbound(b *bbolt.Tx) error {
	err := b.Bucket(bucketInbound).ForEach(func(k, v []byte) error {
		var in gateway.Inbound
		return readSealed(k, v, &in)
	})
	if err != nil {
		return err
	}
	err = checkTimes(b, bucketSeen, bucketSeenTime, func(v []byte) (time.Time, error) {
		at, _, err := decodeSeen(v)
		return at, err
	})
	if err != nil {
		return err
	}
	if err := checkWishes(b); err != nil {
		return err
	}
	return checkSets(b)
}

func checkSets(b *bbolt.Tx) error {
	var n, isOpen, late int
	err := b.Bucket(bucketSets).ForEach(func(k, v []byte) error {
		set := &partSet{}
		if err := readSealed(k, v, set); err != nil {
			return err
		}
		n++
		has := func(bucket, key []byte) bool { return b.Bucket(bucket).Get(key) != nil }
		opened := has(bucketSetOpen, k)
		switch {
		case !has(bucketSetKey, append(set.key(), k...)):
			return fmt.Errorf("inbound set %x is not found by its key", k)
		case opened != (set.Inbound == 0) || opened == has(bucketSetLates, k) || opened != has(bucketSetFrom, append(set.sender(), k...)):
			return fmt.Errorf("inbound set %x is neither open nor late", k)
		case set.complete() || len(set.Pieces) == 0:
			return fmt.Errorf("inbound set %x has %d of %d segments", k, len(set.Pieces), set.Total)
		case opened:
			isOpen++
		default:
			late++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		bucket []byte
		want   int
	}{{bucketSetKey, n}, {bucketSetOpen, isOpen}, {bucketSetFrom, isOpen}, {bucketSetLates, late}} {
		if got := countKeys(b.Bucket(c.bucket)); got != c.want {
			return fmt.Errorf("%s: %d rows, want %d", c.bucket, got, c.want)
		}
	}
	if isOpen > maxOpenSets {
		return fmt.Errorf("%d inbound sets are open, more than %d", isOpen, maxOpenSets)
	}
	return nil
}

func countKeys(b *bbolt.Bucket) int {
	n := 0
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}

// checkReports proves that each waiting report is found by both its handles, and
// that their number is counted.
func checkReports(b *bbolt.Tx) error {
	n := 0
	err := b.Bucket(bucketOrphans).ForEach(func(k, v []byte) error {
		w := &waitingReport{}
		if err := readSealed(k, v, w); err != nil {
			return err
		}
		for _, handle := range orphanHandles(&w.Report) {
			if b.Bucket(bucketOrphansBy).Get(append(handle, k...)) == nil {
				return fmt.Errorf("a waiting report is not found by its reference")
			}
		}
		n++
		return nil
	})
	if err != nil {
		return err
	}
	if waiting, _ := readOrphanSum(b); waiting != uint64(n) || countKeys(b.Bucket(bucketOrphansBy)) != 2*n {
		return fmt.Errorf("%d reports wait, and the count says %d", n, waiting)
	}
	return nil
}
