package dialer

import (
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
)

// Status is how a lane stands.
type Status struct {
	Running    bool      // enabled, and started
	OnSchedule bool      // by clock and schedule only
	Idle       string    // why nothing leaves now, in words; "" while something does
	Buffered   int       // rows claimed into memory
	InFlight   int       // messages between intent and recorded outcome
	Wake       time.Time // when it may go on by itself, UTC; zero = at the next event
}

// idleness is why a lane sends nothing: a word for the loop, put into a sentence
// when somebody asks.
type idleness uint8

const (
	idleNot idleness = iota
	idleStopped
	idleClosed
	idlePaced
	idleBusy
	idleNoChannel
	idleEmpty
	idleRows
)

// Status gives how a lane stands and whether there is such a lane.
func (d *Dialer) Status(name string) (Status, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[name]
	if l == nil {
		return Status{}, false
	}
	now := d.o.Now().UTC()
	st := Status{
		Running: l.def.Running, OnSchedule: d.scheduled(l, now),
		Buffered: len(l.buf), InFlight: l.flying, Idle: d.idleWords(l, now),
	}
	switch {
	case !st.Running:
	case !st.OnSchedule:
		st.Wake = l.def.Schedule.Next(now, l.def.Zone)
	case l.idle == idlePaced:
		st.Wake = now.Add(max(l.pace.wait(time.Now()), l.provider.wait(time.Now()), 0))
	default:
		st.Wake = l.due
	}
	return st, true
}

// scheduled says whether the lane's schedule is open at now.
func (d *Dialer) scheduled(l *lane, now time.Time) bool {
	return l.def.Schedule.On(now, l.def.Zone) && (d.o.Trusted() || !l.windowed(now))
}

// windowed says that the schedule is not the same all week: it needs the clock.
func (l *lane) windowed(now time.Time) bool { return !l.def.Schedule.Next(now, l.def.Zone).IsZero() }

func (d *Dialer) idleWords(l *lane, now time.Time) string {
	switch {
	case d.draining:
		return "fieldpost is shutting down"
	case l.def.Fault != "":
		return l.def.Fault
	case !l.def.Running:
		return "it is stopped or disabled"
	case !d.scheduled(l, now):
		return d.closedWords(l, now)
	case d.store.err != nil:
		return "the store takes nothing now: " + d.store.err.Error()
	}
	switch l.idle {
	case idlePaced:
		return fmt.Sprintf("the time between two messages (%v) has not passed", max(l.pace.every, l.provider.every))
	case idleBusy:
		return "every channel is sending"
	case idleNoChannel:
		if w := heldWords(l.reach); w != "" {
			return w
		}
		return "no channel of provider " + l.def.Provider + " is ready"
	case idleEmpty:
		return l.emptyWords()
	case idleRows:
		return d.rowsWords(l)
	}
	return ""
}

// rowsWords says why none of the rows in memory goes.
func (d *Dialer) rowsWords(l *lane) string {
	if w := heldWords(l.ring); w != "" {
		return w
	}
	if len(l.buf) > 0 {
		if why := d.portWords(l, &l.buf[0]); len(why) > 0 {
			return "the first row waits: " + strings.TrimSuffix(strings.Join(why[:min(2, len(why))], " "), ".")
		}
	}
	return "the rows at the front wait for another message to their number"
}

// heldWords says that SIMs are held, where no channel can carry anything for it.
func heldWords(slots []*slot) string {
	var held *slot
	n := 0
	for _, s := range slots {
		switch {
		case s.fit():
			return ""
		case s.ready():
			if n++; held == nil {
				held = s
			}
		}
	}
	if n == 0 {
		return ""
	}
	w := channelWords(held)
	if n > 1 {
		w = fmt.Sprintf("the SIMs of %d channels are held; %s", n, w)
	}
	if n < len(slots) {
		w += "; no other channel is ready"
	}
	return w
}

func (d *Dialer) closedWords(l *lane, now time.Time) string {
	if !d.o.Trusted() && l.windowed(now) {
		return "the clock is not trusted, so the schedule waits"
	}
	next := l.def.Schedule.Next(now, l.def.Zone)
	if next.IsZero() {
		return "its schedule never opens"
	}
	return "its schedule is closed until " + inZone(next, l.def.Zone)
}

func (l *lane) emptyWords() string {
	switch {
	case l.fault != nil:
		return l.faultWords()
	case l.flying+l.dropping >= l.batch():
		return fmt.Sprintf("as many rows are in flight as it may hold in memory (%d)", l.batch())
	case len(l.barred) > 0:
		return "the rows that are left wait for a place among the recipients of a SIM's month, until " + inZone(l.opens, l.def.Zone)
	case l.passed:
		return "the rows that are left wait for their number or for one certain channel"
	case !l.due.IsZero():
		return "the next row is not due before " + inZone(l.due, l.def.Zone)
	}
	return "nothing is queued"
}

// faultWords says what keeps all rows of a lane.
func (l *lane) faultWords() string {
	return fmt.Sprintf("its queue cannot be read or written, which is tried again every %v: %s", claimWait, reason(l.fault))
}

func inZone(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("Mon 2006-01-02 15:04:05 MST")
}

// Claimed says that a row is in memory or in flight: what the old table calls
// state 2.
func (d *Dialer) Claimed(idm uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.slots {
		for _, f := range []*flight{s.next, s.flying, s.closing} {
			if f != nil && f.m.IDM == idm {
				return true
			}
		}
	}
	for _, l := range d.order {
		for i := range l.buf {
			if l.buf[i].IDM == idm {
				return true
			}
		}
	}
	return false
}

// channelWords says why a channel carries nothing now; "" when it could.
func channelWords(s *slot) string {
	c := "channel " + s.id
	switch {
	case s.absent:
		return c + " is gone"
	case s.ch.State != gateway.ChannelReady:
		return c + " " + stateWords(&s.ch)
	case s.sim.held != "":
		return cardWords(s) + " is held: " + s.sim.held
	case s.resting:
		return c + " rests"
	case s.state == slotSending || s.state == slotWriting:
		return c + " is sending"
	case s.state == slotUnsaved:
		return c + " waits for the store"
	}
	return ""
}

func stateWords(c *gateway.Channel) string {
	w := "is " + c.State.String()
	if c.Reason != "" {
		w += ": " + c.Reason
	}
	if !c.Until.IsZero() {
		w += ", until " + c.Until.UTC().Format("15:04:05") + " UTC"
	}
	return w
}
