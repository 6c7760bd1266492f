package dialer

import (
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// beyond is how far a lane has looked behind the front of its queue, while more rows
// wait there than a claim passes over: thousands to one busy number, or for a channel
// that is away. Each claim begins at the front; what is behind is looked at from where
// the last look ended, round and round, so that a turn takes a bounded time and each row
// is come by.
type beyond struct {
	front rank      // the last row that the claim at the front looked at
	at    rank      // the last row that was looked at behind it; zero = none was
	whole bool      // no row between the two may have come to go since
	next  time.Time // after a look in vain, when the next may be; monotonic
	// first is the first row of each number that was passed over since the front for
	// the sake of its number: the later ones stay behind it.
	first map[gateway.Address]rank
}

// lookPause is the least time between two looks in vain, each of which reads
// spool.MaxSkip rows: they leave the loop to the lanes that have rows which can go.
const lookPause = 10 * time.Millisecond

// looking says that the front is passed over, and that a look behind it has begun.
func (b *beyond) looking() bool { return b.at != (rank{}) }

// paused says that it is too early for the next look, and asks for a turn then.
func (d *Dialer) paused(l *lane) bool {
	w := l.beyond.next.Sub(d.mono)
	if w > 0 {
		d.wakeIn(w)
	}
	return w > 0
}

// lookAnew prepares a claim: what a lane knows of rows that it passed over holds while
// it goes on looking, and no longer. Rows in memory that were found behind the front
// are given up with it, and must be found again.
func (l *lane) lookAnew() {
	b := &l.beyond
	if l.stale || !b.looking() {
		l.passed, l.stuck, l.due = false, l.stuck[:0], time.Time{}
		b.whole = false
	}
	for i := range l.buf {
		if r := rankOf(&l.buf[i]); b.front.before(r) && !b.at.before(r) {
			b.at = rank{r.priority, r.idm - 1}
			break
		}
	}
	l.ports = l.ports[:0]
	clear(l.taken)
	l.claims++
}

// lookBeyond claims rows behind the front, where that has not enough that can go.
func (d *Dialer) lookBeyond(l *lane, front rank, limit int) {
	b := &l.beyond
	if front.before(b.front) {
		b.at = rank{} // rows came in before it: some that it held lie behind it now
	}
	b.front, l.more = front, true
	if d.paused(l) {
		return
	}
	if !b.front.before(b.at) || len(b.first) >= maxHolds {
		b.begin()
	}
	c, err := d.o.Queue.Claim(spool.Claim{
		Campaign: l.def.Name, Limit: limit - len(l.buf), Peek: true,
		Skip:  func(m *gateway.Message) bool { return d.passBeyond(l, m) },
		After: spool.Place{Priority: b.at.priority, IDM: b.at.idm},
	})
	if err != nil {
		d.claimFailed(l, err)
		return
	}
	l.buf, l.more = append(l.buf, c.Messages...), c.More
	b.at = rank{c.Next.Priority, c.Next.IDM}
	switch {
	case c.Damaged != 0:
		l.damaged = c.Damaged
		d.promote(l)
	case !c.More && !b.whole:
		b.begin()
		l.more = true
	}
	if len(c.Messages) == 0 && l.more {
		b.next = d.mono.Add(lookPause)
		d.paused(l)
	}
}

// begin begins a round right behind the front.
func (b *beyond) begin() {
	b.at, b.whole, b.first = b.front, true, map[gateway.Address]rank{}
}

// passBeyond is passOver behind the front, where an earlier row of the same number may
// lie before the place at which the look goes on.
func (d *Dialer) passBeyond(l *lane, m *gateway.Message) bool {
	b, r := &l.beyond, rankOf(m)
	if first, ok := b.first[m.To]; ok && first.before(r) {
		if d.numbers[m.To] == nil && l.taken[m.To] == nil {
			b.whole = false // its turn comes in the next round
		}
		return true
	}
	if !d.passOver(l, m) {
		return false
	}
	if d.numbers[m.To] != nil || l.taken[m.To] != nil {
		b.first[m.To] = r
	}
	return true
}

// jammed says that a claim at the front ended because it may pass over no more rows.
func jammed(c *spool.Claimed, limit int) bool {
	return c.More && c.Damaged == 0 && len(c.Messages) < limit
}
