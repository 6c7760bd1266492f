package dialer

import (
	"fieldpost/gateway"
)

// choice is a row that can go now, and the channel that takes it.
type choice struct {
	lane   *lane
	at     int // in lane.buf
	slot   *slot
	by     cause
	passed rank // the row that it goes before, out of order; zero = none
}

// cause is why a channel takes a row.
type cause uint8

const (
	byWish     cause = iota // it is bound to the channel, or to its SIM
	byRing                  // it is the next of the ring
	byUse                   // its SIM has used the least of its quota
	byOperator              // its SIM's operator owns the number
)

// turns says that the lane chose the channel, so that its ring moves on.
func (c cause) turns() bool { return c != byWish }

// better says which of two choices goes first: the row of the lower priority
// number, and of equals the lane that was served longest ago.
func (c *choice) better(o *choice) bool {
	if o.lane == nil {
		return true
	}
	p, q := c.lane.buf[c.at].Priority, o.lane.buf[o.at].Priority
	return p < q || p == q && c.lane.served < o.lane.served
}

// taker says whether a channel takes a row: takes, or wouldTake.
type taker func(d *Dialer, l *lane, s *slot, m *gateway.Message) bool

// slotFor gives the free channel that takes a row now; nil when there is none.
func (d *Dialer) slotFor(l *lane, m *gateway.Message) (*slot, cause) {
	if h := d.numbers[m.To]; h != nil && d.bars(h, m) {
		return nil, byWish
	}
	return d.seat(l, m, (*Dialer).takes)
}

// seat gives the channel of a row whose number is not taken.
func (d *Dialer) seat(l *lane, m *gateway.Message, takes taker) (*slot, cause) {
	if s, bound, err := l.bound(m); bound {
		if err == nil && s != nil && s.free() && takes(d, l, s, m) {
			return s, byWish
		}
		return nil, byWish
	}
	switch l.def.Choice {
	case gateway.ChoiceLeastUsed:
		return d.leastUsed(l, m, takes), byUse
	case gateway.ChoiceSameOperator:
		return d.sameOperator(l, m, takes)
	}
	return d.nextOfRing(l, m, takes), byRing
}

// nextOfRing gives the first free channel behind the one that was used last.
func (d *Dialer) nextOfRing(l *lane, m *gateway.Message, takes taker) *slot {
	for i, n := 1, len(l.ring); i <= n; i++ {
		if s := l.ring[(l.at+i)%n]; s.free() && takes(d, l, s, m) {
			return s
		}
	}
	return nil
}

// leastUsed gives the free channel whose SIM has used the smallest share of its
// quota; of equals the next of the ring.
func (d *Dialer) leastUsed(l *lane, m *gateway.Message, takes taker) (best *slot) {
	var least share
	for i, n := 1, len(l.ring); i <= n; i++ {
		s := l.ring[(l.at+i)%n]
		if !s.free() {
			continue
		}
		lim := l.def.limits(s.sim.key)
		if used := s.sim.share(&lim); (best == nil || used.less(&least)) && takes(d, l, s, m) {
			best, least = s, used
		}
	}
	return best
}

// sameOperator gives the next free channel whose SIM is of the operator that owns
// the number, and the next of the ring where there is none.
func (d *Dialer) sameOperator(l *lane, m *gateway.Message, takes taker) (*slot, cause) {
	other := d.nextOfRing(l, m, takes)
	if other == nil {
		return nil, byRing
	}
	owner := d.o.SIMs.Owner(m.To)
	if owner == "" {
		return other, byRing
	}
	for i, n := 1, len(l.ring); i <= n; i++ {
		if s := l.ring[(l.at+i)%n]; s.sim.operator == owner && s.free() && takes(d, l, s, m) {
			return s, byOperator
		}
	}
	return other, byRing
}

// kin lets a row go before the chosen one: one of equal priority in memory whose own
// operator has a channel free, while the chosen one would go over a foreign SIM and a
// SIM of its own operator is only busy.
func (d *Dialer) kin(c choice) choice {
	l, first := c.lane, &c.lane.buf[c.at]
	if c.by != byRing || l.def.Choice != gateway.ChoiceSameOperator || !l.mayPass(first) || !d.awaits(l, first) {
		return c
	}
	for i := c.at + 1; i < len(l.buf) && l.buf[i].Priority == first.Priority; i++ {
		if s, by := d.slotFor(l, &l.buf[i]); by == byOperator {
			return choice{l, i, s, by, rankOf(first)}
		}
	}
	return c
}

// awaits says that a channel of the row's own operator is sending now and will take it.
func (d *Dialer) awaits(l *lane, m *gateway.Message) bool {
	owner := d.o.SIMs.Owner(m.To)
	if owner == "" {
		return false
	}
	for _, s := range l.ring {
		if s.sim.operator == owner && s.fit() && !s.free() && d.wouldTake(l, s, m) {
			return true
		}
	}
	return false
}

// passing counts the rows that went before one.
type passing struct {
	row   rank
	times int
}

// mayPass says that rows may still go before this one: as many as the ring has
// channels, for by then each of them has come free once. What passes a more urgent
// row meanwhile is counted too.
func (l *lane) mayPass(m *gateway.Message) bool {
	if l.passing.row.before(rankOf(m)) {
		l.passing = passing{} // that row went
	}
	return l.passing.times < len(l.ring)
}

// pass notes that a row went before another.
func (l *lane) pass(r rank) {
	if l.passing.times == 0 {
		l.passing.row = r
	}
	l.passing.times++
}

// takes says that a channel can send what is left of the message, and its SIM has
// room for it. Where it has none, a turn is asked for when it may.
func (d *Dialer) takes(l *lane, s *slot, m *gateway.Message) bool {
	return s.splits(m) && d.room(s, l.def.limits(s.sim.key), d.left(s, m), m.To)
}

// wouldTake is takes by what is in memory, and asks for nothing.
func (d *Dialer) wouldTake(l *lane, s *slot, m *gateway.Message) bool {
	if !s.splits(m) {
		return false
	}
	w, _ := d.lack(l, s, m)
	return w == windowNone
}
