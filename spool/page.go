package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"strconv"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// maxPage is the most rows of one page.
const maxPage = 1000

// pageLimit gives a limit that was asked for its default.
func pageLimit(limit int) (int, error) {
	switch {
	case limit == 0:
		return 100, nil
	case limit < 0 || limit > maxPage:
		return 0, gateway.Invalid("limit", "%d is not 1 to %d", limit, maxPage)
	}
	return limit, nil
}

func errCursor() error {
	return gateway.Invalid("cursor", "is none that a page gave")
}

// pageBack visits a page of a bucket with u64be keys, newest first. Its cursor is
// the decimal key of the last row that was given. A row that visit cannot read is
// passed over and moved to quarantine: one bad row hides no other.
func (s *Spool) pageBack(name []byte, cursor string, limit int, visit func(seq uint64, v []byte) error) (next string, err error) {
	limit, err = pageLimit(limit)
	if err != nil {
		return "", err
	}
	before := uint64(0)
	if cursor != "" {
		if before, err = strconv.ParseUint(cursor, 10, 64); err != nil || before == 0 {
			return "", errCursor()
		}
	}
	var bad []unread
	err = s.view(func(b *bbolt.Tx) error {
		c := b.Bucket(name).Cursor()
		k, v := c.Last()
		if before != 0 {
			k, v = seekBefore(c, binary.BigEndian.AppendUint64(nil, before))
		}
		for ; k != nil; k, v = c.Prev() {
			if limit == 0 {
				return nil
			}
			seq := binary.BigEndian.Uint64(k)
			if err := visit(seq, v); err != nil {
				bad = append(bad, unread{name, bytes.Clone(k), err})
				continue
			}
			limit--
			next = strconv.FormatUint(seq, 10)
		}
		next = ""
		return nil
	})
	if err == nil && len(bad) > 0 {
		err = s.setAside(bad)
	}
	return next, err
}

// seekBefore gives the last key below k.
func seekBefore(c *bbolt.Cursor, k []byte) (key, value []byte) {
	if at, _ := c.Seek(k); at == nil {
		return c.Last()
	}
	return c.Prev()
}

// unread is a row that cannot be read.
type unread struct {
	bucket, key []byte
	why         error
}

// setAside moves rows to quarantine, as they are.
func (s *Spool) setAside(rows []unread) error {
	return s.update(context.Background(), func(t *tx) error {
		for _, r := range rows {
			if err := t.aside(r.bucket, r.key, r.why); err != nil {
				return err
			}
		}
		return nil
	})
}

// aside moves one row to quarantine; one that is gone already is nothing.
func (t *tx) aside(name, key []byte, why error) error {
	b := t.bucket(name)
	v := b.Get(key)
	if v == nil {
		return nil
	}
	if err := t.putAside(name, key, v, why); err != nil {
		return err
	}
	return b.Delete(key)
}

// asideWithIndex moves one row to quarantine, and removes from index buckets every
// key that ends with its key. It walks them: damage is rare, and the row cannot tell
// any more where it was listed.
func (t *tx) asideWithIndex(name, key []byte, why error, indexes ...[]byte) error {
	key = bytes.Clone(key)
	if err := t.aside(name, key, why); err != nil {
		return err
	}
	for _, index := range indexes {
		var keys [][]byte
		c := t.bucket(index).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if bytes.HasSuffix(k, key) {
				keys = append(keys, bytes.Clone(k))
			}
		}
		if err := deleteKeys(t.bucket(index), keys); err != nil {
			return err
		}
	}
	return nil
}
