package spool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// The buckets of reassembly. A set is open until it is delivered; one that was
// delivered incomplete stays for late segments.
var (
	bucketSets     = []byte("inbound.sets")      // id u64be -> partSet
	bucketSetKey   = []byte("inbound.sets.key")  // partSet.key, id -> empty
	bucketSetOpen  = []byte("inbound.sets.open") // id of each open set -> empty
	bucketSetFrom  = []byte("inbound.sets.from") // partSet.sender, id of each open set -> empty
	bucketSetLates = []byte("inbound.sets.late") // id of each delivered set -> empty
)

const (
	// setSpan is how far apart the SCTS of two segments of one message may lie.
	setSpan = time.Hour
	// maxOpenSets and maxSenderSets bound the open sets of all and of one sender:
	// past them the oldest is delivered incomplete.
	maxOpenSets   = 1000
	maxSenderSets = 16
	// maxLateSets bounds the delivered sets that wait for late segments.
	maxLateSets = 4000
	// keepLate is how long a late segment still finds its message.
	keepLate = 72 * time.Hour
	// trimLate is how many old sets one new set may remove.
	trimLate = 4
	// flushSets is how many sets one commit of FlushParts delivers.
	flushSets = 50
)

// partSet is the segments of one message, so far.
type partSet struct {
	id      uint64
	SIM     string    `json:"sim"`
	From    string    `json:"from"` // as the network wrote it
	Channel string    `json:"channel"`
	ICCID   string    `json:"iccid,omitempty"`
	SMSC    string    `json:"smsc,omitempty"`
	Ref     uint16    `json:"ref"`
	Wide    bool      `json:"wide,omitempty"`
	Total   int       `json:"total"`
	Opened  time.Time `json:"opened"`
	Inbound uint64    `json:"inbound,omitempty"` // what it was delivered as; 0 = open
	Pieces  []piece   `json:"pieces"`
}

// key names what a segment must share with the others of its message: SIM, sender,
// width and value of the reference, and total (TS 23.040 §9.2.3.24.1, §9.2.3.24.8).
func (p *partSet) key() []byte {
	wide := []byte{0}
	if p.Wide {
		wide[0] = 1
	}
	return digest([]byte(p.SIM), []byte(p.From), wide, binary.BigEndian.AppendUint16(nil, p.Ref), []byte{byte(p.Total)})
}

func (p *partSet) sender() []byte { return digest([]byte(p.SIM), []byte(p.From)) }

func (p *partSet) complete() bool { return len(p.Pieces) == p.Total }

// distance says how far a segment's time lies from the set's, and whether the set
// can hold it: its slot is free and no segment was sent more than setSpan away.
func (p *partSet) distance(seq int, sentAt time.Time) (time.Duration, bool) {
	least := setSpan
	for i := range p.Pieces {
		d := p.Pieces[i].SentAt.Sub(sentAt).Abs()
		if p.Pieces[i].Seq == seq || d > setSpan {
			return 0, false
		}
		least = min(least, d)
	}
	return least, true
}

// digest names a list of values in 16 bytes; lengths keep them apart.
func digest(values ...[]byte) []byte {
	h := sha256.New()
	for _, v := range values {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		h.Write(v)
	}
	return h.Sum(nil)[:16]
}

