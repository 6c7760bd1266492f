package spool

import (
	"cmp"
	"encoding/binary"

	"fieldpost/gateway"
)

// blockSize is how many entries one block of the packed list holds. 512 keep a
// block of a dense list near 1 KiB and its search near 1 µs.
const blockSize = 512

// The first byte of a block.
const (
	blockUniform = 1 // the scope of all entries, then number deltas
	blockMixed   = 2 // number delta and scope of each entry
)

// listing is one entry of the blacklist, packed. Its scope is the campaign's lane
// (0 = every campaign) shifted by one, with the lowest bit set for an opt-out: a
// listing and an opt-out of one number are two entries, so that neither can take
// the other away.
type listing struct {
	number uint64 // gateway.Address.Packed
	scope  uint32
}

// listingSize is the size of a listing as a key.
const listingSize = 12

// scopeOf packs a lane and the opt-out flag.
func scopeOf(lane uint32, optOut bool) uint32 {
	if optOut {
		return lane<<1 | 1
	}
	return lane << 1
}

func (l listing) optOut() bool { return l.scope&1 == 1 }
func (l listing) lane() uint32 { return l.scope >> 1 }

func (l listing) compare(o listing) int {
	if c := cmp.Compare(l.number, o.number); c != 0 {
		return c
	}
	return cmp.Compare(l.scope, o.scope)
}

// key gives the entry in the order of compare.
func (l listing) key() []byte {
	k := make([]byte, 0, listingSize)
	k = binary.BigEndian.AppendUint64(k, l.number)
	return binary.BigEndian.AppendUint32(k, l.scope)
}

// parseListing undoes key; a key of another length is not an entry.
func parseListing(k []byte) (listing, bool) {
	if len(k) != listingSize {
		return listing{}, false
	}
	return listing{binary.BigEndian.Uint64(k), binary.BigEndian.Uint32(k[8:])}, true
}

// appendBlock packs entries, which are in order and differ, behind dst.
func appendBlock(dst []byte, ls []listing) []byte {
	uniform := true
	for _, l := range ls {
		uniform = uniform && l.scope == ls[0].scope
	}
	if uniform {
		dst = append(dst, blockUniform)
		dst = binary.AppendUvarint(dst, uint64(ls[0].scope))
	} else {
		dst = append(dst, blockMixed)
	}
	var last uint64
	for _, l := range ls {
		dst = binary.AppendUvarint(dst, l.number-last)
		if !uniform {
			dst = binary.AppendUvarint(dst, uint64(l.scope))
		}
		last = l.number
	}
	return dst
}

// blockScan reads a block from its front.
type blockScan struct {
	rest  []byte
	mixed bool
	at    listing
}

// errBlock says that a block cannot be read. Nothing is deleted for it: the
// caller must not send while it does not know who is listed.
func errBlock() error {
	return gateway.Errorf(gateway.KindInternal, "a block of the blacklist cannot be read: import the list again")
}

func scanBlock(b []byte) (blockScan, error) {
	if len(b) == 0 || b[0] != blockUniform && b[0] != blockMixed {
		return blockScan{}, errBlock()
	}
	s := blockScan{rest: b[1:], mixed: b[0] == blockMixed}
	if s.mixed {
		return s, nil
	}
	scope, ok := s.uvarint()
	s.at.scope = uint32(scope)
	if !ok || scope > 1<<32-1 {
		return s, errBlock()
	}
	return s, nil
}

// next gives the next entry; false at the end.
func (s *blockScan) next() (listing, bool, error) {
	if len(s.rest) == 0 {
		return listing{}, false, nil
	}
	delta, ok := s.uvarint()
	if !ok {
		return listing{}, false, errBlock()
	}
	s.at.number += delta
	if s.mixed {
		scope, ok := s.uvarint()
		if !ok || scope > 1<<32-1 {
			return listing{}, false, errBlock()
		}
		s.at.scope = uint32(scope)
	}
	return s.at, true, nil
}

func (s *blockScan) uvarint() (uint64, bool) {
	// Most deltas of a dense list fit one or two bytes.
	if len(s.rest) > 0 && s.rest[0] < 0x80 {
		v := uint64(s.rest[0])
		s.rest = s.rest[1:]
		return v, true
	}
	v, n := binary.Uvarint(s.rest)
	if n <= 0 {
		return 0, false
	}
	s.rest = s.rest[n:]
	return v, true
}
