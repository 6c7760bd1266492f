package gateway

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, on a machine that has none

	"pgregory.net/rapid"
)

func schedule(t testing.TB, windows ...string) Schedule {
	t.Helper()
	s, err := ParseSchedule(windows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads a wall clock with its offset, so that a repeated hour is no riddle.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Test vectors 4 of the product.
func TestP13ScheduleOfTheProduct(t *testing.T) {
	uy := zone(t, "America/Montevideo")
	work := schedule(t, "mon,tue,wed,thu,fri;09:00-17:59")
	for s, want := range map[string]bool{
		"2026-11-20T17:59:59.999-03:00": true, // a Friday
		"2026-11-20T18:00:00-03:00":     false,
		"2026-11-20T08:59:59-03:00":     false,
		"2026-11-20T09:00:00-03:00":     true,
		"2026-11-21T12:00:00-03:00":     false, // Saturday
		"2026-11-23T02:59:59Z":          false, // still Sunday there
		"2026-11-23T12:00:00Z":          true,  // Monday 09:00
	} {
		if got := work.On(at(t, s), uy); got != want {
			t.Errorf("at %s: %v", s, got)
		}
	}
	always := schedule(t, "sun,mon,tue,wed,thu,fri,sat;00:00-23:59")
	for m := range 7 * minutesADay {
		if x := at(t, "2026-11-22T00:00:00Z").Add(time.Duration(m) * time.Minute); !always.On(x, uy) {
			t.Fatalf("off at %s", x)
		}
	}
	if next := always.Next(time.Now(), uy); !next.IsZero() {
		t.Errorf("always changes at %s", next)
	}
}

func TestScheduleWithoutAWindowIsAlwaysOn(t *testing.T) {
	var s Schedule
	if !s.On(time.Time{}, nil) || !s.Empty() || !s.Next(time.Time{}, nil).IsZero() || len(s.Strings()) != 0 {
		t.Error("the zero schedule is not always on")
	}
}

func TestScheduleOverMidnightBelongsToTheDayItBeginsOn(t *testing.T) {
	s := schedule(t, "fri;22:00-05:59")
	for x, want := range map[string]bool{
		"2026-11-20T05:00:00Z": false, // Friday morning: Thursday's night
		"2026-11-20T21:59:59Z": false,
		"2026-11-20T22:00:00Z": true,
		"2026-11-21T05:59:59Z": true,
		"2026-11-21T06:00:00Z": false,
		"2026-11-21T22:00:00Z": false,
	} {
		if got := s.On(at(t, x), time.UTC); got != want {
			t.Errorf("at %s: %v", x, got)
		}
	}
}

func TestScheduleNext(t *testing.T) {
	uy, madrid := zone(t, "America/Montevideo"), zone(t, "Europe/Madrid")
	for _, c := range []struct {
		name    string
		windows []string
		zone    *time.Location
		t, want string
	}{
		{"opens on Monday", []string{"mon,tue,wed,thu,fri;09:00-17:59"}, uy, "2026-11-20T18:00:00-03:00", "2026-11-23T09:00:00-03:00"},
		{"closes today", []string{"mon,tue,wed,thu,fri;09:00-17:59"}, uy, "2026-11-20T09:00:00-03:00", "2026-11-20T18:00:00-03:00"},
		{"half a second before", []string{"fri;09:00-17:59"}, uy, "2026-11-20T17:59:59.5-03:00", "2026-11-20T18:00:00-03:00"},
		{"two windows that meet", []string{"fri;09:00-11:59", "fri;12:00-17:59"}, uy, "2026-11-20T10:00:00-03:00", "2026-11-20T18:00:00-03:00"},
		{"a week ahead", []string{"fri;09:00-09:00"}, uy, "2026-11-20T09:01:00-03:00", "2026-11-27T09:00:00-03:00"},
		// 29 March 2026: 02:00 +01 becomes 03:00 +02.
		{"the hour that is skipped", []string{"sun;02:00-02:59"}, madrid, "2026-03-29T00:30:00+01:00", "2026-04-05T02:00:00+02:00"},
		{"opens inside the gap", []string{"sun;02:30-05:59"}, madrid, "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"closes inside the gap", []string{"sun;01:00-02:29"}, madrid, "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"a day of 23 hours", []string{"sun;01:00-03:59"}, madrid, "2026-03-29T01:30:00+01:00", "2026-03-29T04:00:00+02:00"},
		// 25 October 2026: 03:00 +02 becomes 02:00 +01.
		{"the hour that is repeated, first", []string{"sun;02:00-02:29"}, madrid, "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"the hour that is repeated, between", []string{"sun;02:00-02:29"}, madrid, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00"},
		{"the hour that is repeated, second", []string{"sun;02:00-02:29"}, madrid, "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"},
		{"the clock goes back over the end", []string{"sun;00:00-02:59"}, madrid, "2026-10-25T01:00:00+02:00", "2026-10-25T03:00:00+01:00"},
		// 30 December 2011 was no day in Samoa.
		{"the Friday that never was", []string{"fri;10:00-10:59"}, zone(t, "Pacific/Apia"), "2011-12-24T00:00:00-10:00", "2012-01-06T10:00:00+14:00"},
	} {
		got := schedule(t, c.windows...).Next(at(t, c.t), c.zone)
		if !got.Equal(at(t, c.want)) || got.Location() != time.UTC {
			t.Errorf("%s: %s, want %s in UTC", c.name, got.In(c.zone), c.want)
		}
	}
}

func TestScheduleThatCoversTheWeekInPiecesNeverChanges(t *testing.T) {
	s := schedule(t, "sun,mon,tue,wed,thu,fri,sat;06:00-17:59", "sun,mon,tue,wed,thu,fri,sat;18:00-05:59")
	if next := s.Next(at(t, "2026-11-20T09:00:00Z"), time.UTC); !next.IsZero() {
		t.Errorf("changes at %s", next)
	}
}

// Against a walk over the minutes, around the days when the clocks change.
func TestScheduleNextIsTheFirstChange(t *testing.T) {
	zones := []*time.Location{zone(t, "Europe/Madrid"), zone(t, "America/Santiago"), zone(t, "Australia/Lord_Howe"), zone(t, "Asia/Kathmandu"), time.UTC}
	starts := []time.Time{at(t, "2026-03-27T00:00:00Z"), at(t, "2026-10-23T00:00:00Z"), at(t, "2026-04-03T00:00:00Z"), at(t, "2026-09-04T00:00:00Z")}
	rapid.Check(t, func(t *rapid.T) {
		s, err := ParseSchedule(rapid.SliceOfN(rapid.Custom(drawWindow), 0, 3).Draw(t, "windows"))
		if err != nil {
			t.Fatal(err)
		}
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		from := rapid.SampledFrom(starts).Draw(t, "start").Add(time.Duration(rapid.IntRange(0, 4*24*3600).Draw(t, "seconds")) * time.Second)
		next := s.Next(from, z)
		on := s.On(from, z)
		for x := from.Truncate(time.Minute).Add(time.Minute); x.Before(from.Add(3 * 24 * time.Hour)); x = x.Add(time.Minute) {
			if s.On(x, z) == on {
				continue
			}
			if !next.Equal(x) {
				t.Fatalf("%v from %s in %s: Next is %s, the first change %s", s.Strings(), from, z, next, x)
			}
			return
		}
		if !next.IsZero() && next.Before(from.Add(3*24*time.Hour)) {
			t.Fatalf("%v from %s in %s: Next is %s, and nothing changes there", s.Strings(), from, z, next)
		}
	})
}

func drawWindow(t *rapid.T) string {
	w := window{from: rapid.IntRange(0, minutesADay-1).Draw(t, "from"), to: rapid.IntRange(0, minutesADay-1).Draw(t, "to")}
	w.days[rapid.IntRange(0, 6).Draw(t, "day")] = true
	for d := range w.days {
		w.days[d] = w.days[d] || rapid.Bool().Draw(t, "on")
	}
	return w.String()
}

func TestP44ScheduleComesBackAsItIsWritten(t *testing.T) {
	for in, want := range map[string]string{
		"sun,mon;09:00-17:59":                     "sun,mon;09:00-17:59",
		"Fri, MON ; 9:00 - 17:59":                 "mon,fri;09:00-17:59",
		"sat;22:00-05:59":                         "sat;22:00-05:59",
		"sun,mon,tue,wed,thu,fri,sat;00:00-23:59": "sun,mon,tue,wed,thu,fri,sat;00:00-23:59",
	} {
		if got := schedule(t, in).Strings(); !slices.Equal(got, []string{want}) {
			t.Errorf("%q came back as %q", in, got)
		}
	}
}

func TestScheduleErrorsTellWhy(t *testing.T) {
	for in, say := range map[string]string{
		"":                    `lacks the ";"`,
		"mon":                 `lacks the ";"`,
		";09:00-17:59":        `has "" where a day should be`,
		"mon,;09:00-17:59":    `has "" where a day should be`,
		"lunes;09:00-17:59":   `has "lunes" where a day should be`,
		"mon,mon;09:00-17:59": "names mon twice",
		"mon;09:00":           `lacks the "-"`,
		"mon;09:00-24:00":     "times are 00:00 to 23:59",
		"mon;09:60-10:00":     "times are 00:00 to 23:59",
		"mon;9-17":            `has "9" where a time should be`,
		"mon;09:00-17:59-1":   "where a time should be",
		"mon;0900-1000":       "where a time should be",
		"mon;+9:00-10:00":     "where a time should be",
		"mon;009:00-10:00":    "where a time should be",
	} {
		_, err := ParseSchedule([]string{"sun;00:00-23:59", in})
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindInvalid || e.Field != "schedule[1]" || !strings.Contains(e.Text, say) {
			t.Errorf("%q: %v, want an error that says %q", in, err, say)
		}
	}
	if _, err := ParseSchedule(make([]string, maxWindows+1)); err == nil || !strings.Contains(err.Error(), "at most 64") {
		t.Errorf("too many windows: %v", err)
	}
}

func FuzzParseSchedule(f *testing.F) {
	f.Add("mon,tue;09:00-17:59", int64(1774659600))
	f.Add("fri;22:00-05:59", int64(-1))
	z := zone(f, "Europe/Madrid")
	f.Fuzz(func(t *testing.T, window string, unix int64) {
		s, err := ParseSchedule([]string{window})
		if err != nil {
			return
		}
		again := schedule(t, s.Strings()...)
		x := time.Unix(unix%(1<<33), 0)
		if again.On(x, z) != s.On(x, z) || !slices.Equal(again.Strings(), s.Strings()) {
			t.Fatalf("%q came back as %q", window, s.Strings())
		}
		if next := s.Next(x, z); !next.IsZero() && (!next.After(x) || s.On(next, z) == s.On(x, z)) {
			t.Fatalf("%q: Next of %s is %s", window, x, next)
		}
	})
}

func BenchmarkScheduleOn(b *testing.B) {
	s, z, x := schedule(b, "mon,tue,wed,thu,fri;09:00-17:59"), zone(b, "America/Montevideo"), at(b, "2026-11-20T18:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		s.On(x, z)
	}
}

func BenchmarkScheduleNext(b *testing.B) {
	s, z, x := schedule(b, "mon,tue,wed,thu,fri;09:00-17:59"), zone(b, "Europe/Madrid"), at(b, "2026-11-20T18:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		s.Next(x, z)
	}
}
