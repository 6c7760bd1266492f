package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// bucketHits is the blacklist's history: seq u64be -> Hit in JSON.
var bucketHits = []byte("hits")

const (
	// maxHits is how many hits are kept: the newest.
	maxHits = 100_000
	// trimHits is how many old hits one new hit may remove, so that the history
	// shrinks to its bound without a commit that lasts.
	trimHits = 2
)

// hit writes down that the blacklist stopped a message.
func (t *tx) hit(h Hit) error {
	h.At = t.orNow(h.At)
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	b := t.bucket(bucketHits)
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	b.FillPercent = fillAppended
	if err := b.Put(binary.BigEndian.AppendUint64(nil, seq), body); err != nil {
		return err
	}
	var old [][]byte
	c := b.Cursor()
	for k, _ := c.First(); k != nil && len(old) < trimHits; k, _ = c.Next() {
		if binary.BigEndian.Uint64(k)+maxHits > seq {
			break
		}
		old = append(old, bytes.Clone(k))
	}
	return deleteKeys(b, old)
}

// Hits gives what the blacklist stopped, newest first. cursor is "" for the first
// page and what the page before gave for the next; "" after the last. limit is 1
// to 1000; 0 = 100. The newest 100,000 are kept.
func (s *Spool) Hits(cursor string, limit int) ([]Hit, string, error) {
	var out []Hit
	next, err := s.pageBack(bucketHits, cursor, limit, func(_ uint64, v []byte) error {
		var h Hit
		if err := json.Unmarshal(v, &h); err != nil {
			return gateway.Errorf(gateway.KindInternal, "a line of the blacklist's history cannot be read: %w", err)
		}
		out = append(out, h)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return out, next, nil
}

// pageBack visits a page of a bucket with u64be keys, newest first. Its cursor is
// the decimal key of the last row that was given.
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
				return err
			}
			limit--
			next = strconv.FormatUint(seq, 10)
		}
		next = ""
		return nil
	})
	return next, err
}

// seekBefore gives the last key below k.
func seekBefore(c *bbolt.Cursor, k []byte) (key, value []byte) {
	if at, _ := c.Seek(k); at == nil {
		return c.Last()
	}
	return c.Prev()
}
