package dialer

import (
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// maxBarred bounds the rows that a lane remembers as barred - to new numbers, that no
// SIM of it may send to this month - and with them its memory, to a MiB. Rows behind
// more of them than that wait with them.
const maxBarred = 20 * spool.MaxSkip

// barredFor is how long a lane believes the counts that bar its rows: one may have been
// read while an outcome was on its way to the disk.
const barredFor = 5 * time.Minute

// makeWay takes the barred rows out of a lane's memory and asks for a turn, in which
// those behind them get there. Without it a base of new numbers would keep the lane
// from every number that is counted already.
func (d *Dialer) makeWay(l *lane) {
	if !l.more && len(l.stuck) == 0 || !d.trusted {
		return
	}
	n := len(l.barred)
	for i := 0; i < len(l.buf) && l.hasBars(); {
		if h := d.numbers[l.buf[i].To]; h != nil && d.bars(h, &l.buf[i]) {
			i++ // the message before it may be the one that gets its number a place
			continue
		}
		until := d.barredUntil(l, &l.buf[i])
		if !until.After(d.now) {
			i++
			continue
		}
		if n == 0 || until.Before(l.opens) {
			l.opens = until
		}
		l.barred[l.buf[i].IDM] = l.claims
		l.take(i)
	}
	if len(l.barred) == n {
		return
	}
	if n == 0 {
		l.doubted = d.mono.Add(barredFor)
	}
	l.stale = true
	d.wakeIn(0)
}

// lookAgain lets go of the barred rows when their time has come, and now and then reads
// the counts anew: one that is lower than believed has them looked at (see load).
func (d *Dialer) lookAgain(l *lane) {
	if len(l.barred) == 0 {
		return
	}
	if d.trusted {
		d.wakeAt(l.opens)
	}
	if d.trusted && !d.now.Before(l.opens) {
		l.unbar()
		return
	}
	if !d.mono.Before(l.doubted) {
		l.doubted = d.mono.Add(barredFor)
		for _, s := range l.ring {
			if err := s.sim.load(d); err != nil {
				d.meterFailed(s, err)
			}
		}
	}
	d.wakeIn(l.doubted.Sub(d.mono))
}

// hasBars says that one more row may be barred. Those that the last claim did not
// come by are gone from the queue, unless it was a piece of a longer look.
func (l *lane) hasBars() bool {
	if len(l.barred) < maxBarred || l.beyond.looking() {
		return len(l.barred) < maxBarred
	}
	for idm, seen := range l.barred {
		if seen < l.claims {
			delete(l.barred, idm)
		}
	}
	return len(l.barred) < maxBarred
}

// barredUntil gives when the first SIM that may send a row has a place for its number
// again; zero when one has it now, ready or not.
func (d *Dialer) barredUntil(l *lane, m *gateway.Message) (until time.Time) {
	slots := l.ring
	if s, bound, err := l.bound(m); bound {
		if err != nil || s == nil {
			return time.Time{}
		}
		slots = []*slot{s}
	}
	for _, s := range slots {
		lim := l.def.limits(s.sim.key)
		if lim.RecipientsPerMonth == 0 || d.hasPlace(s, &lim, m.To) {
			return time.Time{}
		}
		if end := windowRecipients.ends(&s.sim.usage, d.o.Zone); until.IsZero() || end.Before(until) {
			until = end
		}
	}
	return until
}

// stillBarred says that a claim passes over a row for the limit of recipients.
func (l *lane) stillBarred(idm uint64) bool {
	_, ok := l.barred[idm]
	if ok {
		l.barred[idm] = l.claims
	}
	return ok
}

// unbar lets go of what is in memory too: the barred rows were before it.
func (l *lane) unbar() {
	if len(l.barred) > 0 {
		clear(l.barred)
		l.forget()
	}
}

// unbar has every lane look at its barred rows again: a SIM has got a place, or there
// are other SIMs.
func (d *Dialer) unbar() {
	d.placed = false
	for _, l := range d.order {
		l.unbar()
	}
}
