package spool

import (
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// SIMRecordDays is how many days SIMRecord gives at most.
const SIMRecordDays = 30

// SIMDay is what became of what one SIM sent, in segments, by the day on which it
// happened in the site's zone: a report counts on the day on which it came, and a doubt
// on that of its send.
type SIMDay struct {
	Day         time.Time // its midnight in the site's zone
	Accepted    uint32    // by the network, or by a device that sends by itself
	Awaited     uint32    // of the accepted: those that a report was asked for
	Delivered   uint32    // by a report
	Undelivered uint32    // given up by a report; one that arrives after all is in Delivered too
	Refused     uint32    // by the network
	Unknown     uint32    // in doubt; one that a report, or its device, knows of later moves to where it belongs
}

// SIMRecord is what one SIM did.
type SIMRecord struct {
	Days          []SIMDay  // with something on them, newest first, at most SIMRecordDays; days ahead of the clock are left out
	Streak        uint32    // segments accepted, with a report asked for, since the last "delivered"
	StreakSince   time.Time // when the first of them was accepted, to the second; zero = there is none
	Refusals      uint32    // sends in a row that the network refused
	LastAccepted  time.Time // to the second; zero = never
	LastDelivered time.Time
}

// SIMRecord gives what became of what a SIM sent, by gateway.Channel.SIMKey. One that
// never sent has an empty record. What the network did with a send is counted in the
// commit that stores it; quotas, which are given back, are another matter (SIMUsage).
func (s *Spool) SIMRecord(sim string) (r SIMRecord, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		u, err := readUsage(b, sim)
		if err != nil {
			return err
		}
		days, err := readDays(b, sim)
		if err != nil {
			return err
		}
		r = SIMRecord{
			Days: s.shownDays(days.with(u.today)), Streak: u.streak, StreakSince: u.since,
			Refusals: u.refused, LastAccepted: u.lastOut, LastDelivered: u.arrived,
		}
		return nil
	})
	return r, err
}

// shownDays gives the newest days that the clock has come to, in the site's zone.
func (s *Spool) shownDays(days simDays) []SIMDay {
	var shown []SIMDay
	today := dayIn(s.o.Now(), s.o.Zone)
	for _, d := range days {
		if d.Day.After(today) || len(shown) == SIMRecordDays {
			continue
		}
		y, m, n := d.Day.Date()
		d.Day = midnight(y, m, n, s.o.Zone)
		shown = append(shown, d)
	}
	return shown
}

// countOutcome counts what became of a try on the record of its SIM.
func (t *tx) countOutcome(m *gateway.Message, in *opened, o *Outcome, at time.Time) error {
	switch o.Kind {
	case gateway.KindNone, gateway.KindRefused:
	case gateway.KindUnknownOutcome:
		at = t.orNow(in.At) // after a crash the outcome is much later
	default:
		return nil // nothing reached the network
	}
	u, err := t.cardOn(in.SIM, at)
	if u == nil || err != nil {
		return err
	}
	n := tried(m, in.Segment)
	switch o.Kind {
	case gateway.KindNone:
		u.accept(n, in.Report, at)
		u.lastOut, u.refused = at.Truncate(time.Second), 0
	case gateway.KindRefused:
		u.today.Refused += n
		u.refused++
	default:
		u.today.Unknown += n
	}
	return nil
}

// countReport counts a report on the SIM whose send it matched. n is how many
// segments it brought news of, and doubted how many it shows to have gone out.
func (t *tx) countReport(home sentAs, r *gateway.StatusReport, n, doubted uint32) error {
	if err := t.countSettled(r.SIM, home.at, doubted, gateway.KindNone, true); err != nil {
		return err
	}
	if home.doubt {
		n = doubted // the first report of this send, whatever is known of another
	}
	st := gateway.ReportStatus(r.ST)
	if n == 0 || st == gateway.StatusNone {
		return nil
	}
	u, err := t.cardOn(r.SIM, t.now)
	if u == nil || err != nil {
		return err
	}
	if st == gateway.StatusUndelivered {
		u.today.Undelivered += n
		return nil
	}
	u.today.Delivered += n
	u.streak, u.since = 0, time.Time{}
	u.arrived = t.now.Truncate(time.Second)
	return nil
}

// countSettled moves segments that were in doubt since at to what they turned out to
// be: accepted, refused or, for any other kind, never sent. No more move than were in
// doubt on that day.
func (t *tx) countSettled(sim string, at time.Time, n uint32, as gateway.Kind, awaited bool) error {
	if n == 0 {
		return nil
	}
	u, err := t.cardOn(sim, at)
	if u == nil || err != nil {
		return err
	}
	n = min(n, u.today.Unknown)
	u.today.Unknown -= n
	switch as {
	case gateway.KindNone:
		u.accept(n, awaited, at)
	case gateway.KindRefused:
		u.today.Refused += n
	}
	return nil
}

// accept counts segments that were accepted at a time of the day that is counted.
func (u *usage) accept(n uint32, awaited bool, at time.Time) {
	u.today.Accepted += n
	if n == 0 || !awaited {
		return
	}
	u.today.Awaited += n
	u.streak += n
	if at = at.UTC().Truncate(time.Second); u.since.IsZero() || at.Before(u.since) {
		u.since = at
	}
}

// tried is how many segments a try of a message has.
func tried(m *gateway.Message, segment int) uint32 {
	if segment > 0 {
		return 1
	}
	return uint32(max(m.Segments, 1))
}

// cardOn gives what is kept of a SIM, to change, with the counts of the day that at
// lies in; nil for no SIM.
func (t *tx) cardOn(sim string, at time.Time) (*usage, error) {
	if sim == "" {
		return nil, nil
	}
	u, err := t.card(sim)
	if err != nil {
		return nil, err
	}
	u.changed = true
	if day := dayIn(at, t.s.o.Zone); !day.Equal(u.today.Day) {
		return u, t.turnDay(sim, u, day)
	}
	return u, nil
}

// dayIn gives the date of a time in a zone, as midnight UTC.
func dayIn(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
