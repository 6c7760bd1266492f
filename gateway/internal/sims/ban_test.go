package sims

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestACardThatSendsAndNeverDeliversLeavesTheRing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, b, _ := w.three()
		changed := w.Watch()
		w.sent(a, 29)
		w.pass(2 * time.Hour)
		if got := w.heldOnes(); got != nil {
			t.Fatalf("after 29 segments %v are held", got)
		}
		w.sent(a, 5)
		w.sent(b, 10)
		w.delivered(b, 9)
		w.pass(2 * time.Minute)
		if got := fmt.Sprint(w.heldOnes()); got != "[8000]" {
			t.Fatalf("%s are held, want 8000", got)
		}
		select {
		case <-changed:
		default:
			t.Error("the dialer does not hear of it")
		}
		why := w.Held("8000")
		if !strings.Contains(why, "none of the 34 segments") || !strings.Contains(why, "% were in the 14 days before") {
			t.Errorf("it is held because %q", why)
		}
		if w.store.count("alarm: SIM 8000 in bank/0 is held and sends nothing: "+why) != 1 || w.store.count("held 8000") != 1 {
			t.Errorf("the events are %q", w.store.said())
		}
		if c := w.store.stored(t, "8000"); c.Hold == nil || c.Hold.Why != why || c.Hold.Cause != CauseReports {
			t.Errorf("the passport says %+v", c.Hold)
		}
		w.stop()
		w.start()
		if w.Held("8000") != why {
			t.Error("a restart gives it back")
		}
	})
}

func TestAYoungStreakHoldsNobody(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, _, _ := w.three()
		w.sent(a, 500)
		w.pass(58 * time.Minute)
		if got := w.heldOnes(); got != nil {
			t.Errorf("after 58 minutes %v are held", got)
		}
		w.pass(5 * time.Minute)
		if got := fmt.Sprint(w.heldOnes()); got != "[8000]" {
			t.Errorf("after an hour %s are held", got)
		}
	})
}

func TestALateReportLiftsAHoldByItself(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, _, _ := w.three()
		w.sent(a, 40)
		w.pass(2 * time.Hour)
		w.plug(in(1, "8001"), in(2, "8002")) // wherever it is
		w.delivered(a, 1)
		w.pass(2 * time.Minute)
		if why := w.Held("8000"); why != "" {
			t.Errorf("it is held: %s", why)
		}
		last := w.store.last().(gateway.SIMEvent)
		if last.Change != "released" || !strings.Contains(last.Reason, "a delivery report came at ") || last.By != "" {
			t.Errorf("the event says %+v", last)
		}
	})
}

func TestACardThatAPersonGivesBackIsJudgedAnew(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, _, _ := w.three()
		w.sent(a, 40)
		w.pass(2 * time.Hour)
		w.stop()
		w.start() // nobody has looked at what it sent since
		if _, err := w.Release(w.t.Context(), "8000", "anna"); err != nil {
			t.Fatal(err)
		}
		w.sent(a, 29)
		w.pass(3 * time.Hour)
		if got := w.heldOnes(); got != nil {
			t.Fatalf("29 segments after it came back %v are held", got)
		}
		w.sent(a, 1)
		w.pass(2 * time.Minute)
		if why := w.Held("8000"); !strings.Contains(why, "none of the 30 segments") {
			t.Errorf("30 segments after it came back it is held because %q", why)
		}
	})
}

func TestWithoutAWitnessItIsTheReports(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, b, c := w.three()
		for range 8 { // the reports of all cease, and they reach thirty one after the other
			w.sent(a, 20)
			w.sent(b, 8)
			w.sent(c, 5)
			w.pass(20 * time.Minute)
		}
		if got := w.heldOnes(); got != nil {
			t.Errorf("%v are held", got)
		}
		w.pass(10 * time.Hour)
		if n := w.store.count("alarm: no delivery report comes to provider bank"); n != 1 || w.store.count("alarm") != 1 {
			t.Errorf("%d alarms: %q", n, w.store.said())
		}
		for _, l := range []*cardLog{a, b, c} {
			w.delivered(l, 9)
		}
		w.pass(time.Hour)
		for range 2 {
			w.sent(a, 30)
			w.sent(b, 30)
			w.sent(c, 30)
			w.pass(2 * time.Hour)
		}
		if n := w.store.count("alarm"); n != 2 || w.heldOnes() != nil {
			t.Errorf("when it happens again there are %d alarms, want one more, and %v are held", n, w.heldOnes())
		}
	})
}

