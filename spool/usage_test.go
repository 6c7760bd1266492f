package spool

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the test must not depend on the machine's zones

	"fieldpost/gateway"
)

const sim = "8959801"

func used(t *testing.T, s *Spool, at time.Time) Usage {
	t.Helper()
	u, err := s.SIMUsage(sim, at)
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.Ping(bg)) // behind what it may have written: bbolt's check bears no writer
	return u
}

func TestQuotaIsChargedWithTheIntentAndGivenBackOnlyOnRefusal(t *testing.T) {
	for _, c := range []struct {
		kind gateway.Kind
		left uint32
	}{
		{gateway.KindNone, 2}, {gateway.KindUnknownOutcome, 2}, {gateway.KindRefused, 0}, {gateway.KindUnavailable, 0},
	} {
		s, clock := open(t)
		idm := add(t, s, text("camp", "+59899123456"))
		in := intent(idm, 1)
		in.Charge, in.Limits.RecipientsPerMonth, in.At = 2, 100, clock.now()
		step(t, s, Step{Intents: []Intent{in}})
		if u := used(t, s, clock.now()); u.Minute != 2 || u.Hour != 2 || u.Day != 2 || u.Month != 2 || u.Recipients != 1 {
			t.Fatalf("charged %+v", u)
		}
		if known, err := s.KnowsRecipient(sim, "+59899123456", clock.now()); !known || err != nil {
			t.Errorf("recipient known: %t, %v", known, err)
		}
		step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: c.kind}}})
		u := used(t, s, clock.now())
		if u.Minute != c.left || u.Month != c.left || u.Recipients != c.left/2 {
			t.Errorf("after %s: %+v, want %d", c.kind, u, c.left)
		}
		if known, _ := s.KnowsRecipient(sim, "+59899123456", clock.now()); known != (c.left > 0) {
			t.Errorf("after %s the recipient is known: %t", c.kind, known)
		}
	}
}

func TestQuotaWindowsBeginInTheSitesZone(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo") // UTC-3
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	c.t = time.Date(2026, 4, 1, 2, 59, 0, 0, time.UTC) // 31 March, 23:59
	s := openWith(t, Options{Path: filepath.Join(t.TempDir(), "spool.db"), Now: c.now, Zone: zone})
	charge := func(to string) {
		t.Helper()
		in := intent(add(t, s, text("camp", to)), 1)
		in.At, in.Limits.RecipientsPerMonth = c.now(), 100
		send(t, s, in, Outcome{})
	}
	charge("+59899000001")
	charge("+59899000001")
	if u := used(t, s, c.now()); u.Minute != 2 || u.Month != 2 || u.Recipients != 1 {
		t.Errorf("in March: %+v", u)
	}
	c.add(time.Minute)
	if u := used(t, s, c.now()); u != (Usage{
		MinuteStart: c.now(), HourStart: c.now(), DayStart: c.now(), MonthStart: c.now(),
	}) {
		t.Errorf("at midnight of the site: %+v", u)
	}
	if known, _ := s.KnowsRecipient(sim, "+59899000001", c.now()); known {
		t.Error("the recipients of March count in April")
	}
	charge("+59899000002")
	c.add(time.Hour)
	charge("+59899000001")
	if u := used(t, s, c.now()); u.Minute != 1 || u.Hour != 1 || u.Day != 2 || u.Month != 2 || u.Recipients != 2 {
		t.Errorf("in April: %+v", u)
	}
	n := 0
	if err := s.update(context.Background(), func(t *tx) error {
		n = t.bucket(bucketRecipient).Inspect().KeyN
		return nil
	}); err != nil || n != 2 {
		t.Errorf("%d recipients are kept: those of March are to go: %v", n, err)
	}
}

func TestARefundLooksAtTheWindowThatWasCharged(t *testing.T) {
	s, c := open(t)
	first, second := add(t, s, text("camp", "+59899000001")), add(t, s, text("camp", "+59899000002"))
	in := intent(first, 1)
	in.At = c.now()
	step(t, s, Step{Intents: []Intent{in}})
	c.add(time.Minute)
	in = intent(second, 1)
	in.At = c.now()
	send(t, s, in, Outcome{})
	step(t, s, Step{Outcomes: []Outcome{{IDM: first, Segment: 1, Kind: gateway.KindRefused}}})
	if u := used(t, s, c.now()); u.Minute != 1 || u.Hour != 1 {
		t.Errorf("the refusal of the minute before gave back of this one: %+v", u)
	}
}

func TestAClockThatGoesBackGivesNoQuotaTwice(t *testing.T) {
	s, c := open(t)
	charge := func() {
		in := intent(add(t, s, text("camp", "+59899000001")), 1)
		in.At = c.now()
		send(t, s, in, Outcome{})
	}
	charge()
	c.add(-2 * time.Minute)
	charge()
	if u := used(t, s, c.now()); u.Minute != 2 {
		t.Errorf("a little back: %+v", u)
	}
	c.add(400 * 24 * time.Hour)
	charge()
	c.add(-400 * 24 * time.Hour)
	charge()
	if u := used(t, s, c.now()); u.Month != 2 || u.MonthStart.After(c.now()) {
		t.Errorf("after a clock that was far ahead: %+v", u)
	}
	c.add(31 * 24 * time.Hour)
	if u := used(t, s, c.now()); u.Month != 0 {
		t.Errorf("the month never ends: %+v", u)
	}
}

func TestEventsAreContiguousAndTheOldestGo(t *testing.T) {
	c := newClock()
	s := openWith(t, Options{Path: filepath.Join(t.TempDir(), "spool.db"), Now: c.now, KeepEvents: 100})
	_, changed := s.Tail()
	for i := range 300 {
		if err := s.Emit(context.Background(), gateway.EventChannel, map[string]int{"n": i}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if last, _ := s.Tail(); last != 300 {
		t.Errorf("the last event is %d", last)
	}
	if _, err := s.Events(0, 10); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("the first: %v", err)
	}
	if _, err := s.Events(301, 10); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("one of another epoch: %v", err)
	}
	ev, err := s.Events(200, 0)
	if err != nil || len(ev) != 100 {
		t.Fatalf("%d events: %v", len(ev), err)
	}
	for i, e := range ev {
		if e.Seq != uint64(201+i) || string(e.Body) != fmt.Sprintf(`{"n":%d}`, 200+i) || !e.At.Equal(c.now()) {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	if ev, err := s.Events(300, 0); err != nil || len(ev) != 0 {
		t.Errorf("after the last: %v, %v", ev, err)
	}
	if err := s.Emit(context.Background(), gateway.EventMessage, nil); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a message's event from outside: %v", err)
	}
}

// A device may tell anything for its card's number.
func TestASIMWithoutEndFailsItsOwnStepOnly(t *testing.T) {
	s, _ := open(t)
	idm, other := add(t, s, text("camp", string(to1))), add(t, s, text("camp", string(to2)))
	in := intent(idm, 1)
	in.SIM = strings.Repeat("8", 40_000)
	done := make(chan Stepped, 1)
	s.Step(Step{Intents: []Intent{in}}, func(r Stepped) { done <- r })
	if r := <-done; gateway.KindOf(r.Err) != gateway.KindInvalid {
		t.Errorf("the step: %v", r.Err)
	}
	if _, err := s.SIMUsage(in.SIM, s.o.Now()); err != nil {
		t.Error(err)
	}
	send(t, s, intent(other, 1), Outcome{MR: 1, HasMR: true})
	wantStatus(t, s, other, gateway.StatusSent)
	wantStatus(t, s, idm, gateway.StatusQueued)
}
