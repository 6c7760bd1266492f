package spool

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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
			return err
		}
		out = append(out, h)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return out, next, nil
}
