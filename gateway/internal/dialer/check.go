package dialer

import (
	"log/slog"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// lastLook is the check at the last moment before an intent: it gives how a row
// ends that must not go, or nil. An error is one of reading the store.
func (d *Dialer) lastLook(l *lane, m *gateway.Message) (*spool.Drop, error) {
	if l.def.Pattern != nil && !l.def.Pattern.MatchString(string(m.To)) {
		return &spool.Drop{Status: gateway.StatusInvalid, Kind: gateway.KindInvalid, Text: "the number does not match the pattern of provider " + l.def.Provider}, nil
	}
	listed, optOut, err := d.o.Blacklist.Listed(m.To, m.Campaign)
	switch {
	case err != nil:
		return nil, err
	case optOut && !l.def.Exempt:
		return &spool.Drop{Status: gateway.StatusBlocked, Kind: gateway.KindForbidden, Text: "the customer opted out"}, nil
	case listed && l.def.DNCR:
		return &spool.Drop{Status: gateway.StatusBlocked, Kind: gateway.KindForbidden, Text: "the number is on the blacklist"}, nil
	}
	return nil, nil
}

func expired(m *gateway.Message) spool.Drop {
	return spool.Drop{Status: gateway.StatusExpired, Text: spool.ExpiredText(m)}
}

// refuse ends a row of the buffer.
func (d *Dialer) refuse(l *lane, i int, drop spool.Drop) {
	drop.IDM, drop.At = l.buf[i].IDM, d.now
	l.take(i)
	d.drop(l, drop)
}

// drop has a row ended, or put off, in the next step of drops.
func (d *Dialer) drop(l *lane, drop spool.Drop) {
	d.drops = append(d.drops, drop)
	d.dropped[drop.IDM] = l
	l.dropping++
}

// writeDrops commits what was dropped; one step at a time is out.
func (d *Dialer) writeDrops() {
	if len(d.drops) == 0 || len(d.sent) > 0 || d.store.holds(d) {
		return
	}
	d.sent, d.drops = d.drops, nil
	d.o.Queue.Step(spool.Step{Drops: d.sent}, func(st spool.Stepped) { d.mail.post(event{kind: eventDropped, stepped: st}) })
}

// dropsWritten lets go of the rows. When the commit failed they are still queued,
// and are judged again when their turn comes: at once after a hold of the store, and
// after a while when it refused them for a fault of their own.
func (d *Dialer) dropsWritten(st spool.Stepped) {
	down := st.Err != nil && d.storeDown(st.Err)
	for i := range d.sent {
		idm := d.sent[i].IDM
		l := d.dropped[idm]
		delete(d.dropped, idm)
		l.dropping--
		switch {
		case st.Err != nil && !down:
			l.letWait(d.now, st.Err)
		case st.Err != nil || l.passed:
			l.stale = true
		}
		if st.Err == nil && d.sent[i].Status == gateway.StatusQueued {
			l.dueAt(d.sent[i].NotBefore)
		}
	}
	n := len(d.sent)
	d.sent = nil
	if st.Err == nil {
		d.store.worked()
		return
	}
	d.o.Logger.Warn("drops not written", slog.Int("rows", n), slog.Any("error", st.Err))
}
