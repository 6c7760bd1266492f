package dialer

import (
	"log/slog"
	"slices"
	"sort"
	"time"

	"fieldpost/gateway"
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

	barred  map[uint64]uint64 // rows that no SIM has a place among its recipients for, and the claim that saw them last
	opens   time.Time         // when the first of them has; where there are any
	doubted time.Time         // when they are looked at again in any case; monotonic
	claims  uint64            // so far
	passing passing           // rows that went before one, for the sake of their operator

	buf    []gateway.Message // claimed, in order
	stale  bool              // buf may not begin with the first rows that can go
	narrow bool              // rows keep coming in before the tail of buf
	more   bool              // the queue holds rows behind buf
	due    time.Time         // when a row that waits for a time may go; zero = none
	beyond beyond            // what was looked at behind rows that cannot go

	flying   int // messages of the lane in flight
	dropping int // rows of it being dropped
	served   uint64

	fault     error  // why its rows could not be read or written the last time; nil = they could
	promoting bool   // rows whose time came are being put into the queue
	promoted  bool   // they were, and nothing was claimed since
	damaged   uint64 // the record that ended the last claim; 0 = none

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

// forget drops the claims. The rows are still queued, on disk.
func (l *lane) forget() {
	l.buf = nil
	l.stale, l.more = true, true
	l.beyond = beyond{}
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
	l := &lane{cursor: -1, at: -1, stale: true, more: true, taken: map[gateway.Address]*claimedNumber{}, barred: map[uint64]uint64{}}
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
	l.stale = l.stale || l.passed // its limits may be others
	l.lineUp(d.row)
}

// lineUp makes the ring from the slots there are, which are sorted.
func (l *lane) lineUp(row []*slot) {
	l.unbar()
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
