package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// bucketEnds lists the minutes in which waiting rows may end: minute u32be, block
// u64be -> empty. A block is endBlock entry positions, so that rows which come together
// share an entry: most of them cost no page. Nothing is taken away when a row leaves the
// queue before its time; the entry goes when its minute has passed.
var bucketEnds = []byte("~ends")

const (
	endBlock  = 32
	endsChunk = 32 // entries that one commit looks through: about as many rows as another chunk
)

// Expire ends the waiting rows whose validity has ended, queued or held, whatever
// becomes of their lane: the dialer looks only at those of lanes that run. A row that
// is at a device is left to its outcome. It goes by the clock, so it is for a caller
// that trusts it. It gives how many ended, also when ctx stopped it half way.
func (s *Spool) Expire(ctx context.Context) (int, error) {
	total := 0
	for from := u64(0)[:4]; from != nil; {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		due, err := s.endsDue(from)
		if err != nil || !due {
			return total, err
		}
		var n int
		start := from
		err = s.updateRows(ctx, chunk, func(t *tx) (err error) {
			n, from, err = t.expire(start)
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// endsDue says whether a minute has passed in which rows may have ended.
func (s *Spool) endsDue(from []byte) (due bool, err error) {
	now := s.o.Now()
	err = s.view(func(b *bbolt.Tx) error {
		k, _ := b.Bucket(bucketEnds).Cursor().Seek(from)
		due = k != nil && binary.BigEndian.Uint32(k) <= minute(now)
		return nil
	})
	return due, err
}

// expire looks through a chunk of entries whose minute has passed. next is where to
// go on; nil = at the end of what has passed.
func (t *tx) expire(from []byte) (n int, next []byte, err error) {
	var passed [][]byte // collected first: a cursor that deletes skips keys (bbolt#146)
	c := t.bucket(bucketEnds).Cursor()
	for k, _ := c.Seek(from); k != nil && binary.BigEndian.Uint32(k) <= minute(t.now); k, _ = c.Next() {
		if len(passed) == endsChunk {
			next = bytes.Clone(k)
			break
		}
		passed = append(passed, bytes.Clone(k))
	}
	for _, k := range passed {
		ended, left, err := t.expireBlock(binary.BigEndian.Uint64(k[4:]))
		if err != nil {
			return 0, nil, err
		}
		n += ended
		if left {
			continue
		}
		if err := t.bucket(bucketEnds).Delete(k); err != nil {
			return 0, nil, err
		}
	}
	return n, next, nil
}

// expireBlock ends the rows of a block whose validity has ended; left says that one
// of them is at a device, and is to be looked at again.
func (t *tx) expireBlock(block uint64) (n int, left bool, err error) {
	for idm := block * endBlock; idm < (block+1)*endBlock; idm++ {
		m, err := t.message(idm)
		if gateway.KindOf(err) == gateway.KindNotFound {
			continue
		}
		if err != nil {
			if err := t.skipDamaged(err); err != nil {
				return 0, false, err
			}
			continue
		}
		switch {
		case !mayEnd(m) || m.ValidUntil.After(t.now):
		case hasIntent(t.b, idm):
			left = true
		default:
			m.Kind, m.Reason = gateway.KindNone, ExpiredText(m)
			if err := t.end(m, gateway.StatusExpired, gateway.Transition{Text: m.Reason}); err != nil {
				return 0, false, err
			}
			n++
		}
	}
	return n, left, nil
}

// ExpiredText says when a message's validity ended, and how much of it was out.
func ExpiredText(m *gateway.Message) string {
	text := "its validity ended at " + m.ValidUntil.UTC().Format("2006-01-02 15:04:05") + " UTC before it could go"
	n := 0
	for i := range m.Parts {
		if out(m.Parts[i].Status) {
			n++
		}
	}
	if n > 0 {
		text += fmt.Sprintf(", with %d of %d segments out", n, max(m.Segments, 1))
	}
	return text
}

// mayEnd says that a message waits, and not for ever.
func mayEnd(m *gateway.Message) bool {
	return (m.Status == gateway.StatusQueued || m.Status == gateway.StatusHeld) && !m.ValidUntil.IsZero()
}

// noteEnd lists a message that waits under the minute of its end.
func (t *tx) noteEnd(m *gateway.Message) error {
	if !mayEnd(m) {
		return nil
	}
	ends, k := t.bucket(bucketEnds), endKey(m)
	if ends.Get(k) != nil {
		return nil
	}
	return ends.Put(k, present)
}

func endKey(m *gateway.Message) []byte {
	// The minute after, and counted from what a record keeps: microseconds.
	at := m.ValidUntil.Truncate(time.Microsecond).Add(time.Minute - time.Microsecond)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, minute(at)), m.IDM/endBlock)
}

// minute counts the whole minutes since 1970.
func minute(at time.Time) uint32 {
	return uint32(min(max(at.Unix()/60, 0), math.MaxUint32))
}

// checkEnds: no key is of another form. That every row has its entry is proven with
// the rows.
func (s *Spool) checkEnds(_ context.Context, b *bbolt.Tx) error {
	last := b.Bucket(bucketMsg).Sequence() / endBlock
	return b.Bucket(bucketEnds).ForEach(func(k, v []byte) error {
		if len(k) != 12 || len(v) != 0 || u64be(k[4:]) > last {
			return fmt.Errorf("ends: entry %x is none", k)
		}
		return nil
	})
}

// checkEnd: a row that may end is in the list of ends.
func checkEnd(b *bbolt.Tx, m *gateway.Message) error {
	if mayEnd(m) && b.Bucket(bucketEnds).Get(endKey(m)) == nil {
		return fmt.Errorf("message %d, %s until %s: it is not in the list of ends", m.IDM, m.Status, m.ValidUntil.UTC().Format(time.RFC3339))
	}
	return nil
}
