package dialer

import (
	"fmt"
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
		return "no channel of provider " + l.def.Provider + " is ready"
	case idleEmpty:
		return l.emptyWords()
	case idleRows:
		return "the rows at the front wait for a channel of the dial string, for room in a SIM's quota or for another message to their number"
	}
	return ""
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
	case l.flying+l.dropping >= l.batch():
		return fmt.Sprintf("as many rows are in flight as it may hold in memory (%d)", l.batch())
	case l.passed:
		return "the rows that are left wait for their number or for one certain channel"
	case !l.due.IsZero():
		return "the next row is not due before " + inZone(l.due, l.def.Zone)
	}
	return "nothing is queued"
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
	switch {
	case s.absent:
		return "is gone"
	case s.ch.State != gateway.ChannelReady:
		w := "is " + s.ch.State.String()
		if s.ch.Reason != "" {
			w += ": " + s.ch.Reason
		}
		if !s.ch.Until.IsZero() {
			w += ", until " + s.ch.Until.UTC().Format("15:04:05") + " UTC"
		}
		return w
	case s.resting:
		return "rests"
	case s.state == slotSending || s.state == slotWriting:
		return "is sending"
	case s.state == slotUnsaved:
		return "waits for the store"
	}
	return ""
}
