package spool

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// The buckets of customers' wishes.
var (
	bucketWishes    = []byte("inbound.wish")       // wish u8, seq u64be -> empty
	bucketUnreplied = []byte("inbound.wish.reply") // seq u64be of a wish that changed the list, not confirmed yet -> empty
)

func wishKey(w gateway.Wish, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(w)}, seq)
}

// wishSource names a customer's message as the source of an opt-out: the proof.
func wishSource(seq uint64) string { return "sms:" + strconv.FormatUint(seq, 10) }

// judge hears a message's wish, when it is whole, and does it in the same commit. What
// a person decided stays.
func (t *tx) judge(in *gateway.Inbound) error {
	if t.s.o.Judge == nil || in.Incomplete || in.Undecoded != "" || in.Wish != gateway.WishNone || in.WishBy != "" {
		return nil
	}
	w := t.s.o.Judge(in.Text)
	if !in.From.E164() {
		// A name or a service number cannot be listed. It advertises its own word for stop
		// all day; that word alone is for a person.
		if w != gateway.WishStop && w != gateway.WishStart {
			return nil
		}
		w = gateway.WishNear
	}
	if w == gateway.WishStart {
		var err error
		if w, err = t.startOf(in); err != nil {
			return err
		}
	}
	return t.grant(in, w, wishSource(in.Seq))
}

// startOf says what a customer's start is worth. It takes off what the customer's own stop
// before it listed; what somebody else listed, or a stop that was sent later and read first, is
// for a person.
func (t *tx) startOf(in *gateway.Inbound) (gateway.Wish, error) {
	e, err := t.listing(in.From, "", true)
	if err != nil {
		return gateway.WishNone, err
	}
	v, err := viewBlack(t.b)
	if err != nil {
		return gateway.WishNone, err
	}
	listed, err := v.has(e)
	if err != nil || !listed {
		return gateway.WishStart, err
	}
	if at, own := t.stopBehind(v.listed.Get(e.key())); !own || in.SentAt.Before(at) {
		return gateway.WishNear, nil
	}
	return gateway.WishStart, nil
}

// stopBehind says whether a customer's message listed an entry, and when it was sent: zero
// where the message cannot be read any more.
func (t *tx) stopBehind(entry []byte) (at time.Time, own bool) {
	a, err := decodeAddition(entry)
	if err != nil {
		return at, false
	}
	text, own := strings.CutPrefix(a.source, "sms:")
	text, _, _ = strings.Cut(text, " ")
	seq, err := strconv.ParseUint(text, 10, 64)
	if !own || err != nil {
		return at, false
	}
	in, _ := t.readInbound(seq)
	return in.SentAt, true
}

// grant keeps a wish, and changes the blacklist as it says. A number that is listed by an
// earlier wish stays as it is: the first is the proof.
func (t *tx) grant(in *gateway.Inbound, w gateway.Wish, source string) error {
	if in.Wish = w; w == gateway.WishNone {
		return nil
	}
	if err := t.bucket(bucketWishes).Put(wishKey(w, in.Seq), present); err != nil {
		return err
	}
	if w == gateway.WishNear {
		return nil
	}
	e, err := t.listing(in.From, "", true)
	if err != nil {
		return err
	}
	v, err := viewBlack(t.b)
	if err != nil {
		return err
	}
	listed, err := v.has(e)
	if err != nil || listed == (w == gateway.WishStop) {
		return err
	}
	if w == gateway.WishStop {
		_, err = t.list(e, addition{at: t.now, source: source})
	} else {
		_, err = t.unlist(e)
	}
	if err != nil {
		return err
	}
	t.after(t.s.wishing.ring)
	if err := t.bucket(bucketUnreplied).Put(u64(in.Seq), present); err != nil {
		return err
	}
	return t.emit(gateway.EventBlacklist, gateway.BlacklistEvent{
		Number: string(in.From), OptOut: true, Source: source, Listed: w == gateway.WishStop,
	})
}

