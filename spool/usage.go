package spool

import (
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// usage is what is kept of a SIM, in a commit: what it sent in its present windows,
// which tumble (minute and hour by the clock, day and month in the site's zone), and
// what became of it.
type usage struct {
	Usage
	reset  int    // the day of the month by which MonthStart was found; 0 = none was
	period uint16 // number of the billing month under which its recipients are kept

	today   SIMDay // counts of the day that was counted last; its Day is midnight UTC
	streak  uint32 // as in SIMRecord, to the second
	since   time.Time
	refused uint32
	lastOut time.Time
	arrived time.Time

	changed bool
}

// maxSIMKey bounds what names a SIM, in bytes.
const maxSIMKey = 4096

// card gives what is kept of a SIM, to change. A record that cannot be read goes into
// quarantine, and the SIM counts anew: it would never send again otherwise.
func (t *tx) card(sim string) (*usage, error) {
	if len(sim) > maxSIMKey { // said here, to who asks: a key that is too large fails the commit of all
		return nil, gateway.Invalid("sim", "its key has %d bytes; at most %d are taken", len(sim), maxSIMKey)
	}
	if u, ok := t.usages[sim]; ok {
		return u, nil
	}
	u, err := readUsage(t.b, sim)
	if err != nil {
		if err := t.aside(bucketState, usageKey(sim), err); err != nil {
			return nil, err
		}
		u = &usage{}
	}
	t.usages[sim] = u
	return u, nil
}

// usage is card at a time, with the windows that lie there.
func (t *tx) usage(sim string, at time.Time) (*usage, error) {
	u, err := t.card(sim)
	if err != nil {
		return nil, err
	}
	month, moved := u.roll(at, t.s.o.Zone, t.s.resetDay(sim))
	u.changed = u.changed || month || moved
	if month {
		return u, t.forgetRecipients(sim, u.period)
	}
	return u, nil
}

// charge counts an intent's segments on its SIM before they are sent, and its
// recipient where the SIM's recipients are limited. fresh says that the recipient is new.
func (t *tx) charge(in *Intent, to gateway.Address) (fresh bool, err error) {
	if in.SIM == "" {
		return false, nil
	}
	u, err := t.usage(in.SIM, in.At)
	if err != nil {
		return false, err
	}
	u.changed = true
	n := uint32(max(in.Charge, 0))
	u.Minute, u.Hour, u.Day, u.Month = u.Minute+n, u.Hour+n, u.Day+n, u.Month+n
	if in.Limits.RecipientsPerMonth == 0 {
		return false, nil
	}
	k, ok := recipientKey(in.SIM, u.period, to)
	if !ok {
		return false, nil
	}
	b := t.bucket(bucketRecipient)
	if b.Get(k) != nil {
		return false, nil
	}
	u.Recipients++
	return true, b.Put(k, present)
}

// refund gives back what an intent charged, because nothing was sent, in so far
// as the windows that it was charged to are still the present ones.
func (t *tx) refund(in *Intent, to gateway.Address, fresh bool) error {
	if in.SIM == "" {
		return nil
	}
	u, err := t.usage(in.SIM, t.now)
	if err != nil {
		return err
	}
	u.changed = true
	var then usage
	then.roll(in.At, t.s.o.Zone, u.reset)
	n := uint32(max(in.Charge, 0))
	give := func(count *uint32, now, then time.Time) {
		if now.Equal(then) {
			*count -= min(n, *count)
		}
	}
	give(&u.Minute, u.MinuteStart, then.MinuteStart)
	give(&u.Hour, u.HourStart, then.HourStart)
	give(&u.Day, u.DayStart, then.DayStart)
	give(&u.Month, u.MonthStart, then.MonthStart)
	k, ok := recipientKey(in.SIM, u.period, to)
	if !fresh || !ok || !u.MonthStart.Equal(then.MonthStart) {
		return nil
	}
	u.Recipients -= min(1, u.Recipients)
	return t.bucket(bucketRecipient).Delete(k)
}

// roll begins the windows that at lies behind. A clock that went back a little, by
// a window or a day at most, begins none: a quota is not given twice. One that was far
// ahead is corrected: the window moves back and keeps its count, or it would never end.
// month says that a month began, moved that a window moved.
func (u *usage) roll(at time.Time, zone *time.Location, reset int) (month, moved bool) {
	y, mo, d := at.In(zone).Date()
	for _, w := range []struct {
		start *time.Time
		count *uint32
		now   time.Time
		back  time.Duration // how far a clock may go back and be believed to have been right
	}{
		{&u.MinuteStart, &u.Minute, at.Truncate(time.Minute), time.Minute},
		{&u.HourStart, &u.Hour, at.Truncate(time.Hour), time.Hour},
		{&u.DayStart, &u.Day, midnight(y, mo, d, zone), 24 * time.Hour},
	} {
		if w.start.Sub(w.now) > w.back {
			*w.start, moved = w.now.UTC(), true
		}
		if w.now.After(*w.start) {
			*w.start, *w.count = w.now.UTC(), 0
		}
	}
	was := u.MonthStart
	month = u.rollMonth(at, zone, reset)
	return month, moved || !month && !was.Equal(u.MonthStart)
}

// SIMUsage gives what a SIM sent in the windows that now lies in. Windows that a
// clock far ahead had begun, or another reset day, are moved on disk too: the former
// would not end, and the latter must be known before the month ends. A record that
// cannot be read is put aside, for the next call.
func (s *Spool) SIMUsage(sim string, now time.Time) (Usage, error) {
	var u *usage
	err := s.view(func(b *bbolt.Tx) (err error) {
		u, err = readUsage(b, sim)
		return err
	})
	if err != nil {
		s.moveWindows(sim, now)
		return Usage{}, err
	}
	if _, moved := u.roll(now, s.o.Zone, s.resetDay(sim)); moved {
		s.moveWindows(sim, now)
	}
	return u.Usage, nil
}

// moveWindows stores the windows of a SIM as they are at now; nobody waits for it.
func (s *Spool) moveWindows(sim string, now time.Time) {
	s.w.submit(&request{
		weight: 1,
		fn: func(t *tx) error {
			_, err := t.usage(sim, now)
			return err
		},
		done: func(err error) {
			if err != nil {
				s.log.Warn("usage of a SIM not moved", "sim", sim, "error", err)
			}
		},
	})
}

func (t *tx) flushUsage() error {
	for sim, u := range t.usages {
		if !u.changed {
			continue
		}
		k := usageKey(sim)
		if err := t.bucket(bucketState).Put(k, encodeUsage(k, u)); err != nil {
			return err
		}
	}
	return nil
}

func usageKey(sim string) []byte { return append([]byte{'u'}, sim...) }
