package dialer

import (
	"log/slog"
	"slices"
	"sort"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// rank is a row's place in a queue.
type rank struct {
	priority uint16
	idm      uint64
}

func (r rank) before(o rank) bool {
	return r.priority < o.priority || r.priority == o.priority && r.idm < o.idm
}

func rankOf(m *gateway.Message) rank { return rank{m.Priority, m.IDM} }

// turn is one use of the ring.
type turn struct {
	n    uint64 // of all lanes' turns
	port int    // -1 = none yet
}

// claimedNumber notes that a claim holds a row of a number, and whether it passed
// over others of it.
type claimedNumber struct{ others bool }

// lane is a Lane at work. All of it belongs to the loop, under Dialer.mu.
type lane struct {
	def      Lane
	pace     pace
	provider *pace
	skip     func(*gateway.Message) bool // for claims, made once

	ring   []*slot // in order
	at     int     // place of the ring that was used last; -1 = none
	cursor int     // the port there; -1 = none
	proven turn    // of the ring, the last whose intent is on disk
	trying int     // turns of the ring whose intent is being written
	reach  []*slot // all slots of the provider

	buf    []gateway.Message // claimed, in order
	stale  bool              // buf may not begin with the first rows that can go
	narrow bool              // rows keep coming in before the tail of buf
	more   bool              // the queue holds rows behind buf
	due    time.Time         // when a row that waits for a time may go; zero = none

	flying   int // messages of the lane in flight
	dropping int // rows of it being dropped
	served   uint64

	promoting bool // rows whose time came are being put into the queue

	// Of the last claim.
	passed bool                               // it passed over rows that cannot go now
	stuck  []uint64                           // of them, those whose one channel cannot take them
	taken  map[gateway.Address]*claimedNumber // numbers in it
	ports  []*slot                            // channels that rows in it are bound to

	on      bool      // on schedule
	checked time.Time // when on was found
	changes time.Time // when on changes; zero = never
	idle    idleness  // why nothing leaves
}

func (l *lane) batch() int {
	if l.def.Batch <= 0 || l.def.Batch > gateway.MaxBatch {
		return gateway.MaxBatch
	}
	return l.def.Batch
}

// held counts the rows that the lane has in memory.
func (l *lane) held() int { return len(l.buf) + l.flying + l.dropping }

// forget drops the claims. The rows are still queued, on disk.
func (l *lane) forget() {
	l.buf = nil
	l.stale, l.more = true, true
}

// refreshLanes takes over the definitions.
func (d *Dialer) refreshLanes() {
	defs := d.o.Definitions.Lanes()
	old := d.lanes
	d.lanes = make(map[string]*lane, len(defs))
	d.order = d.order[:0]
	for _, def := range defs {
		l := old[def.Name]
		if l == nil {
			l = d.newLane(def.Name)
		}
		d.define(l, def)
		d.lanes[def.Name] = l
		d.order = append(d.order, l)
	}
	slices.SortFunc(d.order, func(a, b *lane) int {
		if a.def.Name < b.def.Name {
			return -1
		}
		return 1
	})
}

func (d *Dialer) newLane(name string) *lane {
	l := &lane{cursor: -1, at: -1, stale: true, more: true, taken: map[gateway.Address]*claimedNumber{}}
	l.skip = func(m *gateway.Message) bool { return d.passOver(l, m) }
	port, ok, err := d.o.Queue.Cursor(name)
	switch {
	case err != nil:
		d.o.Logger.Error("ring cursor not read: the ring begins anew", slog.String("lane", name), slog.Any("error", err))
	case ok:
		l.cursor = port
	}
	l.proven.port = l.cursor
	return l
}

func (d *Dialer) define(l *lane, def Lane) {
	was := l.def
	l.def = def
	l.pace.set(def.Interval, d.mono)
	l.provider = d.providers[def.Provider]
	if l.provider == nil {
		l.provider = &pace{}
		d.providers[def.Provider] = l.provider
	}
	var every time.Duration
	if def.Rate > 0 {
		every = time.Duration(float64(time.Second) / def.Rate)
	}
	l.provider.set(every, d.mono)
	l.checked = time.Time{} // the schedule may be another
	if !def.Running || was.Provider != def.Provider {
		l.forget()
	}
	l.lineUp(d.row)
}

// lineUp makes the ring from the slots there are, which are sorted.
func (l *lane) lineUp(row []*slot) {
	l.reach, l.ring = nil, nil
	for _, s := range row {
		if s.provider == l.def.Provider {
			l.reach = append(l.reach, s)
		}
	}
	l.ring = l.reach
	if l.def.Ports != nil {
		l.ring = make([]*slot, 0, len(l.def.Ports))
		for _, port := range l.def.Ports {
			if i := slices.IndexFunc(l.reach, func(s *slot) bool { return s.port == port }); i >= 0 {
				l.ring = append(l.ring, l.reach[i])
			}
		}
	}
	l.at = l.place()
}

// place finds the cursor in the ring. A port that is not in it now counts as
// lying before the first one that follows it.
func (l *lane) place() int {
	if l.cursor < 0 {
		return -1
	}
	if i := slices.IndexFunc(l.ring, func(s *slot) bool { return s.port == l.cursor }); i >= 0 {
		return i
	}
	if l.def.Ports == nil {
		return sort.Search(len(l.ring), func(i int) bool { return l.ring[i].port > l.cursor }) - 1
	}
	// The ports of the dial string that come before the cursor's and are here.
	at := -1
	for _, port := range l.def.Ports {
		if port == l.cursor {
			return at
		}
		if at+1 < len(l.ring) && l.ring[at+1].port == port {
			at++
		}
	}
	return -1
}

// arrived notes that a row came into a lane's queue. One that sorts before the
// tail of the buffer makes it stale; one behind it does not.
func (d *Dialer) arrived(campaign string, r rank) {
	l := d.lanes[campaign]
	if l == nil {
		return
	}
	if n := len(l.buf); n > 0 && r.before(rankOf(&l.buf[n-1])) {
		l.stale, l.narrow = true, true
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
	if !l.due.IsZero() && !d.now.Before(l.due) {
		d.promote(l)
	}
	if l.promoting || !l.stale && (len(l.buf) > 0 || !l.more) {
		return
	}
	limit := l.batch() - l.flying - l.dropping
	if l.narrow {
		limit = min(limit, max(8, 2*l.freeSlots()))
	}
	if limit <= 0 {
		return
	}
	l.passed, l.stuck, l.ports, l.due = false, l.stuck[:0], l.ports[:0], time.Time{}
	clear(l.taken)
	c, err := d.o.Queue.Claim(spool.Claim{Campaign: l.def.Name, Limit: limit, Skip: l.skip})
	if err != nil {
		d.claimFailed(l, err)
		return
	}
	l.buf, l.stale, l.narrow, l.more = c.Messages, false, false, c.More
	l.dueAt(c.Wake)
	if len(l.buf) == 0 && c.More {
		d.putOff(l)
	}
}

// promote has the rows put into the queue whose time has come. The claim that
// does it waits for a sync, so it runs beside the loop.
func (d *Dialer) promote(l *lane) {
	l.due, l.promoting = time.Time{}, true
	name := l.def.Name
	d.senders.Go(func() {
		_, err := d.o.Queue.Claim(spool.Claim{Campaign: name, Limit: 1})
		d.mail.post(event{kind: eventPromoted, lane: l, err: err})
	})
}

// promoted takes in that they are in the queue.
func (d *Dialer) promoted(l *lane, err error) {
	l.promoting, l.stale = false, true
	if err != nil {
		d.claimFailed(l, err)
	}
}

// claimWait is how long a lane whose queue cannot be read waits.
const claimWait = 10 * time.Second

// claimFailed lets a lane wait whose queue cannot be read: the others go on,
// unless it is the store that does not answer.
func (d *Dialer) claimFailed(l *lane, err error) {
	if d.storeDown(err) {
		return
	}
	d.o.Logger.Error("queue not read", slog.String("lane", l.def.Name), slog.Any("error", err))
	l.buf, l.stale, l.more, l.due = nil, false, false, d.now.Add(claimWait)
}

// passOver says that a claim leaves a row out, so that it does not fill the
// buffer: it is in flight or being dropped, its number is or is in the claim
// already, or the only channel that may take it cannot.
func (d *Dialer) passOver(l *lane, m *gateway.Message) bool {
	if d.dropped[m.IDM] != nil {
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
		if s == nil || !s.free() || slices.Contains(l.ports, s) {
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

// stuckWait is how long rows wait whose channel cannot take them, when so many of
// them lie at the front of a queue that a claim sees nothing else.
const stuckWait = time.Minute

// putOff moves such rows out of the way of the others.
func (d *Dialer) putOff(l *lane) {
	at := d.now.Add(stuckWait)
	for _, idm := range l.stuck {
		d.drop(l, spool.Drop{IDM: idm, Status: gateway.StatusQueued, NotBefore: at, Kind: gateway.KindUnavailable, Text: "waits for the channel that it must go over", At: d.now})
	}
	l.stuck = l.stuck[:0]
}

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

// onSchedule says whether the lane's schedule is open. It is found again when it
// changes, and after the clock was set back.
func (d *Dialer) onSchedule(l *lane) bool {
	if !d.trusted && !l.def.Schedule.Next(d.now, l.def.Zone).IsZero() {
		l.checked = time.Time{}
		return false
	}
	if l.checked.IsZero() || d.now.Before(l.checked) || !l.changes.IsZero() && !d.now.Before(l.changes) {
		l.on = l.def.Schedule.On(d.now, l.def.Zone)
		l.changes = l.def.Schedule.Next(d.now, l.def.Zone)
		l.checked = d.now
	}
	if !l.changes.IsZero() {
		d.wakeAt(l.changes)
	}
	return l.on
}