// Decide is a person's word on what a customer's message asks: stop, start, or none
// where it was only near one. It does what the word alone would have done. KindConflict
// says that it is decided otherwise already; KindInvalid that its sender cannot be listed.
func (s *Spool) Decide(ctx context.Context, seq uint64, as gateway.Wish, who string) (in gateway.Inbound, err error) {
	if as == gateway.WishNear {
		return in, gateway.Invalid("wish", "a message is decided as stop, start or none, not %q", as)
	}
	source := wishSource(seq) + " by " + orSomebody(who)
	if len(source) > maxSource {
		source = strings.ToValidUTF8(source[:maxSource], "")
	}
	err = s.update(ctx, func(t *tx) (err error) {
		in, err = t.readInbound(seq)
		switch {
		case err != nil:
			return clean(err)
		case in.WishBy != "" && in.Wish == as || in.Wish == as && as != gateway.WishNone:
			return clean(nil)
		case in.Wish == gateway.WishStop || in.Wish == gateway.WishStart || in.WishBy != "":
			return clean(gateway.Errorf(gateway.KindConflict, "it is decided already, as %s: change the blacklist instead", in.Wish))
		case as != gateway.WishNone && !in.From.E164():
			return clean(gateway.Invalid("wish", "the sender %s is no international number: nothing is ever sent there, and nothing can be listed", in.From.Masked()))
		}
		if err := t.bucket(bucketWishes).Delete(wishKey(in.Wish, seq)); err != nil {
			return err
		}
		in.WishBy = orSomebody(who)
		if err := t.grant(&in, as, source); err != nil {
			return err
		}
		return t.putInbound(&in, true)
	})
	if err != nil {
		return gateway.Inbound{}, err
	}
	return in, nil
}

// ListWishes is ListInbound for the messages with one wish.
func (s *Spool) ListWishes(w gateway.Wish, cursor string, limit int) ([]gateway.Inbound, string, error) {
	limit, err := pageLimit(limit)
	if err != nil {
		return nil, "", err
	}
	end := wishKey(w+1, 0)
	if cursor != "" {
		seq, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil || seq == 0 {
			return nil, "", errCursor()
		}
		end = wishKey(w, seq)
	}
	var out []gateway.Inbound
	next := ""
	err = s.view(func(b *bbolt.Tx) error {
		c := b.Bucket(bucketWishes).Cursor()
		for k, _ := seekBefore(c, end); len(k) == 9 && k[0] == byte(w); k, _ = c.Prev() {
			if len(out) == limit {
				next = strconv.FormatUint(out[limit-1].Seq, 10)
				return nil
			}
			in, err := readInbound(b, u64be(k[1:]))
			if err != nil {
				continue // ListInbound puts it into quarantine
			}
			out = append(out, in)
		}
		return nil
	})
	return out, next, err
}

// Unreplied lists wishes that changed the blacklist and that nobody has confirmed to
// the customer, oldest first.
func (s *Spool) Unreplied(limit int) ([]gateway.Inbound, error) {
	var out []gateway.Inbound
	err := s.view(func(b *bbolt.Tx) error {
		c := b.Bucket(bucketUnreplied).Cursor()
		for k, _ := c.First(); k != nil && len(out) < limit; k, _ = c.Next() {
			in, err := readInbound(b, u64be(k))
			if err != nil {
				in = gateway.Inbound{Seq: u64be(k)} // nobody can be told any more
			}
			out = append(out, in)
		}
		return nil
	})
	return out, err
}

// Replied says that a wish was confirmed, or will not be.
func (s *Spool) Replied(ctx context.Context, seq uint64) error {
	return s.update(ctx, func(t *tx) error { return t.bucket(bucketUnreplied).Delete(u64(seq)) })
}

// WatchWishes gives a channel that is closed when there is another wish to confirm.
func (s *Spool) WatchWishes() <-chan struct{} { return s.wishing.wait() }

// checkWishes proves that each wish is listed once, where its message says, and that
// nothing else is confirmed. A message in quarantine leaves its wish behind.
func checkWishes(b *bbolt.Tx) error {
	err := b.Bucket(bucketInbound).ForEach(func(k, v []byte) error {
		var in gateway.Inbound
		if err := readSealed(k, v, &in); err != nil || in.Wish == gateway.WishNone {
			return err
		}
		if b.Bucket(bucketWishes).Get(wishKey(in.Wish, in.Seq)) == nil {
			return fmt.Errorf("inbound message %d asks to %s, and is not listed so", in.Seq, in.Wish)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = b.Bucket(bucketWishes).ForEach(func(k, _ []byte) error {
		if len(k) != 9 {
			return fmt.Errorf("wishes: a key of %d bytes", len(k))
		}
		in, err := readInbound(b, u64be(k[1:]))
		if err == nil && in.Wish != gateway.Wish(k[0]) {
			return fmt.Errorf("inbound message %d is listed as %s, and asks to %s", in.Seq, gateway.Wish(k[0]), in.Wish)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.Bucket(bucketUnreplied).ForEach(func(k, _ []byte) error {
		in, err := readInbound(b, u64be(k))
		if err == nil && in.Wish != gateway.WishStop && in.Wish != gateway.WishStart {
			return fmt.Errorf("inbound message %d is to be confirmed, and asks to %s", in.Seq, in.Wish)
		}
		return nil
	})
}
