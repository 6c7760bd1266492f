package dialer

import (
	"fmt"

	"fieldpost/gateway"
)

// share is how much of its quota a SIM has used: that of its tightest limit.
type share struct {
	window      window // windowNone = it has no limit
	used, limit uint32
	day, month  uint32 // segments
}

// share gives what a SIM has used of its limits.
func (s *sim) share(l *gateway.Limits) share {
	u := &s.usage
	best := share{limit: 1, day: u.Day, month: u.Month}
	for w := windowMinute; w <= windowRecipients; w++ {
		used, limit := w.of(u, l)
		if limit == 0 {
			continue
		}
		if best.window == windowNone || uint64(used)*uint64(best.limit) > uint64(best.used)*uint64(limit) {
			best.window, best.used, best.limit = w, used, limit
		}
	}
	return best
}

// less says that a SIM has used a smaller share than another; of equals the one
// that sent less today, and then this month.
func (a *share) less(b *share) bool {
	x, y := uint64(a.used)*uint64(b.limit), uint64(b.used)*uint64(a.limit)
	switch {
	case x != y:
		return x < y
	case a.day != b.day:
		return a.day < b.day
	}
	return a.month < b.month
}

// words gives the share for people.
func (a *share) words() string {
	switch a.window {
	case windowNone:
		return fmt.Sprintf("%d sent today", a.day)
	case windowDay:
		return fmt.Sprintf("%d of %d today", a.used, a.limit)
	case windowRecipients:
		return fmt.Sprintf("%d of %d recipients this month", a.used, a.limit)
	}
	return fmt.Sprintf("%d of %d this %s", a.used, a.limit, a.window)
}

// count reads what the SIMs of a lane have sent, where the choice depends on it.
func (d *Dialer) count(l *lane) {
	if l.def.Choice != gateway.ChoiceLeastUsed {
		return
	}
	for _, s := range l.ring {
		if !s.free() {
			continue
		}
		if err := s.sim.load(d); err != nil {
			d.meterFailed(s, err)
		}
	}
}

var windowNames = [...]string{windowNone: "", windowMinute: "minute", windowHour: "hour", windowDay: "day", windowMonth: "month", windowRecipients: "month"}

// String gives the window's word.
func (w window) String() string { return windowNames[w] }
