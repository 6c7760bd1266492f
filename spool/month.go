package spool

import "time"

// maxResetDay is the last day of the month that every month has.
const maxResetDay = 28

// resetDay gives the day of the month on which a SIM's billing month begins: 1 where
// nobody knows it. A later day than every month has begins on the last that it has.
func (s *Spool) resetDay(sim string) int {
	if s.o.ResetDay == nil {
		return 1
	}
	return min(max(s.o.ResetDay(sim), 1), maxResetDay)
}

// monthStart gives the start of the billing month that at lies in.
func monthStart(at time.Time, zone *time.Location, reset int) time.Time {
	y, m, d := at.In(zone).Date()
	if d < reset {
		m--
	}
	return midnight(y, m, reset, zone)
}

// zoneSpan is more than two zones differ by, and less than any month has.
const zoneSpan = 27 * time.Hour

// rollMonth begins the month that at lies in, and says that it did. A month moves and
// keeps its count where a clock far ahead had begun it, where the site's zone became
// another, and where the SIM's reset day did: until that is noticed, the old day holds.
func (u *usage) rollMonth(at time.Time, zone *time.Location, reset int) (began bool) {
	if u.reset == 0 {
		u.reset = reset
	}
	start := monthStart(at, zone, u.reset)
	switch later := start.Sub(u.MonthStart); {
	case u.MonthStart.IsZero() || later > zoneSpan:
		u.MonthStart, u.Month, began = start.UTC(), 0, true
		u.newPeriod()
	case later > -zoneSpan || u.MonthStart.Sub(at) > 24*time.Hour:
		u.MonthStart = start.UTC()
	}
	if u.reset != reset {
		u.reset = reset
		u.MonthStart = monthStart(at, zone, reset).UTC()
	}
	return began
}

// midnight gives the first instant of a date. It is later than 0:00 where the clocks
// go forward at midnight.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	at := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if at.Hour() == 0 {
		return at
	}
	if _, end := at.ZoneBounds(); at.Hour() > 12 && !end.IsZero() {
		return end // the package time took the side of the day before
	}
	return at
}

// DayEnd is when the present day's window ends, in the site's zone.
func (u *Usage) DayEnd(zone *time.Location) time.Time {
	y, m, d := u.DayStart.In(zone).Date()
	return midnight(y, m, d+1, zone)
}

// MonthEnd is when the present billing month ends, in the site's zone: MonthStart and
// a month, except where the clocks are set at one of the two midnights.
func (u *Usage) MonthEnd(zone *time.Location) time.Time {
	y, m, d := u.MonthStart.In(zone).Date()
	return midnight(y, m+1, d, zone)
}
