package spool

import (
	"fmt"

	"go.etcd.io/bbolt"
)

// checkBlacklist proves that the packed list is in order, that no entry is listed
// and unlisted by hand at once, and that the size is the number of entries.
func checkBlacklist(b *bbolt.Tx) error {
	v, err := viewBlack(b)
	if err != nil {
		return err
	}
	if err := checkBlocks(v.blocks); err != nil {
		return err
	}
	err = v.listed.ForEach(func(k, val []byte) error {
		if _, ok := parseListing(k); !ok || v.unlisted.Get(k) != nil {
			return fmt.Errorf("blacklist: entry %x is listed and unlisted", k)
		}
		_, err := decodeAddition(val)
		return err
	})
	if err != nil {
		return err
	}
	var n uint64
	each := v.from(listing{})
	for {
		_, ok, err := each()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		n++
	}
	if n != v.st.size {
		return fmt.Errorf("blacklist: %d entries, and the size says %d", n, v.st.size)
	}
	return nil
}

// checkBlocks: blocks are full of entries in strict order, and each is named by its last.
func checkBlocks(blocks *bbolt.Bucket) error {
	if blocks == nil {
		return nil
	}
	var last listing
	first := true
	return blocks.ForEach(func(k, v []byte) error {
		scan, err := scanBlock(v)
		if err != nil {
			return err
		}
		for n := 0; ; n++ {
			l, ok, err := scan.next()
			if err != nil {
				return err
			}
			if !ok {
				if n == 0 || n > blockSize {
					return fmt.Errorf("blacklist: a block of %d entries", n)
				}
				break
			}
			if !first && last.compare(l) >= 0 {
				return fmt.Errorf("blacklist: %x is not behind %x", l.key(), last.key())
			}
			last, first = l, false
		}
		if string(k) != string(last.key()) {
			return fmt.Errorf("blacklist: block %x ends with %x", k, last.key())
		}
		return nil
	})
}
