package spool

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
)

// bucketSIMDays holds the days of each SIM but the one that was counted last, which is
// in its usage record: only a new day touches this bucket.
var bucketSIMDays = []byte("sim.days") // SIM -> days

const (
	// keepDays is how many days of a SIM are kept. They are more than are shown: days
	// that a wrong clock made push out none of these.
	keepDays = 64
	// maxSIMs bounds the SIMs whose days are kept.
	maxSIMs = 4096
)

// simDays are days of one SIM, newest first. Each has midnight UTC of its date.
type simDays []SIMDay

// with gives the days and one more, which takes the place of the same date; an empty
// one takes none.
func (s simDays) with(d SIMDay) simDays {
	i, found := s.find(d.Day)
	switch {
	case d.empty() && found:
		return slices.Delete(slices.Clone(s), i, i+1)
	case d.empty():
		return s
	case found:
		s = slices.Clone(s)
		s[i] = d
		return s
	}
	return slices.Insert(slices.Clone(s), i, d)
}

func (s simDays) find(day time.Time) (int, bool) {
	return slices.BinarySearchFunc(s, day, func(d SIMDay, day time.Time) int { return day.Compare(d.Day) })
}

func (d *SIMDay) empty() bool {
	return d.Accepted|d.Awaited|d.Delivered|d.Undelivered|d.Refused|d.Unknown == 0
}

// turnDay makes another day the one that is counted. Days are kept by their date,
// whichever way the clock went: of too many the oldest goes.
func (t *tx) turnDay(sim string, u *usage, day time.Time) error {
	old, err := readDays(t.b, sim)
	if err != nil {
		if err := t.aside(bucketSIMDays, []byte(sim), err); err != nil {
			return err
		}
	}
	days := old.with(u.today)
	u.today = SIMDay{Day: day}
	if i, found := days.find(day); found {
		u.today = days[i]
		days = slices.Delete(slices.Clone(days), i, i+1)
	}
	days = days[:min(len(days), keepDays)]
	if len(days) == 0 {
		return t.bucket(bucketSIMDays).Delete([]byte(sim))
	}
	if len(old) == 0 {
		if err := t.trimSIMs(); err != nil {
			return err
		}
	}
	return t.bucket(bucketSIMDays).Put([]byte(sim), encodeDays([]byte(sim), days))
}

// trimSIMs makes room for the days of one more SIM: those of the SIM go that did not
// send for longest.
func (t *tx) trimSIMs() error {
	b := t.bucket(bucketSIMDays)
	var oldest []byte
	var last time.Time
	n := 0
	err := b.ForEach(func(k, v []byte) error {
		n++
		days, err := decodeDays(k, v)
		if err != nil || len(days) == 0 {
			return nil // Check tells of it, and its own SIM puts it aside
		}
		if oldest == nil || days[0].Day.Before(last) {
			oldest, last = slices.Clone(k), days[0].Day
		}
		return nil
	})
	if err != nil || n < maxSIMs || oldest == nil {
		return err
	}
	return b.Delete(oldest)
}

func readDays(b *bbolt.Tx, sim string) (simDays, error) {
	v := b.Bucket(bucketSIMDays).Get([]byte(sim))
	if v == nil {
		return nil, nil
	}
	days, err := decodeDays([]byte(sim), v)
	if err != nil {
		return nil, fmt.Errorf("days of SIM %s: %w", sim, err)
	}
	return days, nil
}

func encodeDays(k []byte, days simDays) []byte {
	e := encoder{b: append(make([]byte, 0, 8+20*len(days)), recordVersion)}
	for i := range days {
		e.nested(1, func(e *encoder) { encodeSIMDay(e, &days[i]) })
	}
	return seal(k, e.b)
}

func decodeDays(k, v []byte) (simDays, error) {
	body, err := unseal(k, v)
	if err != nil {
		return nil, err
	}
	var days simDays
	err = decode(body, func(f field) error {
		if f.n != 1 {
			return unknownField(f)
		}
		d, err := decodeSIMDay(f.bytes)
		days = append(days, d)
		return err
	})
	return days, err
}

// The fields of a day: 1 = days since 1970, from 2 on the counts.
func encodeSIMDay(e *encoder, d *SIMDay) {
	e.uint(1, protowire.EncodeZigZag(d.Day.Unix()/secondsADay))
	for i, n := range d.counts() {
		e.uint(protowire.Number(i)+2, uint64(*n))
	}
}

func decodeSIMDay(body []byte) (SIMDay, error) {
	d := SIMDay{Day: time.Unix(0, 0).UTC()}
	counts := d.counts()
	err := decode(body, func(f field) error {
		switch {
		case f.n == 1:
			d.Day = time.Unix(protowire.DecodeZigZag(f.v)*secondsADay, 0).UTC()
		case int(f.n) < 2+len(counts):
			return within(counts[f.n-2], f)
		default:
			return unknownField(f)
		}
		return nil
	})
	return d, err
}

const secondsADay = 24 * 60 * 60

// counts lists the counts of a day in the order of their fields.
func (d *SIMDay) counts() [6]*uint32 {
	return [6]*uint32{&d.Accepted, &d.Awaited, &d.Delivered, &d.Undelivered, &d.Refused, &d.Unknown}
}

// checkSIMs: invariant 16.
func checkSIMs(b *bbolt.Tx) error {
	c := b.Bucket(bucketState).Cursor()
	for k, _ := c.Seek([]byte{'u'}); len(k) > 0 && k[0] == 'u'; k, _ = c.Next() {
		sim := string(k[1:])
		u, err := readUsage(b, sim)
		if err != nil {
			return err
		}
		if (u.streak > 0) == u.since.IsZero() {
			return fmt.Errorf("SIM %s: %d segments without a delivery since %v", sim, u.streak, u.since)
		}
		days, err := readDays(b, sim)
		if err != nil {
			return err
		}
		if err := days.check(u.today); err != nil {
			return fmt.Errorf("SIM %s: %w", sim, err)
		}
	}
	return nil
}

func (s simDays) check(today SIMDay) error {
	if _, twice := s.find(today.Day); twice || len(s) > keepDays {
		return fmt.Errorf("%d days are kept, of which today is one: %t", len(s), twice)
	}
	for i, d := range append(simDays{today}, s...) {
		switch {
		case d.Awaited > d.Accepted:
			return fmt.Errorf("%s: %d reports are awaited of %d segments", d.Day.Format(time.DateOnly), d.Awaited, d.Accepted)
		case i > 1 && !d.Day.Before(s[i-2].Day):
			return fmt.Errorf("%s follows %s", d.Day.Format(time.DateOnly), s[i-2].Day.Format(time.DateOnly))
		case i > 0 && d.empty():
			return fmt.Errorf("%s is kept and has nothing", d.Day.Format(time.DateOnly))
		}
	}
	return nil
}
