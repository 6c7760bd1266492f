package dialer

import (
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// sim is what one SIM may still send: the spool's usage, and what was opened
// since it was read.
type sim struct {
	key    string
	usage  spool.Usage
	loaded bool
	minute time.Time // that the usage was read in
}

// load reads the usage when it was never read or in another minute: a window may
// have ended, or the clock was set. While it is not trusted, windows wait.
func (s *sim) load(d *Dialer) error {
	minute := d.now.Truncate(time.Minute)
	if s.loaded && (minute.Equal(s.minute) || !d.trusted) {
		return nil
	}
	u, err := d.o.Meter.SIMUsage(s.key, d.now)
	if err != nil {
		return err
	}
	s.usage, s.loaded, s.minute = u, true, minute
	// What is opened but not on disk yet is not in it.
	for _, sl := range d.slots {
		if sl.sim == s && sl.state == slotWriting && sl.next != nil {
			s.add(sl.next.charge, sl.next.fresh)
		}
	}
	return nil
}

// window is one limit of a SIM.
type window struct {
	name  string
	used  uint32
	limit uint32
	ends  func() time.Time
}

func (s *sim) windows(l gateway.Limits, zone *time.Location) [4]window {
	u := &s.usage
	return [4]window{
		{"minute", u.Minute, l.PerMinute, func() time.Time { return u.MinuteStart.Add(time.Minute) }},
		{"hour", u.Hour, l.PerHour, func() time.Time { return u.HourStart.Add(time.Hour) }},
		{"day", u.Day, l.PerDay, func() time.Time { return u.DayStart.In(zone).AddDate(0, 0, 1) }},
		{"month", u.Month, l.PerMonth, func() time.Time { return s.monthEnds(zone) }},
	}
}

func (s *sim) monthEnds(zone *time.Location) time.Time {
	return s.usage.MonthStart.In(zone).AddDate(0, 1, 0)
}

// full gives the window that has no room for n segments, if there is one, and
// when it ends; of several the one that ends last. A message of more segments than
// a window takes may begin when that window has room for what it takes; its other
// segments follow in the next.
func (s *sim) full(l gateway.Limits, n int, zone *time.Location) (name string, until time.Time) {
	for _, w := range s.windows(l, zone) {
		if w.limit == 0 || uint64(w.used)+uint64(min(uint32(n), w.limit)) <= uint64(w.limit) {
			continue
		}
		if end := w.ends(); end.After(until) {
			name, until = w.name, end
		}
	}
	return name, until
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
	for _, p := range []*uint32{&u.Minute, &u.Hour, &u.Day, &u.Month} {
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
	if _, until := s.sim.full(l, n, d.o.Zone); !until.IsZero() {
		if d.trusted { // otherwise no window opens by itself
			d.wakeAt(until)
		}
		return false
	}
	if l.RecipientsPerMonth == 0 || s.sim.usage.Recipients < l.RecipientsPerMonth {
		return true
	}
	if !d.fresh(s, l, to) {
		return true
	}
	d.wakeAt(s.sim.monthEnds(d.o.Zone))
	return false
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
