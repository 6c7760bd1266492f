package spool

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// The buckets of the blacklist. The packed list has a bucket of its own for each
// generation, named bucketBlocks and the generation; an import writes the next one
// beside it and swaps them in one commit. Single edits lie over it in bucketListed
// and bucketUnlisted.
var (
	bucketBlack    = []byte("blacklist")         // stateKey -> blackState
	bucketListed   = []byte("blacklist.add")     // listing -> addition
	bucketUnlisted = []byte("blacklist.remove")  // listing -> edit number
	bucketTouched  = []byte("blacklist.touched") // listings edited while a generation is built
	bucketBlocks   = []byte("blacklist.blocks.") // prefix: last listing of the block -> block

	stateKey = []byte("state")
)

// maxSource is how many bytes the name of who listed a number may have.
const maxSource = 255

// blackState is what the blacklist knows of itself.
type blackState struct {
	gen      uint64 // generation of the packed list; 0 = none yet
	base     uint64 // edits up to this one are in the packed list
	edits    uint64 // number of the last edit
	size     uint64 // entries
	building uint64 // generation that an import writes; 0 = none
	untidy   uint64 // 1 = the generation before gen, and the edits that gen holds, are being deleted
}

const stateSize = 1 + 6*8

func (s *blackState) encode() []byte {
	b := append(make([]byte, 0, stateSize), 1) // version
	for _, n := range []uint64{s.gen, s.base, s.edits, s.size, s.building, s.untidy} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func decodeState(b []byte) (blackState, error) {
	var st blackState
	if b == nil {
		return st, nil
	}
	if len(b) != stateSize || b[0] != 1 {
		return st, gateway.Errorf(gateway.KindInternal, "the state of the blacklist cannot be read")
	}
	for i, n := range []*uint64{&st.gen, &st.base, &st.edits, &st.size, &st.building, &st.untidy} {
		*n = binary.BigEndian.Uint64(b[1+8*i:])
	}
	return st, nil
}

// editOf gives the number of an edit from its value; 0 for one that cannot be read.
func editOf(v []byte) uint64 {
	if len(v) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// blocksName names the bucket of a generation.
func blocksName(gen uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(nil), bucketBlocks...), gen)
}

// addition is the value of one entry in the overlay.
type addition struct {
	edit     uint64
	imported bool // came with a list: the next packed list takes it in
	at       time.Time
	source   string
}

func (a addition) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 17+len(a.source)), a.edit)
	b = binary.BigEndian.AppendUint64(b, uint64(a.at.UnixMilli()))
	if a.imported {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return append(b, a.source...)
}

func decodeAddition(b []byte) (addition, error) {
	if len(b) < 17 {
		return addition{}, gateway.Errorf(gateway.KindInternal, "an entry of the blacklist cannot be read")
	}
	return addition{
		edit:     binary.BigEndian.Uint64(b),
		at:       time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:]))).UTC(),
		imported: b[16] == 1,
		source:   string(b[17:]),
	}, nil
}

// blackView reads the blacklist within one transaction.
type blackView struct {
	st               blackState
	listed, unlisted *bbolt.Bucket
	blocks           *bbolt.Bucket // nil before the first large import
}

func viewBlack(b *bbolt.Tx) (blackView, error) {
	st, err := decodeState(b.Bucket(bucketBlack).Get(stateKey))
	if err != nil {
		return blackView{}, err
	}
	v := blackView{st: st, listed: b.Bucket(bucketListed), unlisted: b.Bucket(bucketUnlisted)}
	if st.gen == 0 {
		return v, nil
	}
	if v.blocks = b.Bucket(blocksName(st.gen)); v.blocks == nil {
		return v, gateway.Errorf(gateway.KindInternal, "the packed blacklist is missing: import the list again")
	}
	return v, nil
}

// has says whether an entry is in force.
func (v *blackView) has(l listing) (bool, error) {
	if v.listed.Get(l.key()) != nil {
		return true, nil
	}
	packed, err := v.packed(l)
	return packed && !v.removed(l), err
}

// packed says whether an entry is in the packed list.
func (v *blackView) packed(l listing) (bool, error) {
	at, ok, err := v.blocksFrom(l)()
	return ok && at == l, err
}

// removed says that an edit took an entry out of the packed list. An edit that is
// older than the packed list says nothing about it: that list was made with it.
func (v *blackView) removed(l listing) bool {
	return editOf(v.unlisted.Get(l.key())) > v.st.base
}

// blocksFrom gives the packed entries from l on. Blocks are named by their last
// entry, so the first block at or after l is the one that can hold it.
func (v *blackView) blocksFrom(l listing) stream {
	if v.blocks == nil {
		return sliceStream(nil)
	}
	c := v.blocks.Cursor()
	k, block := c.Seek(l.key())
	var scan blockScan
	fresh := true
	return func() (listing, bool, error) {
		for k != nil {
			if fresh {
				var err error
				if scan, err = scanBlock(block); err != nil {
					return listing{}, false, err
				}
				fresh = false
			}
			at, ok, err := scan.next()
			if err != nil {
				return listing{}, false, err
			}
			if !ok {
				k, block = c.Next()
				fresh = true
				continue
			}
			if at.compare(l) >= 0 {
				return at, true, nil
			}
		}
		return listing{}, false, nil
	}
}

// match says whether a number is listed for a lane or for all.
func (v *blackView) match(number uint64, lane uint32) (listed, optOut bool, err error) {
	note := func(l listing) {
		listed = true
		optOut = optOut || l.optOut()
	}
	var wanted [4]listing
	scopes := wanted[:0]
	for _, ln := range []uint32{0, lane} {
		scopes = append(scopes, listing{number, scopeOf(ln, false)}, listing{number, scopeOf(ln, true)})
	}
	if lane == 0 {
		scopes = scopes[:2]
	}
	for _, l := range scopes {
		if v.listed.Get(l.key()) != nil {
			note(l)
		}
	}
	if optOut {
		return listed, optOut, nil
	}
	next := v.blocksFrom(listing{number: number})
	for {
		l, ok, err := next()
		if err != nil || !ok || l.number != number {
			return listed, optOut, err
		}
		if (l.lane() == 0 || l.lane() == lane) && !v.removed(l) {
			note(l)
		}
	}
}

// Listed says whether a number may not be called for a campaign: it is listed for
// that campaign or for all. optOut says that the customer asked for it, which holds
// even where the blacklist is not consulted. An error means that nobody knows: do
// not send.
func (s *Spool) Listed(to gateway.Address, campaign string) (listed, optOut bool, err error) {
	number, ok := to.Packed()
	if !ok {
		return false, false, nil // nothing else can be on the list
	}
	err = s.view(func(b *bbolt.Tx) error {
		v, err := viewBlack(b)
		if err != nil {
			return err
		}
		var lane uint32 // a campaign that nothing was ever entered for has none
		if campaign != "" {
			lane, _ = s.laneID(campaign)
		}
		listed, optOut, err = v.match(number, lane)
		return err
	})
	return listed, optOut, err
}

// BlacklistSize is the number of entries. A number that is listed and opted out
// counts twice.
func (s *Spool) BlacklistSize() uint64 {
	var n uint64
	err := s.view(func(b *bbolt.Tx) error {
		st, err := decodeState(b.Bucket(bucketBlack).Get(stateKey))
		n = st.size
		return err
	})
	if err != nil {
		return 0
	}
	return n
}
