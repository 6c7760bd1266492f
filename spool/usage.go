package spool

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// usage is what a SIM sent in its present windows, in a commit. The windows
// tumble: minute and hour by the clock, day and month in the site's zone.
type usage struct {
	Usage
	changed bool
}

// usageSize: five counts and four window starts (Unix seconds), u32be each.
const usageSize = 4 * 9

// usage gives a SIM's usage at a time, to change.
func (t *tx) usage(sim string, at time.Time) (*usage, error) {
	u, ok := t.usages[sim]
	if !ok {
		u = &usage{}
		var err error
		if u.Usage, err = readUsage(t.b, sim); err != nil {
			return nil, err
		}
		t.usages[sim] = u
	}
	month, back := u.roll(at, t.s.o.Zone)
	u.changed = u.changed || month || back
	if month {
		return u, t.forgetRecipients(sim, u.MonthStart)
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
	k, ok := recipientKey(in.SIM, u.MonthStart, to)
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
	var then Usage
	then.roll(in.At, t.s.o.Zone)
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
	k, ok := recipientKey(in.SIM, then.MonthStart, to)
	if !fresh || !ok || !u.MonthStart.Equal(then.MonthStart) {
		return nil
	}
	u.Recipients -= min(1, u.Recipients)
	return t.bucket(bucketRecipient).Delete(k)
}

// roll begins the windows that at lies behind. A clock that went back a little, by
// a window or a day at most, begins none: a quota is not given twice. One that was far
// ahead is corrected: the window moves back and keeps its count, or it would never end.
// month says that a month began, back that a window moved back.
func (u *Usage) roll(at time.Time, zone *time.Location) (month, back bool) {
	local := at.In(zone)
	y, mo, d := local.Date()
	starts := []struct {
		start *time.Time
		count *uint32
		now   time.Time
		back  time.Duration // how far a clock may go back and be believed to have been right
	}{
		{&u.MinuteStart, &u.Minute, at.Truncate(time.Minute), time.Minute},
		{&u.HourStart, &u.Hour, at.Truncate(time.Hour), time.Hour},
		{&u.DayStart, &u.Day, time.Date(y, mo, d, 0, 0, 0, 0, zone), 24 * time.Hour},
		{&u.MonthStart, &u.Month, time.Date(y, mo, 1, 0, 0, 0, 0, zone), 24 * time.Hour},
	}
	for i, w := range starts {
		if w.start.Sub(w.now) > w.back {
			*w.start, back = w.now.UTC(), true
		}
		if !w.now.After(*w.start) {
			continue
		}
		*w.start, *w.count = w.now.UTC(), 0
		if i == len(starts)-1 {
			u.Recipients, month = 0, true
		}
	}
	return month, back
}

// SIMUsage gives what a SIM sent in the windows that now lies in. Windows that a
// clock far ahead had begun are moved back on disk too, or they would not end.
func (s *Spool) SIMUsage(sim string, now time.Time) (u Usage, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		u, err = readUsage(b, sim)
		return err
	})
	if err != nil {
		return u, err
	}
	if _, back := u.roll(now, s.o.Zone); back {
		s.moveBack(sim, now)
	}
	return u, nil
}

// moveBack stores the windows of a SIM as they are at now; nobody waits for it.
func (s *Spool) moveBack(sim string, now time.Time) {
	s.w.submit(&request{
		weight: 1,
		fn: func(t *tx) error {
			_, err := t.usage(sim, now)
			return err
		},
		done: func(err error) {
			if err != nil {
				s.log.Warn("usage of a SIM not moved back", "sim", sim, "error", err)
			}
		},
	})
}

// KnowsRecipient says that a number is counted already among the recipients of a
// SIM's present month.
func (s *Spool) KnowsRecipient(sim string, to gateway.Address, now time.Time) (known bool, err error) {
	var u Usage
	u.roll(now, s.o.Zone)
	k, ok := recipientKey(sim, u.MonthStart, to)
	if !ok {
		return false, nil
	}
	err = s.view(func(b *bbolt.Tx) error {
		known = b.Bucket(bucketRecipient).Get(k) != nil
		return nil
	})
	return known, err
}

// recipientKey has the month before the number, so that old months are found; the
// number of months since year 0 fits u16 until the year 5461.
func recipientKey(sim string, month time.Time, to gateway.Address) ([]byte, bool) {
	n, ok := to.Packed()
	return binary.BigEndian.AppendUint64(recipientMonth(sim, month), n), ok
}

// recipientMonth is the part of a key that the recipients of one month share. The
// start of a month may lie in the month before, in UTC: its middle does not.
func recipientMonth(sim string, month time.Time) []byte {
	y, mo, _ := month.AddDate(0, 0, 14).Date()
	k := append([]byte(sim), 0)
	return binary.BigEndian.AppendUint16(k, uint16(y*12+int(mo)-1))
}

// maxForget bounds the old recipients that one new month deletes at once; the
// next month deletes the rest.
const maxForget = 5000

// forgetRecipients drops the recipients of months before this one.
func (t *tx) forgetRecipients(sim string, month time.Time) error {
	b := t.bucket(bucketRecipient)
	end := string(recipientMonth(sim, month))
	var old [][]byte // collected first: a cursor that deletes skips keys (bbolt#146)
	c := b.Cursor()
	for k, _ := c.Seek(append([]byte(sim), 0)); k != nil && string(k) < end && len(old) < maxForget; k, _ = c.Next() {
		old = append(old, append([]byte(nil), k...))
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) flushUsage() error {
	for sim, u := range t.usages {
		if !u.changed {
			continue
		}
		if err := t.bucket(bucketState).Put(usageKey(sim), encodeUsage(&u.Usage)); err != nil {
			return err
		}
	}
	return nil
}

func usageKey(sim string) []byte { return append([]byte{'u'}, sim...) }

func readUsage(b *bbolt.Tx, sim string) (Usage, error) {
	v := b.Bucket(bucketState).Get(usageKey(sim))
	if v == nil {
		return Usage{}, nil
	}
	u, err := decodeUsage(v)
	if err != nil {
		return Usage{}, fmt.Errorf("state: usage of SIM %s: %w", sim, err)
	}
	return u, nil
}

func encodeUsage(u *Usage) []byte {
	v := make([]byte, 0, usageSize)
	for _, n := range []uint32{u.Minute, u.Hour, u.Day, u.Month, u.Recipients} {
		v = binary.BigEndian.AppendUint32(v, n)
	}
	for _, at := range []time.Time{u.MinuteStart, u.HourStart, u.DayStart, u.MonthStart} {
		v = binary.BigEndian.AppendUint32(v, uint32(at.Unix()))
	}
	return v
}

func decodeUsage(v []byte) (u Usage, err error) {
	if len(v) != usageSize {
		return u, fmt.Errorf("a record of %d bytes, want %d", len(v), usageSize)
	}
	for i, n := range []*uint32{&u.Minute, &u.Hour, &u.Day, &u.Month, &u.Recipients} {
		*n = binary.BigEndian.Uint32(v[4*i:])
	}
	for i, at := range []*time.Time{&u.MinuteStart, &u.HourStart, &u.DayStart, &u.MonthStart} {
		*at = time.Unix(int64(binary.BigEndian.Uint32(v[20+4*i:])), 0).UTC()
	}
	return u, nil
}
