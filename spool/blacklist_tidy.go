package spool

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// tidyBlacklist takes away what is of no more use: a packed list that was never
// finished, one that was replaced, and the edits that the present one holds. Each
// commit is small, and any of them may be the last before a crash: the next import
// or the next open goes on. Nobody may import meanwhile.
func (s *Spool) tidyBlacklist(ctx context.Context) error {
	var st blackState
	err := s.view(func(b *bbolt.Tx) (err error) {
		st, err = decodeState(b.Bucket(bucketBlack).Get(stateKey))
		return err
	})
	if err != nil {
		return err
	}
	if st.building != 0 {
		if err := s.dropBlocks(ctx, st.building); err != nil {
			return err
		}
	}
	if st.untidy == 0 && st.building == 0 {
		return nil
	}
	if st.untidy != 0 {
		if err := s.dropEdits(ctx, bucketUnlisted, st.base, nil); err != nil {
			return err
		}
		if err := s.dropEdits(ctx, bucketListed, st.base, isImported); err != nil {
			return err
		}
		if err := s.dropBlocks(ctx, st.gen-1); err != nil {
			return err
		}
	}
	return s.update(ctx, func(t *tx) error {
		st, err := decodeState(t.bucket(bucketBlack).Get(stateKey))
		if err != nil {
			return err
		}
		st.building, st.untidy = 0, 0
		if err := t.emptyTouched(); err != nil {
			return err
		}
		return t.putBlack(&st)
	})
}

// isImported says that an overlay entry came with a list.
func isImported(v []byte) bool {
	a, err := decodeAddition(v)
	return err == nil && a.imported
}

// dropBlocks deletes a generation, a few blocks a commit. Keys are collected
// first: a bbolt cursor skips keys when it deletes under itself.
func (s *Spool) dropBlocks(ctx context.Context, gen uint64) error {
	name := blocksName(gen)
	for more := true; more; {
		err := s.update(ctx, func(t *tx) error {
			b := t.b.Bucket(name)
			if b == nil {
				more = false
				return nil
			}
			var keys [][]byte
			more = pageOf(b, nil, flushBlocks, func(k, _ []byte) { keys = append(keys, bytes.Clone(k)) }) != nil
			if !more {
				return ignoreMissing(t.b.DeleteBucket(name))
			}
			return deleteKeys(b, keys)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropEdits deletes the edits of an overlay bucket up to number base, where also
// says so, a few a commit.
func (s *Spool) dropEdits(ctx context.Context, name []byte, base uint64, also func(v []byte) bool) error {
	var from []byte
	for more := true; more; {
		var next []byte
		err := s.update(ctx, func(t *tx) error {
			b := t.bucket(name)
			var keys [][]byte
			next = pageOf(b, from, 1000, func(k, v []byte) {
				if editOf(v) <= base && (also == nil || also(v)) {
					keys = append(keys, bytes.Clone(k))
				}
			})
			return deleteKeys(b, keys)
		})
		if err != nil {
			return err
		}
		from, more = next, next != nil
	}
	return nil
}

func deleteKeys(b *bbolt.Bucket, keys [][]byte) error {
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, berrors.ErrBucketNotFound) {
		return nil
	}
	return err
}
