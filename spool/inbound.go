package spool

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// The buckets of the inbound messages.
var (
	bucketInbound  = []byte("inbound")           // seq u64be -> gateway.Inbound
	bucketSeen     = []byte("inbound.seen")      // fingerprint -> ms u64be, seq u64be (0 = in an open set)
	bucketSeenTime = []byte("inbound.seen.time") // ms u64be, fingerprint -> empty
)

const (
	// keepSeen is how long a TPDU that comes again is known.
	keepSeen = 72 * time.Hour
	// trimSeen is how many old fingerprints one new TPDU may remove.
	trimSeen = 4
	// maxPart bounds one part, in bytes of all its fields. A TPDU has 176 octets at
	// most (TS 23.040 §9.2.3.24); a cloud may hand over a whole long text.
	maxPart = 256 << 10
	// maxTotal is the most segments that a header can announce (TS 23.040 §9.2.3.24.1).
	maxTotal = 255
)

// Inbound stores one received TPDU and returns when it is on disk. delivered says
// that a message came of it, or was corrected by it: in is that message. A segment
// whose message is not complete yet gives false. The same TPDU again stores nothing
// and gives what it gave before: its SIM, sender, SCTS, segment and content name it, never its text alone.
//
// A TPDU that could not be read is a message of its own, with its Raw kept.
func (s *Spool) Inbound(ctx context.Context, channel, sim string, p modem.Part) (in gateway.Inbound, delivered bool, err error) {
	if n := len(p.From) + len(p.Text) + len(p.Septets) + len(p.Octets) + len(p.Raw) + len(p.Undecoded) + len(p.SMSC); n > maxPart {
		return in, false, gateway.Invalid("part", "has %d bytes; at most %d are taken", n, maxPart)
	}
	p.From = strings.ToValidUTF8(p.From, "\uFFFD")
	p.Undecoded = strings.ToValidUTF8(p.Undecoded, "\uFFFD")
	err = s.update(ctx, func(t *tx) (err error) {
		in, delivered, err = t.inbound(channel, sim, p)
		return err
	})
	if err != nil {
		return gateway.Inbound{}, false, err
	}
	return in, delivered, nil
}

func (t *tx) inbound(channel, sim string, p modem.Part) (gateway.Inbound, bool, error) {
	hash := fingerprint(sim, &p)
	seq, known, err := t.seen(hash)
	switch {
	case err != nil:
		return gateway.Inbound{}, false, err
	case known && seq == 0:
		return gateway.Inbound{}, false, nil
	case known:
		in, err := t.readInbound(seq)
		if err != nil { // stored once, and lost since: the driver need not keep it
			return gateway.Inbound{Seq: seq}, true, t.aside(bucketInbound, u64(seq), err)
		}
		return in, true, nil
	}
	if err := t.notice(hash); err != nil {
		return gateway.Inbound{}, false, err
	}
	p.SentAt = t.orNow(p.SentAt).UTC()
	if alone(&p) {
		in, err := t.deliverAlone(channel, &p, hash)
		return in, err == nil, err
	}
	return t.addPiece(setOf(channel, sim, &p), pieceOf(&p, hash))
}

// alone says that a part is a message of its own. A header whose numbers make no
// sense is ignored (TS 23.040 §9.2.3.24.1).
func alone(p *modem.Part) bool {
	return p.Undecoded != "" || p.Total <= 1 || p.Total > maxTotal || p.Seq < 1 || p.Seq > p.Total
}

func (t *tx) deliverAlone(channel string, p *modem.Part, hash []byte) (gateway.Inbound, error) {
	in := gateway.Inbound{
		From: t.sender(p.From), Typed: p.From, Channel: channel, ICCID: p.ICCID, SMSC: p.SMSC,
		SentAt: p.SentAt, ReceivedAt: t.now, Segments: 1, Raw: []string{p.Raw}, Undecoded: p.Undecoded,
	}
	one := pieceOf(p, hash)
	one.Seq = 1
	text, why := joinPieces([]piece{one}, 1)
	if in.Text = one.Text; in.Text == "" {
		in.Text = text
	}
	if in.Undecoded == "" {
		in.Undecoded = why
	}
	if err := t.putInbound(&in, false); err != nil {
		return in, err
	}
	return in, t.seenAs(hash, in.Seq)
}

// sender gives the address of a sender as the site writes numbers; one that cannot
// be normalised stays as the network wrote it.
func (t *tx) sender(typed string) gateway.Address {
	if t.s.o.Normalise != nil {
		if a, err := t.s.o.Normalise(typed); err == nil {
			return a
		}
	}
	return gateway.Address(typed)
}