// findSet gives the set that a segment belongs to: of those that can hold it the
// one sent closest to it, then the oldest. It makes a new one where none can: a
// sender uses its reference again, and two messages must never be mixed (S22).
func (t *tx) findSet(want partSet, p piece) (*partSet, error) {
	first := want.key()
	var bad [][]byte
	var best *partSet
	var least time.Duration
	c := t.bucket(bucketSetKey).Cursor()
	for k, _ := c.Seek(first); bytes.HasPrefix(k, first); k, _ = c.Next() {
		set, err := t.set(k[len(first):])
		if err != nil {
			bad = append(bad, bytes.Clone(k[len(first):]))
			continue
		}
		if d, ok := set.distance(p.Seq, p.SentAt); ok && (best == nil || d < least) {
			best, least = set, d
		}
	}
	for _, id := range bad {
		if err := t.asideSet(id); err != nil {
			return nil, err
		}
	}
	if best != nil {
		return best, nil
	}
	if err := t.makeRoom(&want); err != nil {
		return nil, err
	}
	id, err := t.bucket(bucketSets).NextSequence()
	if err != nil {
		return nil, err
	}
	want.id, want.Opened = id, t.now
	for bucket, key := range map[*bbolt.Bucket][]byte{
		t.bucket(bucketSetKey):  append(first, u64(id)...),
		t.bucket(bucketSetOpen): u64(id),
		t.bucket(bucketSetFrom): append(want.sender(), u64(id)...),
	} {
		if err := bucket.Put(key, present); err != nil {
			return nil, err
		}
	}
	return &want, nil
}

// makeRoom keeps the open sets bounded: the oldest is delivered as it is.
func (t *tx) makeRoom(want *partSet) error {
	sender := want.sender()
	if keys := firstKeys(t.bucket(bucketSetFrom), sender, maxSenderSets); len(keys) == maxSenderSets {
		if err := t.deliverIncomplete(keys[0][len(sender):]); err != nil {
			return err
		}
	}
	if keys := firstKeys(t.bucket(bucketSetOpen), nil, maxOpenSets); len(keys) == maxOpenSets {
		if err := t.deliverIncomplete(keys[0]); err != nil {
			return err
		}
	}
	return t.trimLates()
}

// trimLates forgets sets that were delivered long ago, and the oldest of too many.
func (t *tx) trimLates() error {
	keys := firstKeys(t.bucket(bucketSetLates), nil, maxLateSets+trimLate)
	for i, k := range keys[:min(trimLate, len(keys))] {
		set, err := t.set(k)
		if err != nil {
			return t.asideSet(k)
		}
		if len(keys)-i <= maxLateSets && t.now.Sub(set.Opened) <= keepLate {
			return nil
		}
		if err := t.dropSet(set); err != nil {
			return err
		}
	}
	return nil
}

