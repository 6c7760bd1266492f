package dialer

import (
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// sim is one card: what it may still send - the spool's usage, and what was opened
// since it was read - and what is known of it.
type sim struct {
	key    string
	usage  spool.Usage
	loaded bool
	minute time.Time // that the usage was read in

	held     string // why it must not send; "" = it may
	operator string // whose it is; "" = not known

	refusals int       // sends in a row that the network refused it
	refused  time.Time // the last of them; monotonic
	until    time.Time // end of the rest that it earned by them; monotonic
	why      string    // of that rest
}

// load reads the usage when it was never read or in another minute: a window may
// have ended, or the clock was set. While it is not trusted, windows wait.
func (s *sim) load(d *Dialer) error {
	minute := d.now.Truncate(time.Minute)
	if s.current(d) {
		return nil
	}
	u, err := d.o.Meter.SIMUsage(s.key, d.now)
	if err != nil {
		return err
	}
	if u.Recipients < s.usage.Recipients {
		d.placed = true
		d.wakeIn(0)
	}
	s.usage, s.loaded, s.minute = u, true, minute
	// What is opened but not on disk yet is not in it.
	for _, sl := range d.slots {
		if f := sl.next; f != nil && f.sim == s && sl.state == slotWriting {
			s.add(f.charge, f.fresh)
		}
	}
	return nil
}

// current says that what was read of the usage still holds.
func (s *sim) current(d *Dialer) bool {
	return s.loaded && (!d.trusted || d.now.Truncate(time.Minute).Equal(s.minute))
}

// window is one limit of a SIM.
type window uint8

const (
	windowNone window = iota
	windowMinute
	windowHour
	windowDay
	windowMonth
	windowRecipients // different numbers in the month
)

// of gives what is used of a window, and its limit; 0 = no limit.
func (w window) of(u *spool.Usage, l *gateway.Limits) (used, limit uint32) {
	switch w {
	case windowMinute:
		return u.Minute, l.PerMinute
	case windowHour:
		return u.Hour, l.PerHour
	case windowDay:
		return u.Day, l.PerDay
	case windowMonth:
		return u.Month, l.PerMonth
	case windowRecipients:
		return u.Recipients, l.RecipientsPerMonth
	}
	return 0, 0
}

// ends gives when a window of a SIM ends. A month is the SIM's own: it begins on
// the day that its bill does.
func (w window) ends(u *spool.Usage, zone *time.Location) time.Time {
	switch w {
	case windowMinute:
		return u.MinuteStart.Add(time.Minute)
	case windowHour:
		return u.HourStart.Add(time.Hour)
	case windowDay:
		return u.DayEnd(zone)
	}
	return u.MonthEnd(zone)
}

// full gives the window that has no room for n segments, if there is one, and
// when it ends; of several the one that ends last. A message of more segments than
// a window takes may begin when that window has room for what it takes; its other
// segments follow in the next.
func (s *sim) full(l *gateway.Limits, n int, zone *time.Location) (full window, until time.Time) {
	for w := windowMinute; w <= windowMonth; w++ {
		used, limit := w.of(&s.usage, l)
		if limit == 0 || uint64(used)+uint64(min(uint32(n), limit)) <= uint64(limit) {
			continue
		}
		if end := w.ends(&s.usage, zone); end.After(until) {
			full, until = w, end
		}
	}
	return full, until
}

// add counts segments that are about to be sent.
func (s *sim) add(n int, fresh bool) {
	u, c := &s.usage, uint32(n)
	u.Minute, u.Hour, u.Day, u.Month = u.Minute+c, u.Hour+c, u.Day+c, u.Month+c
	if fresh {
		u.Recipients++
	}
}

// refund takes back what was not sent.
func (s *sim) refund(n int, fresh bool) {
	u := &s.usage
	for _, p := range [...]*uint32{&u.Minute, &u.Hour, &u.Day, &u.Month} {
		*p -= min(uint32(n), *p)
	}
	if fresh && u.Recipients > 0 {
		u.Recipients--
	}
}

// room says whether a slot's SIM has room for n segments to a number. Where it
// has none, a turn is asked for when it may.
func (d *Dialer) room(s *slot, l gateway.Limits, n int, to gateway.Address) bool {
	if l == (gateway.Limits{}) {
		return true
	}
	if err := s.sim.load(d); err != nil {
		d.meterFailed(s, err)
		return false
	}
	w, until := s.sim.full(&l, n, d.o.Zone)
	if w == windowNone {
		if l.RecipientsPerMonth == 0 || s.sim.usage.Recipients < l.RecipientsPerMonth || !d.fresh(s, l, to) {
			return true
		}
		until = windowRecipients.ends(&s.sim.usage, d.o.Zone)
	}
	if d.trusted { // otherwise no window opens by itself
		d.wakeAt(until)
	}
	return false
}

// lack says which limit of a slot's SIM keeps a message, by what is in memory, and
// until when.
func (d *Dialer) lack(l *lane, s *slot, m *gateway.Message) (window, time.Time) {
	lim := l.def.limits(s.sim.key)
	if lim == (gateway.Limits{}) || !s.sim.loaded {
		return windowNone, time.Time{}
	}
	if w, until := s.sim.full(&lim, d.left(s, m), d.o.Zone); w != windowNone {
		return w, until
	}
	if d.hasPlace(s, &lim, m.To) {
		return windowNone, time.Time{}
	}
	return windowRecipients, windowRecipients.ends(&s.sim.usage, d.o.Zone)
}

// shut says that a channel cannot take a row that is bound to it, and notes when it
// may. Claims ask, within a view of the store: so it answers from memory, and not at
// all by usage that would be read anew.
func (d *Dialer) shut(l *lane, s *slot, m *gateway.Message) bool {
	if !s.splits(m) {
		return true // until its card is in another device
	}
	if !s.sim.current(d) {
		return false
	}
	lim := l.def.limits(s.sim.key)
	w, until := s.sim.full(&lim, d.left(s, m), d.o.Zone)
	if w == windowNone {
		return false
	}
	if next := d.now.Add(stuckWait); until.After(next) {
		until = next // the limits, or the clock, may be others by then
	}
	l.dueAt(until)
	return true
}

// hasPlace says that a number has a place among the recipients of a slot's SIM, or
// would get one, by what is in memory.
func (d *Dialer) hasPlace(s *slot, l *gateway.Limits, to gateway.Address) bool {
	if !s.sim.loaded || l.RecipientsPerMonth == 0 || s.sim.usage.Recipients < l.RecipientsPerMonth {
		return true
	}
	known, err := d.o.Meter.KnowsRecipient(s.sim.key, to, d.now)
	return known || err != nil
}

// fresh says that a number is new to the slot's SIM this month, which is of
// interest only where its recipients are limited.
func (d *Dialer) fresh(s *slot, l gateway.Limits, to gateway.Address) bool {
	if l.RecipientsPerMonth == 0 {
		return false
	}
	known, err := d.o.Meter.KnowsRecipient(s.sim.key, to, d.now)
	if err != nil {
		d.meterFailed(s, err)
	}
	return !known
}

// meterFailed lets a channel rest whose SIM's usage cannot be read: the others go
// on, unless it is the store that does not answer.
func (d *Dialer) meterFailed(s *slot, err error) {
	if !d.storeDown(err) {
		d.rest(s, time.Minute, "what its SIM has sent cannot be read: "+err.Error())
	}
}
