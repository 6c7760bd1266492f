package spool

import (
	"context"
	"errors"

	"fieldpost/gateway"
)

// recover settles what a crash left: each message whose intent is open may have
// gone out, so it is in doubt. Rows without an intent are as they were, since a claim
// is never on disk.
func (s *Spool) recover() error {
	return s.update(context.Background(), func(t *tx) error {
		return t.settleAll("fieldpost ended while this was being sent")
	})
}

// settleAll puts every message with an open intent in doubt. A message with more
// than one open intent has one line in its timeline for each.
func (t *tx) settleAll(why string) error {
	var all []*opened
	intents := t.bucket(bucketIntent)
	var bad [][]byte
	err := intents.ForEach(func(k, v []byte) error {
		in, err := decodeIntent(k, v)
		if err != nil {
			// What it was for is in its key, if anything is: the message is in doubt all the same.
			bad = append(bad, append([]byte(nil), k...))
			return nil
		}
		all = append(all, in)
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range bad {
		in, err := t.damagedIntent(k)
		if err != nil {
			return err
		}
		if in != nil {
			all = append(all, in)
		}
	}
	if len(all) == 0 && len(bad) == 0 {
		return clean(nil)
	}
	for _, in := range all {
		if err := intents.Delete(intentKey(in.IDM, in.Segment)); err != nil {
			return err
		}
		o := &Outcome{IDM: in.IDM, Segment: in.Segment, Kind: gateway.KindUnknownOutcome, Text: why}
		err := t.settle(in, o)
		if gateway.KindOf(err) == gateway.KindNotFound {
			err = nil
		}
		if err := t.skipDamaged(err); err != nil {
			return err
		}
	}
	return nil
}

// damagedIntent puts an intent that cannot be read into quarantine, and gives
// what its key says; nil when it says nothing.
func (t *tx) damagedIntent(k []byte) (*opened, error) {
	b := t.bucket(bucketIntent)
	if err := t.putAside(bucketIntent, k, b.Get(k), errors.New("the intent could not be read")); err != nil {
		return nil, err
	}
	if err := b.Delete(k); err != nil || len(k) != 9 {
		return nil, err
	}
	in := &opened{}
	in.IDM, in.Segment = u64be(k), int(k[8])
	return in, nil
}
