package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// present is the value of a key that has none. It is not nil: bbolt gives the value
// of a key that was put in the same transaction as it was put, so nil would read
// as a missing key until the commit.
var present = []byte{}

// timeKey is a row's key in a list by time: ms u64be, then the key of the row.
func timeKey(at time.Time, key []byte) []byte {
	return append(u64(uint64(max(at.UnixMilli(), 0))), key...)
}

// trimOld removes rows that are older than keep, at most n of them: times holds
// ms u64be and the key of a row in rows.
func (t *tx) trimOld(times, rows []byte, keep time.Duration, n int) error {
	until := uint64(max(t.now.Add(-keep).UnixMilli(), 0))
	index := t.bucket(times)
	var old [][]byte
	c := index.Cursor()
	for k, _ := c.First(); len(k) > 8 && len(old) < n && binary.BigEndian.Uint64(k) < until; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := t.bucket(rows).Delete(k[8:]); err != nil {
			return err
		}
	}
	return deleteKeys(index, old)
}

// checkTimes proves that a list by time has exactly the rows that it lists.
func checkTimes(b *bbolt.Tx, rows, times []byte, at func([]byte) (time.Time, error)) error {
	n := 0
	err := b.Bucket(rows).ForEach(func(k, v []byte) error {
		when, err := at(v)
		if err == nil && b.Bucket(times).Get(timeKey(when, k)) == nil {
			err = fmt.Errorf("%s: a row is missing in its list by time", rows)
		}
		n++
		return err
	})
	if err != nil {
		return err
	}
	err = b.Bucket(times).ForEach(func(_, _ []byte) error { n--; return nil })
	if err == nil && n != 0 {
		err = fmt.Errorf("%s: its list by time has %d rows too few", rows, n)
	}
	return err
}