// firstKeys copies up to n keys that begin with first.
func firstKeys(b *bbolt.Bucket, first []byte, n int) [][]byte {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(first); k != nil && bytes.HasPrefix(k, first) && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

func (t *tx) set(id []byte) (*partSet, error) {
	set := &partSet{}
	if err := readSealed(id, t.bucket(bucketSets).Get(id), set); err != nil {
		return nil, err
	}
	set.id = binary.BigEndian.Uint64(id)
	return set, nil
}

// asideSet moves a set that cannot be read to quarantine, so that it holds up
// nobody.
func (t *tx) asideSet(id []byte) error {
	_, why := t.set(id)
	if why == nil {
		return nil
	}
	return t.asideWithIndex(bucketSets, id, why, bucketSetKey, bucketSetOpen, bucketSetFrom, bucketSetLates)
}

func (t *tx) putSet(set *partSet) error {
	return putSealed(t.bucket(bucketSets), u64(set.id), set)
}

// dropSet forgets a set.
func (t *tx) dropSet(set *partSet) error {
	id := u64(set.id)
	for bucket, key := range map[*bbolt.Bucket][]byte{
		t.bucket(bucketSets):     id,
		t.bucket(bucketSetKey):   append(set.key(), id...),
		t.bucket(bucketSetOpen):  id,
		t.bucket(bucketSetFrom):  append(set.sender(), id...),
		t.bucket(bucketSetLates): id,
	} {
		if err := bucket.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// addPiece puts a segment into its set, and delivers the message when it can be.
func (t *tx) addPiece(want partSet, p piece) (gateway.Inbound, bool, error) {
	set, err := t.findSet(want, p)
	if err != nil {
		return gateway.Inbound{}, false, err
	}
	set.Pieces = append(set.Pieces, p)
	if !set.complete() && set.Inbound == 0 {
		return gateway.Inbound{}, false, t.putSet(set)
	}
	in, err := t.deliver(set)
	if err != nil {
		return gateway.Inbound{}, false, err
	}
	if set.complete() {
		return in, true, t.dropSet(set)
	}
	return in, true, t.putSet(set)
}

// deliverIncomplete delivers an open set as it is and keeps it for late segments.
func (t *tx) deliverIncomplete(id []byte) error {
	set, err := t.set(id)
	if err != nil {
		return t.asideSet(id)
	}
	if _, err := t.deliver(set); err != nil {
		return err
	}
	if err := t.bucket(bucketSetOpen).Delete(id); err != nil {
		return err
	}
	if err := t.bucket(bucketSetFrom).Delete(append(set.sender(), id...)); err != nil {
		return err
	}
	if err := t.bucket(bucketSetLates).Put(id, present); err != nil {
		return err
	}
	return t.putSet(set)
}

// deliver stores a set's message: a new one, or the one it was delivered as before.
func (t *tx) deliver(set *partSet) (gateway.Inbound, error) {
	in := gateway.Inbound{
		From: t.sender(set.From), Typed: set.From, Channel: set.Channel, ICCID: set.ICCID, SMSC: set.SMSC, ReceivedAt: t.now,
	}
	known := set.Inbound != 0
	if known {
		had, err := t.readInbound(set.Inbound)
		if err == nil {
			in = had
		} else if err := t.aside(bucketInbound, u64(set.Inbound), err); err != nil {
			return in, err
		} else {
			known = false // what is left of it is a message of its own
		}
	}
	in.Segments, in.Incomplete = uint8(set.Total), !set.complete()
	in.Text, in.Undecoded = joinPieces(set.Pieces, set.Total)
	in.SentAt, in.Raw = set.Pieces[0].SentAt, nil
	for i := range set.Pieces {
		if at := set.Pieces[i].SentAt; at.Before(in.SentAt) {
			in.SentAt = at
		}
		in.Raw = append(in.Raw, set.Pieces[i].Raw)
	}
	if err := t.putInbound(&in, known); err != nil {
		return in, err
	}
	set.Inbound = in.Seq
	for i := range set.Pieces {
		if err := t.seenAs(set.Pieces[i].Hash, in.Seq); err != nil {
			return in, err
		}
	}
	return in, nil
}

// FlushParts delivers the open sets that began before a time, incomplete, and says
// how many. A segment that comes later completes the same message.
func (s *Spool) FlushParts(ctx context.Context, olderThan time.Time) (int, error) {
	var ids [][]byte
	err := s.view(func(b *bbolt.Tx) error {
		ids = firstKeys(b.Bucket(bucketSetOpen), nil, maxOpenSets)
		return nil
	})
	total := 0
	for len(ids) > 0 && err == nil {
		some := ids[:min(flushSets, len(ids))]
		ids = ids[len(some):]
		n := 0
		err = s.update(ctx, func(t *tx) error {
			n = 0
			for _, id := range some {
				done, err := t.flushSet(id, olderThan)
				if err != nil {
					return err
				}
				if done {
					n++
				}
			}
			return nil
		})
		if err == nil {
			total += n
		}
	}
	return total, err
}

func (t *tx) flushSet(id []byte, olderThan time.Time) (bool, error) {
	if t.bucket(bucketSets).Get(id) == nil {
		return false, nil // completed meanwhile
	}
	set, err := t.set(id)
	if err != nil {
		return false, t.asideSet(id)
	}
	if set.Inbound != 0 || !set.Opened.Before(olderThan) {
		return false, nil
	}
	return true, t.deliverIncomplete(id)
}

// setOf gives the set that a segment asks for.
func setOf(channel, sim string, p *modem.Part) partSet {
	return partSet{
		SIM: sim, From: p.From, Channel: channel, ICCID: p.ICCID, SMSC: p.SMSC,
		Ref: p.Ref, Wide: p.Wide, Total: p.Total,
	}
}
