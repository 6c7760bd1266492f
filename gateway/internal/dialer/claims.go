package dialer

import (
	"log/slog"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// claimedNumber notes that a claim holds a row of a number, and whether it passed
// over others of it.
type claimedNumber struct{ others bool }

// arrived notes that a row came into a lane's queue. One that sorts before the
// tail of the buffer makes it stale; one behind it does not.
func (d *Dialer) arrived(campaign string, r rank) {
	l := d.lanes[campaign]
	if l == nil {
		return
	}
	n := len(l.buf)
	switch {
	case n > 0 && r.before(rankOf(&l.buf[n-1])):
		l.stale, l.narrow = true, true
	case l.idle == idleRows && n+l.flying+l.dropping < l.batch():
		l.stale = true // what is in memory waits; this one may not have to
	case r.before(l.beyond.at):
		l.stale = true
	}
	l.more = true
}

// unblockRows lets lanes look again at rows that they passed over.
func (d *Dialer) unblockRows() {
	d.moved = false
	for _, l := range d.order {
		if l.passed {
			l.stale = true
		}
	}
}

// fill claims rows when the buffer is empty or may begin with the wrong one.
func (d *Dialer) fill(l *lane) {
	d.lookAgain(l)
	if !l.due.IsZero() && !d.now.Before(l.due) {
		d.promote(l)
	}
	if l.promoting || !l.stale && (len(l.buf) > 0 || !l.more || l.beyond.looking() && d.paused(l)) {
		return
	}
	limit := l.batch() - l.flying - l.dropping
	if l.narrow {
		limit = min(limit, max(8, 2*l.freeSlots()))
	}
	if limit <= 0 {
		return
	}
	l.lookAnew()
	c, err := d.o.Queue.Claim(spool.Claim{Campaign: l.def.Name, Limit: limit, Skip: l.skip, Peek: true})
	if err != nil {
		d.claimFailed(l, err)
		return
	}
	if !c.Due {
		l.fault = nil
	}
	again := l.promoted
	l.promoted, l.damaged = false, c.Damaged
	if c.Due {
		d.promote(l)
		if !again { // their order is known when they are in the queue: it is soon
			return
		}
	}
	l.buf, l.stale, l.narrow, l.more = c.Messages, false, false, c.More
	if !c.Due {
		l.dueAt(c.Wake)
	}
	if !jammed(&c, limit) {
		l.beyond = beyond{}
		return
	}
	d.lookBeyond(l, rank{c.Next.Priority, c.Next.IDM}, limit)
}

// promote has the rows put into the queue whose time has come, and a record set
// aside that cannot be read. That waits for a sync, so it runs beside the loop.
func (d *Dialer) promote(l *lane) {
	l.due, l.promoting = time.Time{}, true
	name, damaged := l.def.Name, l.damaged
	d.senders.Go(func() {
		err := d.o.Queue.Ready(name, damaged)
		d.mail.post(event{kind: eventPromoted, lane: l, err: err})
	})
}

// promoted takes in that they are in the queue.
func (d *Dialer) promoted(l *lane, err error) {
	l.promoting, l.stale, l.promoted = false, true, err == nil
	if err != nil {
		d.claimFailed(l, err)
	}
}

// claimFailed lets a lane wait whose queue cannot be read: the others go on,
// unless it is the store that does not answer.
func (d *Dialer) claimFailed(l *lane, err error) {
	if d.storeDown(err) {
		return
	}
	d.o.Logger.Error("queue not read", slog.String("lane", l.def.Name), slog.Any("error", err))
	l.letWait(d.now, err)
}

// claimWait is how long a lane waits whose rows the store cannot read or write.
const claimWait = 10 * time.Second

func (l *lane) letWait(now time.Time, err error) {
	l.fault = err
	l.buf, l.stale, l.more, l.due = nil, false, false, now.Add(claimWait)
	l.beyond = beyond{}
}

// passOver says that a claim leaves a row out, so that it does not fill the
// buffer: it is in flight or being dropped, its number is or is in the claim
// already, or the only channel that may take it cannot.
func (d *Dialer) passOver(l *lane, m *gateway.Message) bool {
	if d.dropped[m.IDM] != nil {
		return true
	}
	if l.stillBarred(m.IDM) {
		l.passed = true
		return true
	}
	if h := d.numbers[m.To]; h != nil {
		if h.flying && h.idm == m.IDM {
			return true
		}
		if d.bars(h, m) {
			l.passed = true
			if !h.flying {
				l.dueAt(h.until)
			}
			return true
		}
	}
	if c := l.taken[m.To]; c != nil {
		c.others, l.passed = true, true
		return true
	}
	if s, bound, err := l.bound(m); bound && err == nil && !d.over(m) {
		if s == nil || !s.free() || slices.Contains(l.ports, s) || d.shut(l, s, m) {
			d.leaveStuck(l, m)
			return true
		}
		l.ports = append(l.ports, s)
	}
	l.taken[m.To] = &claimedNumber{}
	return false
}

// leaveStuck passes over a row whose one channel cannot take it. It is looked at
// again when its validity ends at the latest: its SIM may never come back.
func (d *Dialer) leaveStuck(l *lane, m *gateway.Message) {
	l.passed = true
	if len(l.stuck) < gateway.MaxBatch {
		l.stuck = append(l.stuck, m.IDM)
	}
	switch {
	case m.ValidUntil.IsZero():
	case m.ValidUntil.After(d.now):
		l.dueAt(m.ValidUntil)
	default: // it has ended, and the clock is not trusted yet
		l.dueAt(d.now.Add(stuckWait))
	}
}

// giveUp has a lane whose rows in memory cannot go claim anew, where it has memory left
// or some of them wait for what others do not need: they would keep back what lies
// behind them. The next claim passes over those. Behind the front it would find the
// same rows again, and does not look for more.
func (d *Dialer) giveUp(l *lane) {
	if !l.more && len(l.stuck) == 0 {
		return
	}
	room := l.more && l.flying+l.dropping+len(l.buf) < l.batch() && !l.beyond.looking()
	if room || slices.ContainsFunc(l.buf, func(m gateway.Message) bool { return d.waitsAlone(l, &m) }) {
		l.stale = true
		d.wakeIn(0)
	}
}

// waitsAlone says that a row waits for its number, or for its one channel.
func (d *Dialer) waitsAlone(l *lane, m *gateway.Message) bool {
	if h := d.numbers[m.To]; h != nil && d.bars(h, m) {
		return true
	}
	s, bound, err := l.bound(m)
	return bound && err == nil && (s == nil || !s.free() || d.shut(l, s, m))
}

// dueAt notes that a row may go at t.
func (l *lane) dueAt(t time.Time) {
	if !t.IsZero() && (l.due.IsZero() || t.Before(l.due)) {
		l.due = t
	}
}

// bars says that a number is taken for this message.
func (d *Dialer) bars(h *hold, m *gateway.Message) bool {
	if h.flying {
		h.waited = true
		return true
	}
	if h.idm == m.IDM {
		return false
	}
	if d.now.Before(h.until) {
		d.wakeAt(h.until)
		return true
	}
	delete(d.numbers, m.To)
	return false
}

// stuckWait is how long a row waits that cannot be looked at now, and then is again.
const stuckWait = time.Minute

// freeSlots counts the provider's channels that could take a message.
func (l *lane) freeSlots() int {
	n := 0
	for _, s := range l.reach {
		if s.free() {
			n++
		}
	}
	return n
}
