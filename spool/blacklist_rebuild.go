package spool

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"
)

// flushBlocks is how many blocks one commit of a new packed list writes, and
// how many one commit deletes of an old one: about 300 KiB.
const flushBlocks = 256

// rebuild writes a new packed list from the import, the present one and the
// overlay, and swaps it in. Edits that come meanwhile have a later number than the
// base of the new list, so they hold over it.
func (i *blackImport) rebuild(ctx context.Context, imported stream) error {
	s := i.s
	if err := s.tidyBlacklist(ctx); err != nil { // what an earlier import left
		return err
	}
	b := &rebuild{im: i}
	if err := s.update(ctx, b.begin); err != nil {
		return err
	}
	all, err := b.entries(imported)
	if err == nil {
		err = b.write(ctx, all)
	}
	if err == nil {
		err = s.update(ctx, b.swap)
	}
	if err != nil {
		// Whoever cancelled the import does not cancel its cleaning.
		return errors.Join(err, s.tidyBlacklist(context.WithoutCancel(ctx)))
	}
	if err := s.tidyBlacklist(context.WithoutCancel(ctx)); err != nil {
		s.log.Warn("blacklist not tidied", "error", err) // the list is in force; the next import or open tidies
	}
	return nil
}

// rebuild is the making of one packed list.
type rebuild struct {
	im    *blackImport
	from  blackState // as the list was at the beginning
	name  []byte     // bucket of the new list
	count uint64     // entries in it
}

func (r *rebuild) begin(t *tx) error {
	st, err := decodeState(t.bucket(bucketBlack).Get(stateKey))
	if err != nil {
		return err
	}
	st.building = st.gen + 1
	r.from, r.name = st, blocksName(st.building)
	if _, err := t.b.CreateBucket(r.name); err != nil {
		return err
	}
	return t.putBlack(&st)
}

// entries gives what the new list holds: the import, and what was in force when it
// began.
func (r *rebuild) entries(imported stream) (stream, error) {
	s, from := r.im.s, r.from
	return merge(imported,
		subtract(s.blockStream(from.gen), s.editStream(bucketUnlisted, from.base, from.edits)),
		s.editStream(bucketListed, 0, from.edits))
}

// block is one packed block with its key.
type block struct{ key, value []byte }

func (r *rebuild) write(ctx context.Context, all stream) error {
	r.count = 0
	blocks := make([]block, 0, flushBlocks)
	entries := make([]listing, 0, blockSize)
	for {
		l, ok, err := all()
		if err != nil {
			return err
		}
		if ok {
			entries = append(entries, l)
			r.count++
		}
		if len(entries) == blockSize || !ok && len(entries) > 0 {
			blocks = append(blocks, block{entries[len(entries)-1].key(), appendBlock(nil, entries)})
			entries = entries[:0]
		}
		if len(blocks) == flushBlocks || !ok && len(blocks) > 0 {
			if err := r.flush(ctx, blocks); err != nil {
				return err
			}
			blocks = blocks[:0]
		}
		if !ok {
			return nil
		}
	}
}

func (r *rebuild) flush(ctx context.Context, blocks []block) error {
	return r.im.s.updateRows(ctx, len(blocks), func(t *tx) error {
		b := t.b.Bucket(r.name)
		b.FillPercent = 1 // keys grow, and nothing is ever put between them
		for _, bl := range blocks {
			if err := b.Put(bl.key, bl.value); err != nil {
				return err
			}
		}
		return nil
	})
}

// swap makes the new list the list. What was edited since begin is counted anew:
// everything else in force is in the new list, once.
func (r *rebuild) swap(t *tx) error {
	st, err := decodeState(t.bucket(bucketBlack).Get(stateKey))
	if err != nil {
		return err
	}
	st.gen, st.base, st.building, st.untidy = st.building, r.from.edits, 0, 1
	st.size = r.count
	if err := t.putBlack(&st); err != nil {
		return err
	}
	v, err := viewBlack(t.b)
	if err != nil {
		return err
	}
	err = t.bucket(bucketTouched).ForEach(func(k, _ []byte) error {
		l, _ := parseListing(k)
		in, err := v.has(l)
		if err != nil {
			return err
		}
		packed, err := v.packed(l)
		switch {
		case in && !packed:
			st.size++
		case !in && packed:
			st.size--
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := t.emptyTouched(); err != nil {
		return err
	}
	if err := t.putBlack(&st); err != nil {
		return err
	}
	return r.im.tell(t)
}

func (t *tx) emptyTouched() error {
	if err := t.b.DeleteBucket(bucketTouched); err != nil {
		return err
	}
	_, err := t.b.CreateBucket(bucketTouched)
	return err
}

// blockStream gives the entries of a generation. It reads in pages: a read
// transaction that lasts as long as an import would keep every page that the
// commits of that time free.
func (s *Spool) blockStream(gen uint64) stream {
	if gen == 0 {
		return sliceStream(nil)
	}
	var page [][]byte
	var scan blockScan
	after, more := []byte(nil), true
	return func() (listing, bool, error) {
		for {
			if l, ok, err := scan.next(); ok || err != nil {
				return l, ok, err
			}
			if len(page) == 0 && more {
				err := s.view(func(b *bbolt.Tx) error {
					page = page[:0]
					after = pageOf(b.Bucket(blocksName(gen)), after, flushBlocks, func(_, v []byte) {
						page = append(page, bytes.Clone(v))
					})
					more = after != nil
					return nil
				})
				if err != nil {
					return listing{}, false, err
				}
			}
			if len(page) == 0 {
				return listing{}, false, nil
			}
			var err error
			if scan, err = scanBlock(page[0]); err != nil {
				return listing{}, false, err
			}
			page = page[1:]
		}
	}
}

// editStream gives the entries of an overlay bucket whose edit number is in
// (from, to], in pages.
func (s *Spool) editStream(name []byte, from, to uint64) stream {
	var page []listing
	after, more := []byte(nil), true
	return func() (listing, bool, error) {
		for len(page) == 0 && more {
			err := s.view(func(b *bbolt.Tx) error {
				page = page[:0]
				after = pageOf(b.Bucket(name), after, 1000, func(k, v []byte) {
					l, ok := parseListing(k)
					if edit := editOf(v); ok && edit > from && edit <= to {
						page = append(page, l)
					}
				})
				more = after != nil
				return nil
			})
			if err != nil {
				return listing{}, false, err
			}
		}
		if len(page) == 0 {
			return listing{}, false, nil
		}
		l := page[0]
		page = page[1:]
		return l, true, nil
	}
}

// pageOf visits up to n keys behind after and gives the last of them to go on
// from; nil when there are no more.
func pageOf(b *bbolt.Bucket, after []byte, n int, visit func(k, v []byte)) []byte {
	c := b.Cursor()
	k, v := c.Seek(after)
	if after != nil && bytes.Equal(k, after) {
		k, v = c.Next()
	}
	for ; k != nil; k, v = c.Next() {
		visit(k, v)
		if n--; n == 0 {
			return bytes.Clone(k)
		}
	}
	return nil
}
