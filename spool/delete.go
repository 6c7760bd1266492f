package spool

import (
	"bytes"
	"context"

	"fieldpost/gateway"
)

// chunk is how many rows one commit of a long task changes: others get their
// turn between two.
const chunk = 1000

// DeleteUnprocessed deletes the rows of a campaign that no device took: held,
// queued, blocked, invalid, failed, expired and canceled. Rows that a device may
// have stay; those that waited to be sent again stay in doubt. It gives how many went,
// also when ctx ended it half way.
func (s *Spool) DeleteUnprocessed(ctx context.Context, campaign string) (int, error) {
	return s.sweep(ctx, campaign, unprocessed(), "deleted", func(t *tx, k key) error {
		if k.slot().status() != gateway.StatusQueued {
			return t.remove(k)
		}
		m, err := t.message(k.idm())
		if err != nil {
			return t.skipDamaged(err)
		}
		if anyPart(m, gateway.StatusUnknown) {
			return t.end(m, gateway.StatusCanceled, gateway.Transition{Text: "its campaign was cleared"})
		}
		return t.remove(k)
	})
}

// unprocessed lists the slots to clear, in order: rows move from later to queued
// between two chunks when their time comes, and back when they are put off.
func unprocessed() []slot {
	return []slot{
		slotLater, slot(gateway.StatusQueued), slotLater, slot(gateway.StatusHeld), slot(gateway.StatusBlocked),
		slot(gateway.StatusInvalid), slot(gateway.StatusFailed), slot(gateway.StatusExpired), slot(gateway.StatusCanceled),
	}
}

// Release puts the held rows of a campaign into its queue. It gives how many, also
// when ctx ended it half way.
func (s *Spool) Release(ctx context.Context, campaign string) (int, error) {
	return s.sweep(ctx, campaign, []slot{slot(gateway.StatusHeld)}, "released", func(t *tx, k key) error {
		m, err := t.message(k.idm())
		if err != nil {
			return t.skipDamaged(err)
		}
		return t.setStatus(m, gateway.StatusQueued, gateway.Transition{Text: "released"})
	})
}

// sweep does something to every row of some slots that has no open intent, a
// chunk at a time, and tells how many in an event of each chunk.
func (s *Spool) sweep(ctx context.Context, campaign string, slots []slot, what string, do func(*tx, key) error) (int, error) {
	lane, ok := s.laneID(campaign)
	if !ok {
		return 0, nil
	}
	total := 0
	for _, sl := range slots {
		from := prefix(lane, sl)
		for from != nil {
			if err := ctx.Err(); err != nil {
				return total, err
			}
			var n int
			start := from
			err := s.updateRows(ctx, chunk, func(t *tx) error {
				rows, next, err := t.gather(start, prefix(lane, sl))
				if err != nil {
					return err
				}
				if n, from = len(rows), next; n == 0 {
					return clean(nil)
				}
				for _, k := range rows {
					if err := do(t, k); err != nil {
						return err
					}
				}
				return t.emit(gateway.EventCampaign, swept{Campaign: campaign, What: what, Rows: n})
			})
			if err != nil {
				return total, err
			}
			total += n
		}
	}
	return total, nil
}

// swept is the body of the event of a chunk.
type swept struct {
	Campaign string `json:"campaign"`
	What     string `json:"what"` // "deleted" or "released"
	Rows     int    `json:"rows"`
}

// gather collects the keys of up to a chunk of rows without open intents, since a
// cursor that deletes skips keys (bbolt#146). next is where to go on; nil = at the end.
func (t *tx) gather(from, pre []byte) (rows []key, next []byte, err error) {
	c := t.bucket(bucketIndex).Cursor()
	for k, _ := c.Seek(from); bytes.HasPrefix(k, pre); k, _ = c.Next() {
		if len(rows) == chunk {
			return rows, bytes.Clone(k), nil
		}
		key, ok := parseKey(k)
		if !ok {
			return nil, nil, errKey(k)
		}
		if !hasIntent(t.b, key.idm()) {
			rows = append(rows, key)
		}
	}
	return rows, nil, nil
}