// What was lost in an outage proves nothing when it ends for another card first.
func TestAnOutageThatEndsForSomeHoldsNobody(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, b, c := w.three()
		for range 5 {
			w.sent(a, 10)
			w.sent(b, 10)
			w.sent(c, 10)
			w.pass(time.Hour)
		}
		w.stop()
		w.start() // whoever restarts a box in trouble forgets nothing
		w.plug(in(0, "8000"), in(1, "8001"), in(2, "8002"))
		w.pass(2 * time.Hour)
		w.delivered(a, 1) // and b and c have nothing to send
		w.pass(5 * time.Hour)
		if got := w.heldOnes(); got != nil {
			t.Fatalf("%v are held: %q", got, w.store.said())
		}
		w.sent(b, 31)
		w.sent(a, 1)
		w.delivered(a, 1)
		w.pass(2 * time.Hour)
		if got := fmt.Sprint(w.heldOnes()); got != "[8001]" {
			t.Errorf("%s are held, want 8001, which sent 31 more in vain", got)
		}
	})
}

func TestTheLastCardThatCanSendIsNeverHeld(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"))
		a := w.habitOf("8000", 50, .9)
		w.sent(a, 100)
		w.pass(5 * time.Hour)
		if w.heldOnes() != nil || w.store.count("alarm") != 1 {
			t.Errorf("%v are held: %q", w.heldOnes(), w.store.said())
		}
		// With another card beside it, it is blocked.
		w.plug(in(0, "8000"), in(1, "8001"))
		w.pass(2 * time.Minute)
		if got := fmt.Sprint(w.heldOnes()); got != "[8000]" {
			t.Errorf("%s are held", got)
		}
		// The other is the last one now, even when it falls silent too: then both go on.
		b := w.habitOf("8001", 50, .9)
		w.sent(b, 40)
		w.pass(3 * time.Hour)
		if w.heldOnes() != nil || w.store.count("released 8000") != 1 {
			t.Errorf("%v are held: %q", w.heldOnes(), w.store.said())
		}
	})
}

// Another card that delivered a while ago, and not since, is no witness either.
func TestACardThatFallsSilentLaterIsNoWitness(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"), in(1, "8001"))
		a, b := w.habitOf("8000", 50, .9), w.habitOf("8001", 50, .9)
		w.sent(a, 10)
		w.sent(b, 10)
		w.pass(30 * time.Minute)
		w.delivered(b, 9)
		w.sent(b, 40)
		w.pass(59 * time.Minute)
		w.sent(a, 40)
		w.pass(10 * time.Minute)
		if w.heldOnes() != nil || w.store.count("alarm: no delivery report comes") != 1 {
			t.Errorf("%v are held: %q", w.heldOnes(), w.store.said())
		}
	})
}

func TestAHoldLastsAnHourEvenWhereItWasTheReports(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"), in(1, "8001"))
		a, b := w.habitOf("8000", 50, .9), w.habitOf("8001", 50, .9)
		w.sent(a, 40)
		w.pass(30 * time.Minute)
		w.delivered(b, 9)
		w.sent(b, 40)
		w.pass(35 * time.Minute)
		if got := fmt.Sprint(w.heldOnes()); got != "[8000]" {
			t.Fatalf("%s are held", got)
		}
		w.pass(45 * time.Minute) // the other looks blocked too by now
		if got := fmt.Sprint(w.heldOnes()); got != "[8000]" {
			t.Errorf("after three quarters of an hour %s are held", got)
		}
		w.pass(15 * time.Minute)
		if w.heldOnes() != nil || w.store.count("released 8000") != 1 {
			t.Errorf("after an hour %v are held: %q", w.heldOnes(), w.store.said())
		}
	})
}

func TestAnAlarmIsInTheLogOnceAndAtOnce(t *testing.T) {
	var log strings.Builder
	inWorld(t, Options{Site: antel(), Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(w *world) {
		w.bank.answers(saldo("50"))
		a, _, _ := w.three()
		w.store.fail(errDisk) // which no log waits for
		w.pass(time.Hour)
		w.sent(a, 40)
		w.pass(2 * time.Hour)
		w.store.fail(nil)
		w.pass(time.Hour)
		for _, want := range []string{"SIM 8000 in bank/0 is held", "the balance of SIM 8000 in bank/0 is 50, below 100"} {
			if n := strings.Count(log.String(), `msg=alarm reason="`+want); n != 1 {
				t.Errorf("the log says %d times that %s:\n%s", n, want, log.String())
			}
		}
	})
}

func TestAnAlarmWaitsForTheDisk(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"))
		w.sent(w.habitOf("8000", 50, .9), 40)
		w.store.fail(errDisk)
		w.pass(2 * time.Hour)
		w.store.fail(nil)
		w.pass(2 * time.Minute)
		if n := w.store.count("alarm: no delivery report comes to provider bank: none for 40 segments of SIM 8000"); n != 1 {
			t.Errorf("%d alarms: %q", n, w.store.said())
		}
	})
}

