package spool

import (
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// zones have clocks that are set at midnight, at other hours, and never.
func zones(t testing.TB) []*time.Location {
	t.Helper()
	var all []*time.Location
	for _, name := range []string{"UTC", "America/Montevideo", "America/Santiago", "America/Havana", "Asia/Beirut", "Europe/Madrid", "Pacific/Auckland"} {
		z, err := time.LoadLocation(name)
		must(t, err)
		all = append(all, z)
	}
	return all
}

func TestABillingMonthHasEachInstantOnce(t *testing.T) {
	zones := zones(t)
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		at := time.Unix(rapid.Int64Range(1_500_000_000, 2_500_000_000).Draw(rt, "at"), 0)
		if rapid.Bool().Draw(rt, "near a midnight") {
			y, m, d := at.In(zone).Date()
			at = time.Date(y, m, d, 0, 0, rapid.IntRange(-4000, 4000).Draw(rt, "off"), 0, zone)
		}
		reset := rapid.IntRange(1, maxResetDay).Draw(rt, "reset")
		u := &usage{}
		u.roll(at, zone, reset)
		start, end := u.MonthStart.In(zone), u.MonthEnd(zone)
		if start.After(at) || !end.After(at) {
			rt.Fatalf("%s is not from %s to %s", at.In(zone), start, end)
		}
		if start.Day() != reset || !midnight(start.Year(), start.Month(), start.Day(), zone).Equal(start) {
			rt.Fatalf("the month begins %s, not on %d", start, reset)
		}
		if next := monthStart(end, zone, reset); !next.Equal(end) {
			rt.Fatalf("a month ends %s, and the next begins %s", end, next)
		}
		if plain := start.AddDate(0, 1, 0); start.Hour() == 0 && end.Hour() == 0 && plain.Day() == reset && !plain.Equal(end) {
			rt.Fatalf("the month ends %s, and a month after its start is %s", end, plain)
		}
		if !u.DayEnd(zone).After(at) || !monthStart(u.DayEnd(zone), zone, u.DayEnd(zone).In(zone).Day()).Equal(u.DayEnd(zone)) {
			rt.Fatalf("the day of %s ends %s", at.In(zone), u.DayEnd(zone))
		}
	})
}

// plan is a model of a SIM's quota over changes of its reset day.
type plan struct {
	s       *Spool
	c       *clock
	reset   int
	segs    uint32
	numbers map[string]bool
}

func (p *plan) send(t *rapid.T) {
	to := rapid.SampledFrom([]string{"+59899000001", "+59899000002", "+59899000003"}).Draw(t, "to")
	a, err := p.s.Add(bg, text("camp", to), Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	in := intent(a.IDM, 1)
	in.At, in.Limits.RecipientsPerMonth = p.c.now(), 10
	p.step(t, Step{Intents: []Intent{in}})
	p.step(t, Step{Outcomes: []Outcome{{IDM: a.IDM, Segment: 1}}})
	p.segs++
	p.numbers[to] = true
}

func (p *plan) step(t *rapid.T, st Step) {
	done := make(chan Stepped, 1)
	p.s.Step(st, func(r Stepped) { done <- r })
	if r := <-done; r.Err != nil || len(r.Gone) > 0 {
		t.Fatal(r.Err, r.Gone)
	}
}

// wait lets time pass; the count begins anew at each start of a month by the day that
// is in force then.
func (p *plan) wait(t *rapid.T) {
	before := p.now(t)
	p.c.add(time.Duration(rapid.IntRange(1, 40*24).Draw(t, "hours")) * time.Hour)
	if !before.MonthEnd(p.s.o.Zone).After(p.c.now()) {
		p.segs, p.numbers = 0, map[string]bool{}
	}
}

func (p *plan) now(t *rapid.T) Usage {
	u, err := p.s.SIMUsage(sim, p.c.now())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (p *plan) check(t *rapid.T) {
	now := p.c.now()
	u := p.now(t)
	if u.Month != p.segs || u.Recipients != uint32(len(p.numbers)) {
		t.Fatalf("%s, reset on %d: %d segments to %d numbers, want %d to %d", now, p.reset, u.Month, u.Recipients, p.segs, len(p.numbers))
	}
	if u.MonthStart.After(now) || !u.MonthEnd(p.s.o.Zone).After(now) || u.MonthStart.In(p.s.o.Zone).Day() != p.reset {
		t.Fatalf("at %s the month begins %s", now, u.MonthStart)
	}
	for to := range p.numbers {
		if known, err := p.s.KnowsRecipient(sim, gateway.Address(to), now); !known || err != nil {
			t.Fatalf("%s is counted and not known (%v)", to, err)
		}
	}
}

func TestP46AnotherResetDayGivesNoQuotaTwiceAndLosesNoRecipient(t *testing.T) {
	fewerChecks(t, 25)
	zones := zones(t)
	rapid.Check(t, func(rt *rapid.T) {
		p := &plan{c: newClock(), reset: 1, numbers: map[string]bool{}}
		s, err := Open(Options{
			Path: filepath.Join(t.TempDir(), "spool.db"), Now: p.c.now, Zone: rapid.SampledFrom(zones).Draw(rt, "zone"),
			ResetDay: func(string) int { return p.reset },
		})
		if err != nil {
			rt.Fatal(err)
		}
		p.s = s
		defer func() { p.s.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":     p.check,
			"send": p.send,
			"wait": p.wait,
			"day": func(t *rapid.T) {
				p.reset = rapid.IntRange(1, maxResetDay).Draw(t, "day")
				p.now(t) // the dialer looks each minute, and what it sees goes to disk
				if err := p.s.Ping(bg); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				o := p.s.o
				if err := p.s.Close(); err != nil {
					t.Fatal(err)
				}
				if p.s, err = Open(o); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

// The site's zone was another: the month goes on, and ends where it does now.
func TestAnotherZoneGivesNoQuotaTwice(t *testing.T) {
	s, c := open(t)
	try(t, s, c, Outcome{})
	shut(t, s)
	o := s.o
	o.Zone, _ = time.LoadLocation("Pacific/Auckland")
	s = openWith(t, o)
	u := used(t, s, c.now())
	if u.Month != 1 {
		t.Errorf("%+v", u)
	}
	if end := time.Date(2026, 4, 1, 0, 0, 0, 0, o.Zone); !u.MonthEnd(o.Zone).Equal(end) {
		t.Errorf("the month ends %s, want %s", u.MonthEnd(o.Zone), end)
	}
}

func TestAResetDayThatNoMonthHasIsTheLastThatAllHave(t *testing.T) {
	for day, want := range map[int]int{-3: 1, 0: 1, 1: 1, 28: 28, 31: 28} {
		s := &Spool{o: Options{ResetDay: func(string) int { return day }}}
		if got := s.resetDay(sim); got != want {
			t.Errorf("%d is taken for %d, want %d", day, got, want)
		}
	}
}

func TestAClockThatGoesBackOverTheStartOfAMonthBeginsNone(t *testing.T) {
	s, c := open(t)
	c.t = time.Date(2026, 4, 1, 0, 5, 0, 0, time.UTC)
	charge := func() {
		in := intent(add(t, s, text("camp", string(to1))), 1)
		in.At, in.Limits.RecipientsPerMonth = c.now(), 10
		send(t, s, in, Outcome{})
	}
	charge()
	c.add(-10 * time.Minute)
	charge()
	c.add(20 * time.Minute)
	if u := used(t, s, c.now()); u.Month != 2 || u.Recipients != 1 {
		t.Errorf("the month began twice: %+v", u)
	}
}
