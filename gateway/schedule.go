package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule says at which minutes of the week something runs: any number of
// windows on the wall clock of a zone. One with no window is always on.
type Schedule struct {
	windows []window
	edges   []int // the minutes of the day at which a window begins or ends, sorted
}

// window is a stretch of the day on some days of the week. One that ends before it
// begins runs over midnight and belongs to the day it begins on.
type window struct {
	days     [7]bool // by time.Weekday
	from, to int     // minutes of the day; to is inclusive
}

const (
	minutesADay = 24 * 60

	// maxWindows bounds a schedule that comes from outside.
	maxWindows = 64

	// nextHorizon bounds the search of Next. A window of one day a week is seen
	// within 7 days, or 14 when a change of the clock skips it; whole days have
	// been skipped too (Samoa, 30 December 2011).
	nextHorizon = 60 * 24 * time.Hour
)

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseSchedule reads windows such as "mon,tue,wed,thu,fri;09:00-17:59". The end
// minute is inclusive; a window over midnight ("fri;22:00-05:59") is allowed and
// belongs to the day it begins on. The error is of kind invalid and its field names
// the window: "schedule[1]".
func ParseSchedule(windows []string) (Schedule, error) {
	if len(windows) > maxWindows {
		return Schedule{}, Invalid("schedule", "has %d windows; at most %d are allowed", len(windows), maxWindows)
	}
	var s Schedule
	for i, text := range windows {
		w, err := parseWindow(fmt.Sprintf("schedule[%d]", i), text)
		if err != nil {
			return Schedule{}, err
		}
		s.windows = append(s.windows, w)
		s.edges = append(s.edges, w.from, (w.to+1)%minutesADay)
	}
	slices.Sort(s.edges)
	s.edges = slices.Compact(s.edges)
	return s, nil
}

func parseWindow(field, text string) (window, error) {
	days, hours, ok := strings.Cut(text, ";")
	if !ok {
		return window{}, Invalid(field, "lacks the \";\" between days and hours: write mon,tue;09:00-17:59")
	}
	var (
		w   window
		err error
	)
	if w.days, err = parseDays(field, days); err != nil {
		return window{}, err
	}
	from, to, ok := strings.Cut(hours, "-")
	if !ok {
		return window{}, Invalid(field, "lacks the \"-\" between two times: write 09:00-17:59")
	}
	if w.from, err = parseMinute(field, from); err != nil {
		return window{}, err
	}
	if w.to, err = parseMinute(field, to); err != nil {
		return window{}, err
	}
	return w, nil
}

func parseDays(field, list string) (days [7]bool, err error) {
	for item := range strings.SplitSeq(list, ",") {
		day := slices.Index(dayNames[:], strings.ToLower(strings.TrimSpace(item)))
		if day < 0 {
			return days, Invalid(field, "has %s where a day should be: %s", quoteShort(item), strings.Join(dayNames[:], ", "))
		}
		if days[day] {
			return days, Invalid(field, "names %s twice", dayNames[day])
		}
		days[day] = true
	}
	return days, nil
}

// parseMinute reads "09:00" as a minute of the day.
func parseMinute(field, s string) (int, error) {
	s = strings.TrimSpace(s)
	hour, minute, ok := strings.Cut(s, ":")
	if !ok || len(hour) < 1 || len(hour) > 2 || len(minute) != 2 || !digits(hour) || !digits(minute) {
		return 0, Invalid(field, "has %s where a time should be: write 09:00", quoteShort(s))
	}
	h, m := decimal(hour), decimal(minute)
	if h > 23 || m > 59 {
		return 0, Invalid(field, "has the time %s; times are 00:00 to 23:59, and the end minute is included", s)
	}
	return int(h*60 + m), nil
}

// Strings gives the windows as ParseSchedule reads them, the days from Sunday on.
func (s Schedule) Strings() []string {
	texts := make([]string, len(s.windows))
	for i := range s.windows {
		texts[i] = s.windows[i].String()
	}
	return texts
}

func (w *window) String() string {
	var days []string
	for d, on := range w.days {
		if on {
			days = append(days, dayNames[d])
		}
	}
	return fmt.Sprintf("%s;%02d:%02d-%02d:%02d", strings.Join(days, ","), w.from/60, w.from%60, w.to/60, w.to%60)
}

// Empty says that the schedule has no window.
func (s Schedule) Empty() bool { return len(s.windows) == 0 }

// On says whether the schedule runs at t, on the wall clock of the zone (nil is
// UTC). A minute that a change of the clock skips never comes; one that it repeats
// comes twice.
func (s Schedule) On(t time.Time, zone *time.Location) bool {
	local := t.In(orUTC(zone))
	return s.covers(local.Weekday(), local.Hour()*60+local.Minute())
}

func (s Schedule) covers(day time.Weekday, minute int) bool {
	for i := range s.windows {
		if s.windows[i].covers(day, minute) {
			return true
		}
	}
	return s.Empty()
}

func (w *window) covers(day time.Weekday, minute int) bool {
	if w.from <= w.to {
		return w.days[day] && w.from <= minute && minute <= w.to
	}
	return w.days[day] && minute >= w.from || w.days[(day+6)%7] && minute <= w.to
}

// Next gives the first instant after t at which On changes, in UTC: the zero time
// for a schedule that never does.
func (s Schedule) Next(t time.Time, zone *time.Location) time.Time {
	if s.constant() {
		return time.Time{}
	}
	zone = orUTC(zone)
	on, limit := s.On(t, zone), t.Add(nextHorizon)
	for x := t; x.Before(limit); {
		// Between two changes of the clock the wall runs evenly.
		_, end := x.In(zone).ZoneBounds()
		if end.IsZero() || end.After(limit) {
			end = limit
		}
		if at, ok := s.change(x, end, zone, on); ok {
			return at.UTC()
		}
		if s.On(end, zone) != on {
			return end.UTC()
		}
		x = end
	}
	return time.Time{}
}

// change finds the first instant after x and before end at which On is no longer
// on; the zone's offset is the same from x to end.
func (s Schedule) change(x, end time.Time, zone *time.Location, on bool) (time.Time, bool) {
	const day = 24 * 60 * 60
	_, offset := x.In(zone).Zone()
	wall := x.Unix() + int64(offset)
	for midnight := wall - (wall%day+day)%day; ; midnight += day {
		for _, minute := range s.edges {
			at := time.Unix(midnight+int64(minute)*60-int64(offset), 0)
			switch {
			case !at.Before(end):
				return time.Time{}, false
			case at.After(x) && s.On(at, zone) != on:
				return at, true
			}
		}
	}
}

// constant says that all minutes of the week are alike.
func (s Schedule) constant() bool {
	for _, minute := range s.edges {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if s.covers(day, minute) != s.covers(time.Sunday, s.edges[0]) {
				return false
			}
		}
	}
	return true
}

func orUTC(zone *time.Location) *time.Location {
	if zone == nil {
		return time.UTC
	}
	return zone
}