// Cards of one operator that fall silent together have lost their reports, though
// those of another operator come.
func TestTheReportsOfOneOperatorAreItsOwn(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		other := in(2, "8002")
		other.IMSI = "748079999999999"
		w.plug(in(0, "8000"), in(1, "8001"), other)
		a, b, c := w.habitOf("8000", 50, .9), w.habitOf("8001", 50, .9), w.habitOf("8002", 50, .9)
		for range 6 {
			w.sent(a, 10)
			w.sent(b, 10)
			w.sent(c, 10)
			w.delivered(c, 9)
			w.pass(30 * time.Minute)
		}
		if w.heldOnes() != nil || w.store.count("alarm: no delivery report comes") != 1 {
			t.Errorf("%v are held: %q", w.heldOnes(), w.store.said())
		}
		// The only card of its operator has the others to be compared with.
		w.delivered(a, 9)
		w.delivered(b, 9)
		w.sent(c, 40)
		w.pass(2 * time.Hour)
		if got := fmt.Sprint(w.heldOnes()); got != "[8002]" {
			t.Errorf("%s are held", got)
		}
	})
}

func TestANewCardIsJudgedByTheOthersOfTheBox(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"), in(1, "8001"))
		fresh := &cardLog{id: "8000"}
		w.sent(fresh, 40)
		w.habitOf("8001", 10, .3)
		w.pass(3 * time.Hour)
		if w.heldOnes() != nil {
			t.Fatalf("%v are held though nobody gets reports here", w.heldOnes())
		}
		w.habitOf("8001", 10, .9)
		w.pass(2 * time.Minute)
		if why := w.Held("8000"); !strings.Contains(why, "while those of other SIMs are") {
			t.Errorf("it is held because %q", why)
		}
	})
}

func TestACardThatNeverGotReportsIsNotHeld(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"), in(1, "8001"))
		a := w.habitOf("8000", 50, .1)
		w.habitOf("8001", 50, .9)
		w.sent(a, 200)
		w.pass(3 * time.Hour)
		if w.heldOnes() != nil || w.store.count("alarm") != 0 {
			t.Errorf("%v are held: %q", w.heldOnes(), w.store.said())
		}
	})
}

func TestReportsOfBeforeAStopMayStillComeAfterIt(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		a, b, _ := w.three()
		w.pass(10 * time.Minute)
		w.sent(a, 40)
		w.sent(b, 1)
		w.delivered(b, 1)
		w.stop()
		w.pass(10 * time.Hour)
		w.start()
		w.plug(in(0, "8000"), in(1, "8001"), in(2, "8002"))
		w.pass(10 * time.Minute)
		if got := w.heldOnes(); got != nil {
			t.Errorf("ten minutes after the start %v are held: %q", got, w.store.said())
		}
		w.pass(time.Hour)
		if got := w.heldOnes(); len(got) != 1 {
			t.Errorf("an hour later %v are held, want 8000", got)
		}
	})
}

func TestWhereNobodyAsksForReportsNobodyIsJudgedByThem(t *testing.T) {
	reports := true
	inWorld(t, Options{Reports: func(string) bool { return reports }}, func(w *world) {
		a, b, _ := w.three()
		w.sent(a, 40)
		w.delivered(b, 1)
		w.stop()
		reports = false // and with the next start the site asks for none
		w.start()
		w.plug(in(0, "8000"), in(1, "8001"), in(2, "8002"))
		w.pass(5 * time.Hour)
		if got := w.heldOnes(); got != nil || w.store.count("alarm") != 0 {
			t.Errorf("%v are held: %q", got, w.store.said())
		}
		if h := w.card("8000").Health; h.Score != 100 {
			t.Errorf("the health is %+v", h)
		}
	})
}

func TestNobodyIsJudgedByAWrongClock(t *testing.T) {
	inWorld(t, Options{Trusted: func() bool { return false }}, func(w *world) {
		a, _, _ := w.three()
		w.sent(a, 40)
		w.pass(3 * time.Hour)
		if w.heldOnes() != nil || w.card("8000").Health.Known {
			t.Errorf("%v are held, with the health %+v", w.heldOnes(), w.card("8000").Health)
		}
	})
}
