package spool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// maxText bounds each text of a row, in bytes: far above what can be sent, and far
// below what would hurt the file.
const maxText = 64 << 10

// Add stores a message and returns when it is on disk. Its Status says where it
// begins: queued, held, invalid or blocked. The entry position is the answer's; what
// m has in IDM, Parts, History and Attempts is ignored. With an idempotency key that was
// seen before, nothing is added and the first answer comes again.
func (s *Spool) Add(ctx context.Context, m gateway.Message, key Idempotency) (Added, error) {
	if err := checkNew(&m); err != nil {
		return Added{}, err
	}
	if err := s.room(); err != nil {
		return Added{}, err
	}
	var added Added
	err := s.update(ctx, func(t *tx) error {
		var seen bool
		var err error
		if added, seen, err = t.idempotent(key); err != nil {
			return clean(err)
		}
		if seen {
			return nil
		}
		if t.closed(m.Campaign) {
			return clean(errLaneClosed(m.Campaign))
		}
		row := m
		if err := t.insert(&row); err != nil {
			return err
		}
		added = Added{IDM: row.IDM, Segments: int(row.Segments)}
		return t.remember(key, added)
	})
	if err != nil {
		return Added{}, err
	}
	return added, nil
}

// AddBatch stores rows of a base and how far the base is loaded, in one commit,
// and gives the rows their entry positions. A batch that the stored upload has
// covered already adds nothing: the answer is the stored upload. KindUnavailable also
// says that the campaign of a row was deleted meanwhile: the file is to be read again
// from there.
func (s *Spool) AddBatch(ctx context.Context, up Upload, ms []gateway.Message) (Upload, error) {
	for i := range ms {
		if err := checkNew(&ms[i]); err != nil {
			return Upload{}, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	if err := s.room(); err != nil {
		return Upload{}, err
	}
	var out Upload
	err := s.updateRows(ctx, len(ms)+1, func(t *tx) error {
		old, err := readUpload(t.b, []byte(up.ID))
		switch {
		case err == nil && len(ms) > 0 && old.Offset >= up.Offset:
			out = old
			return nil
		case err != nil && gateway.KindOf(err) != gateway.KindNotFound:
			return clean(err)
		}
		for i := range ms {
			if t.closed(ms[i].Campaign) {
				return clean(gateway.Errorf(gateway.KindUnavailable, "row %d: %w", i+1, errLaneClosed(ms[i].Campaign)))
			}
		}
		for i := range ms {
			if err := t.insert(&ms[i]); err != nil {
				return err
			}
		}
		out = up
		return t.putUpload(up)
	})
	return out, err
}

// checkNew refuses what no record can hold, and clears what only the spool says.
func checkNew(m *gateway.Message) error {
	switch m.Status {
	case gateway.StatusQueued, gateway.StatusHeld, gateway.StatusInvalid, gateway.StatusBlocked:
	default:
		return gateway.Invalid("status", "a message begins queued, held, invalid or blocked, not %q", m.Status)
	}
	if m.Campaign == "" || len(m.Campaign) > MaxName {
		return gateway.Invalid("campaign", "a name has 1 to %d bytes, not %d", MaxName, len(m.Campaign))
	}
	for _, f := range []struct{ name, text string }{
		{"text", m.Text}, {"data", m.Data}, {"destination", m.Typed}, {"to", string(m.To)},
		{"agent", m.Agent}, {"source", m.Source}, {"upload", m.Upload}, {"reason", m.Reason},
	} {
		if len(f.text) > maxText {
			return gateway.Invalid(f.name, "at most %d bytes are kept, not %d", maxText, len(f.text))
		}
	}
	m.IDM, m.Attempts, m.Parts, m.History, m.Omitted = 0, 0, nil, nil, 0
	m.Channel, m.IMEI, m.ICCID = "", "", ""
	return nil
}

// Message gives a message as it stands: submitting when a device may have it.
func (s *Spool) Message(idm uint64) (gateway.Message, error) {
	var m *gateway.Message
	err := s.view(func(b *bbolt.Tx) (err error) {
		if m, err = readMessage(b, idm, s.laneNamer(b)); err == nil && hasIntent(b, idm) {
			m.Status = gateway.StatusSubmitting
		}
		return err
	})
	if err != nil {
		return gateway.Message{}, s.unreadable(err)
	}
	return *m, nil
}

// Cancel takes back a row that no device has. KindConflict says that it has left,
// or ended, already. One that waited to be sent again is in doubt from then on.
func (s *Spool) Cancel(ctx context.Context, idm uint64, who string) error {
	return s.change(ctx, idm, func(t *tx, m *gateway.Message) error {
		switch {
		case hasIntent(t.b, idm):
			return clean(gateway.Errorf(gateway.KindConflict, "message %d is being sent: it cannot be taken back", idm))
		case m.Status != gateway.StatusQueued && m.Status != gateway.StatusHeld:
			return clean(gateway.Errorf(gateway.KindConflict, "message %d is %s: only a waiting one can be taken back", idm, m.Status))
		}
		m.Reason = "taken back by " + orSomebody(who)
		return t.end(m, gateway.StatusCanceled, gateway.Transition{Text: m.Reason})
	})
}

// Resolve ends the doubt about a message, by a person's word: it was sent, it was
// not, or (StatusQueued) it goes out again, and may arrive twice. When segments of a
// message that was sent are missing, it is queued for these.
func (s *Spool) Resolve(ctx context.Context, idm uint64, as gateway.Status, who string) error {
	return s.change(ctx, idm, func(t *tx, m *gateway.Message) error {
		if m.Status != gateway.StatusUnknown {
			return clean(gateway.Errorf(gateway.KindConflict, "message %d is %s: there is no doubt to end", idm, m.Status))
		}
		who := orSomebody(who)
		tr := gateway.Transition{}
		switch as {
		case gateway.StatusSent:
			tr.Text = "said to be sent by " + who
			settleParts(m, gateway.StatusUnknown, gateway.StatusSent)
		case gateway.StatusFailed:
			tr.Text = "said not to be sent by " + who
			settleParts(m, gateway.StatusUnknown, gateway.StatusFailed)
		case gateway.StatusQueued:
			if t.closed(m.Campaign) {
				return clean(gateway.Errorf(gateway.KindConflict, "campaign %s was deleted: nothing sends its messages, so say sent or failed", m.Campaign))
			}
			tr.Text, tr.Kind = "sent again by "+who+": may arrive twice", gateway.KindUnknownOutcome
			settleParts(m, gateway.StatusFailed, gateway.StatusNone) // the doubt stays until a try goes out
			return t.resolved(m, as, tr)
		default:
			return clean(gateway.Invalid("as", "a doubt ends as sent, failed or queued, not %q", as))
		}
		return t.resolved(m, settledStatus(m), tr)
	})
}

// resolved ends a doubt.
func (t *tx) resolved(m *gateway.Message, st gateway.Status, tr gateway.Transition) error {
	m.Kind, m.Reason = gateway.KindNone, ""
	switch st {
	case gateway.StatusFailed:
		m.Kind, m.Reason = gateway.KindRefused, tr.Text
	case gateway.StatusQueued:
		m.NotBefore = time.Time{}
	}
	return t.setStatus(m, st, tr)
}

// settleParts gives the segments of one status another.
func settleParts(m *gateway.Message, from, to gateway.Status) {
	for i := range m.Parts {
		if m.Parts[i].Status == from {
			m.Parts[i].Status = to
		}
	}
}

func orSomebody(who string) string {
	if who == "" {
		return "an operator"
	}
	return who
}

// change is update for one message. fn must refuse, with clean, before it writes.
func (s *Spool) change(ctx context.Context, idm uint64, fn func(*tx, *gateway.Message) error) error {
	err := s.update(ctx, func(t *tx) error {
		m, err := t.message(idm)
		if err != nil {
			return clean(err)
		}
		return fn(t, m)
	})
	return s.unreadable(err)
}

// unreadable sends a damaged record to quarantine, and gives the error to show.
func (s *Spool) unreadable(err error) error {
	var d *damaged
	if !errors.As(err, &d) {
		return err
	}
	if err := s.quarantine(context.Background(), d.idm); err != nil {
		return err
	}
	return gateway.Errorf(gateway.KindInternal, "message %d could not be read and is in quarantine: %w", d.idm, d.why)
}
