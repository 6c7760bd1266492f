package spool

import (
	"bytes"
	"context"

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
	var keys [][]byte // collected first: a cursor that deletes skips keys (bbolt#146)
	c := t.bucket(bucketIntent).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	if len(keys) == 0 {
		return clean(nil)
	}
	for _, k := range keys {
		if err := t.settleLost(k, why); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) settleLost(k []byte, why string) error {
	if len(k) != 9 {
		_, err := t.damagedIntent(k, errKey(k))
		return err
	}
	return t.outcome(&Outcome{IDM: u64be(k), Segment: int(k[8]), Kind: gateway.KindUnknownOutcome, Text: why})
}