// putInbound stores a message, new or known, and tells of it.
func (t *tx) putInbound(in *gateway.Inbound, known bool) error {
	b := t.bucket(bucketInbound)
	if !known {
		seq, err := b.NextSequence()
		if err != nil {
			return err
		}
		in.Seq = seq
		b.FillPercent = fillAppended
	}
	if err := t.judge(in); err != nil {
		return err
	}
	if err := putSealed(b, u64(in.Seq), in); err != nil {
		return err
	}
	e := gateway.InboundEvent{
		ID: strconv.FormatUint(in.Seq, 10), From: string(in.From), Text: in.Text, Campaign: in.Campaign,
		Channel: in.Channel, ICCID: in.ICCID, SentAt: in.SentAt, ReceivedAt: in.ReceivedAt,
		Segments: int(in.Segments), Incomplete: in.Incomplete, Corrected: known, Undecoded: in.Undecoded,
	}
	if in.Wish != gateway.WishNone {
		e.Wish = in.Wish.String()
	}
	return t.emit(gateway.EventInbound, e)
}

func (t *tx) readInbound(seq uint64) (gateway.Inbound, error) { return readInbound(t.b, seq) }

func readInbound(b *bbolt.Tx, seq uint64) (in gateway.Inbound, err error) {
	key := u64(seq)
	v := b.Bucket(bucketInbound).Get(key)
	if v == nil {
		return in, gateway.Errorf(gateway.KindNotFound, "no inbound message has this id")
	}
	err = readSealed(key, v, &in)
	return in, err
}

// ListInbound gives the inbound messages, newest first. cursor is "" for the first
// page and what the page before gave for the next; "" after the last. limit is 1 to
// 1000; 0 = 100.
func (s *Spool) ListInbound(cursor string, limit int) ([]gateway.Inbound, string, error) {
	var out []gateway.Inbound
	next, err := s.pageBack(bucketInbound, cursor, limit, func(seq uint64, v []byte) error {
		var in gateway.Inbound
		if err := readSealed(u64(seq), v, &in); err != nil {
			return err
		}
		out = append(out, in)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return out, next, nil
}

// fingerprint names a TPDU for as long as it may come again; nil when nothing but
// its text would name it: trackers send identical texts.
func fingerprint(sim string, p *modem.Part) []byte {
	switch {
	case p.ID != "":
		return digest([]byte(p.ID))
	case p.Raw == "" && p.SentAt.IsZero():
		return nil
	}
	var sent uint64
	if !p.SentAt.IsZero() {
		sent = uint64(p.SentAt.UnixNano())
	}
	place := binary.BigEndian.AppendUint64(nil, sent)
	place = binary.BigEndian.AppendUint16(place, p.Ref)
	place = binary.BigEndian.AppendUint32(place, uint32(p.Total))
	place = binary.BigEndian.AppendUint32(place, uint32(p.Seq))
	if p.Wide {
		place = append(place, 1)
	}
	if p.Raw != "" {
		return digest([]byte(sim), []byte(p.From), place, []byte(strings.ToUpper(p.Raw)))
	}
	return digest([]byte(sim), []byte(p.From), place, []byte(p.Text), p.Septets, p.Octets)
}

// seen says whether a TPDU came before, and what message came of it.
func (t *tx) seen(hash []byte) (seq uint64, known bool, err error) {
	v := t.bucket(bucketSeen).Get(hash)
	if hash == nil || v == nil {
		return 0, false, nil
	}
	at, seq, err := decodeSeen(v)
	return seq, err == nil && t.now.Sub(at) <= keepSeen, err
}

func decodeSeen(v []byte) (at time.Time, seq uint64, err error) {
	if len(v) != 16 {
		return at, 0, gateway.Errorf(gateway.KindInternal, "the fingerprint of an inbound message cannot be read")
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(v))).UTC(), binary.BigEndian.Uint64(v[8:]), nil
}

// notice remembers a TPDU.
func (t *tx) notice(hash []byte) error {
	if hash == nil {
		return nil
	}
	rows, times := t.bucket(bucketSeen), t.bucket(bucketSeenTime)
	if v := rows.Get(hash); v != nil { // so old that it counts as new
		at, _, err := decodeSeen(v)
		if err != nil {
			return err
		}
		if err := times.Delete(timeKey(at, hash)); err != nil {
			return err
		}
	}
	key := timeKey(t.now, hash)
	if err := times.Put(key, present); err != nil {
		return err
	}
	if err := rows.Put(hash, append(key[:8:8], u64(0)...)); err != nil {
		return err
	}
	return t.trimOld(bucketSeenTime, bucketSeen, keepSeen, trimSeen)
}

// seenAs notes what message came of a TPDU.
func (t *tx) seenAs(hash []byte, seq uint64) error {
	rows := t.bucket(bucketSeen)
	v := rows.Get(hash)
	if hash == nil || len(v) != 16 {
		return nil // never named, or forgotten since
	}
	return rows.Put(hash, append(append([]byte(nil), v[:8]...), u64(seq)...))
}

// putSealed stores a value in JSON under the checksum of its record.
func putSealed(b *bbolt.Bucket, key []byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, seal(key, append([]byte{recordVersion}, body...)))
}

func readSealed(key, rec []byte, to any) error {
	body, err := unseal(key, rec)
	if err != nil {
		return gateway.Errorf(gateway.KindInternal, "a record cannot be read: %w", err)
	}
	if err := json.Unmarshal(body, to); err != nil {
		return gateway.Errorf(gateway.KindInternal, "a record cannot be read: %w", err)
	}
	return nil
}
