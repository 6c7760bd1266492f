package spool

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// firstPeriod numbers a SIM's first billing month by the calendar: the months since
// year 0. Those that follow count on from there, whatever clock or reset day begins them,
// so that no two months of a SIM share their recipients; that fits for 3,400 years.
func firstPeriod(start time.Time) uint16 {
	// A start of a month may lie in the month before, in UTC: its middle does not.
	y, m, _ := start.AddDate(0, 0, 14).Date()
	return uint16(y*12 + int(m) - 1)
}

// newPeriod begins the recipients anew with a month.
func (u *usage) newPeriod() {
	u.Recipients = 0
	if u.period++; u.period == 1 {
		u.period = firstPeriod(u.MonthStart)
	}
}

// KnowsRecipient says that a number is counted already among the recipients of a
// SIM's present month.
func (s *Spool) KnowsRecipient(sim string, to gateway.Address, now time.Time) (known bool, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		period, err := s.periodOf(b, sim, now)
		if err == nil {
			known = knows(b, sim, period, to)
		}
		return err
	})
	return known, err
}

// periodOf gives the billing month of a SIM that now lies in.
func (s *Spool) periodOf(b *bbolt.Tx, sim string, now time.Time) (uint16, error) {
	u, err := readUsage(b, sim)
	if err != nil {
		return 0, err
	}
	u.roll(now, s.o.Zone, s.resetDay(sim))
	return u.period, nil
}

func knows(b *bbolt.Tx, sim string, period uint16, to gateway.Address) bool {
	k, ok := recipientKey(sim, period, to)
	return ok && b.Bucket(bucketRecipient).Get(k) != nil
}

// recipientKey has the month before the number, so that old months are found.
func recipientKey(sim string, period uint16, to gateway.Address) ([]byte, bool) {
	n, ok := to.Packed()
	return binary.BigEndian.AppendUint64(recipientMonth(sim, period), n), ok
}

// recipientMonth is the part of a key that the recipients of one month share.
func recipientMonth(sim string, period uint16) []byte {
	k := append(make([]byte, 0, len(sim)+11), sim...)
	return binary.BigEndian.AppendUint16(append(k, 0), period)
}

// maxForget bounds the old recipients that one new month deletes at once; the
// next month deletes the rest.
const maxForget = 5000

// forgetRecipients drops the recipients of months before this one.
func (t *tx) forgetRecipients(sim string, period uint16) error {
	b := t.bucket(bucketRecipient)
	end := string(recipientMonth(sim, period))
	var old [][]byte // collected first: a cursor that deletes skips keys (bbolt#146)
	c := b.Cursor()
	for k, _ := c.Seek(append([]byte(sim), 0)); k != nil && string(k) < end && len(old) < maxForget; k, _ = c.Next() {
		old = append(old, append([]byte(nil), k...))
	}
	return deleteKeys(b, old)
}
