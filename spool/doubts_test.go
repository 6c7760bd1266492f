package spool

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

// crashed leaves a message in doubt as a crash does: its intent was open.
func crashed(t testing.TB, s *Spool, segments uint8) (*Spool, Doubt) {
	t.Helper()
	m := text("camp", string(to1))
	m.Segments = segments
	idm := add(t, s, m)
	in := intent(idm, 0)
	in.UserID, in.Charge = 77, int(segments)
	step(t, s, Step{Intents: []Intent{in}})
	s = reopen(t, s)
	return s, oneDoubt(t, s)
}

func oneDoubt(t testing.TB, s *Spool) Doubt {
	t.Helper()
	all := doubts(t, s)
	if len(all) != 1 {
		t.Fatalf("%d doubts, want 1: %+v", len(all), all)
	}
	return all[0]
}

func doubts(t testing.TB, s *Spool) []Doubt {
	t.Helper()
	all, err := s.Doubts(0, 100)
	must(t, err)
	return all
}

func settle(t testing.TB, s *Spool, d Doubt, o Outcome) bool {
	t.Helper()
	ok, err := s.Settle(bg, d, o)
	must(t, err)
	return ok
}

func TestADoubtNamesItsDeviceAfterACrash(t *testing.T) {
	s, c := open(t)
	at := c.now()
	s, d := crashed(t, s, 1)
	want := Doubt{IDM: d.IDM, UserID: 77, To: to1, Channel: "bank/3", SIM: sim1, Attempt: 1, At: at.UTC()}
	if d != want {
		t.Errorf("doubt %+v, want %+v", d, want)
	}
	if all, err := s.Doubts(d.IDM, 10); err != nil || len(all) != 0 {
		t.Errorf("after the last: %+v, %v", all, err)
	}
	c.add(askSpan + time.Second)
	if all := doubts(t, s); len(all) != 0 {
		t.Errorf("after %v its device is still asked: %+v", askSpan, all)
	}
}

func TestTheDevicesYesEndsADoubtAndItsReportIsFound(t *testing.T) {
	s, c := open(t)
	s, d := crashed(t, s, 2)
	if !settle(t, s, d, Outcome{MR: 42, HasMR: true}) {
		t.Fatal("the doubt is not settled")
	}
	m := get(t, s, d.IDM)
	if m.Status != gateway.StatusSent || m.Kind != gateway.KindNone || m.Parts[1].MR != 42 {
		t.Fatalf("message %+v", m)
	}
	if last := m.History[len(m.History)-1]; last.Channel != "bank/3" || !strings.Contains(last.Text, "went out") {
		t.Errorf("its timeline says %+v", last)
	}
	if len(doubts(t, s)) != 0 || settle(t, s, d, Outcome{}) {
		t.Error("it is settled twice")
	}
	must(t, s.Report(bg, report(c, 42, to1, 0)))
	wantStatus(t, s, d.IDM, gateway.StatusDelivered)
}

func TestTheDevicesNoEndsADoubt(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome Outcome
		status  gateway.Status
	}{
		"for good": {Outcome{Kind: gateway.KindRefused, Text: "barred"}, gateway.StatusFailed},
		"for now":  {Outcome{Kind: gateway.KindUnavailable, Text: "canceled", Retry: time.Unix(1, 0)}, gateway.StatusQueued},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			s, d := crashed(t, s, 2)
			if !settle(t, s, d, tc.outcome) {
				t.Fatal("the doubt is not settled")
			}
			wantStatus(t, s, d.IDM, tc.status)
			u, err := s.SIMUsage(sim1, c.now())
			if err != nil || u.Day != 0 {
				t.Errorf("the SIM is charged %d, %v", u.Day, err)
			}
			must(t, s.Report(bg, report(c, 9, to1, 0))) // of something else
			wantUnmatched(t, s, 1, 0)
			if n := len(claim(t, s, "camp", 5).Messages); (n == 1) != (tc.status == gateway.StatusQueued) {
				t.Errorf("%d rows go", n)
			}
		})
	}
}

func TestAMessageThatWasTakenBackIsNotSentAfterTheDevicesNo(t *testing.T) {
	s, _ := open(t)
	idm := resending(t, s, 1)
	must(t, s.Cancel(bg, idm, "ana"))
	settle(t, s, oneDoubt(t, s), Outcome{Kind: gateway.KindUnavailable, Retry: time.Unix(1, 0)})
	wantStatus(t, s, idm, gateway.StatusFailed)
}

func TestTheDevicesWordOnOneTryDecidesNothingOverAnother(t *testing.T) {
	s, c := open(t)
	idm := resending(t, s, 1)
	c.add(time.Hour)
	second := intent(idm, 1)
	second.UserID = 1000
	send(t, s, second, Outcome{Kind: gateway.KindUnknownOutcome})
	all := doubts(t, s)
	if len(all) != 2 {
		t.Fatalf("doubts %+v", all)
	}
	settle(t, s, all[1], Outcome{Kind: gateway.KindRefused})
	if m := get(t, s, idm); m.Status != gateway.StatusQueued || !anyPart(&m, gateway.StatusUnknown) {
		t.Errorf("after a no about the second try: %s, %+v", m.Status, m.Parts)
	}
	settle(t, s, all[0], Outcome{MR: 3, HasMR: true})
	wantStatus(t, s, idm, gateway.StatusSent)
	if len(claim(t, s, "camp", 5).Messages) != 0 {
		t.Error("it is sent again")
	}
}

// The policy's next try is at a device when the word on the first comes.
func TestTheDevicesWordWaitsForATryThatIsOnItsWay(t *testing.T) {
	for _, tc := range []struct {
		word, then Outcome
		status     gateway.Status
	}{
		{Outcome{}, Outcome{Kind: gateway.KindRefused}, gateway.StatusSent},
		{Outcome{}, Outcome{MR: 5, HasMR: true}, gateway.StatusSent},
		{Outcome{Kind: gateway.KindRefused}, Outcome{Kind: gateway.KindRefused}, gateway.StatusFailed},
		{Outcome{Kind: gateway.KindRefused}, Outcome{MR: 5, HasMR: true}, gateway.StatusSent},
	} {
		s, c := open(t)
		idm := resending(t, s, 1)
		c.add(time.Hour)
		d := oneDoubt(t, s)
		step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
		settle(t, s, d, tc.word)
		wantStatus(t, s, idm, gateway.StatusSubmitting)
		tc.then.IDM, tc.then.Segment = idm, 1
		step(t, s, Step{Outcomes: []Outcome{tc.then}})
		wantStatus(t, s, idm, tc.status)
	}
}

func TestADoubtThatEndsInAnotherWayIsAskedForNoMore(t *testing.T) {
	for name, end := range map[string]func(*Spool, *clock, uint64) error{
		"by a report": func(s *Spool, c *clock, _ uint64) error { return s.Report(bg, report(c, 9, to1, 0)) },
		"by a person": func(s *Spool, _ *clock, idm uint64) error { return s.Resolve(bg, idm, gateway.StatusFailed, "ana") },
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			s, d := crashed(t, s, 1)
			must(t, end(s, c, d.IDM))
			before := get(t, s, d.IDM)
			if settle(t, s, d, Outcome{Kind: gateway.KindRefused}) || len(doubts(t, s)) != 0 {
				t.Error("it is still in doubt")
			}
			if after := get(t, s, d.IDM); after.Status != before.Status || !slices.Equal(after.History, before.History) {
				t.Errorf("%s became %s", before.Status, after.Status)
			}
		})
	}
}

func TestAnUnknownOutcomeSettlesNothing(t *testing.T) {
	s, _ := open(t)
	s, d := crashed(t, s, 1)
	if _, err := s.Settle(bg, d, Outcome{Kind: gateway.KindUnknownOutcome}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("error %v", err)
	}
	oneDoubt(t, s)
}

func TestWhoWaitsForDoubtsIsWoken(t *testing.T) {
	s, _ := open(t)
	heard := s.WatchDoubts()
	idm := add(t, s, text("camp", string(to1)))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	select {
	case <-heard:
		t.Fatal("an intent is no doubt")
	default:
	}
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: gateway.KindUnknownOutcome}}})
	<-heard
}

func TestDoubtsComeInPagesThatCutNoMessage(t *testing.T) {
	s, c := open(t)
	first := resending(t, s, 1)
	c.add(time.Hour)
	again := intent(first, 1)
	again.UserID = 1000
	send(t, s, again, Outcome{Kind: gateway.KindUnknownOutcome})
	second := resending(t, s, 1)
	page, err := s.Doubts(0, 1)
	must(t, err)
	if len(page) != 2 || page[0].IDM != first || page[1].IDM != first {
		t.Fatalf("first page %+v", page)
	}
	if page, err = s.Doubts(first, 1); err != nil || len(page) != 1 || page[0].IDM != second {
		t.Errorf("second page %+v, %v", page, err)
	}
}

// One segment was given up by a report while another is in doubt: the word on that one
// is kept, and the message goes nowhere again.
func TestADoubtInAMessageThatWasGivenUpIsKept(t *testing.T) {
	for want, word := range map[gateway.Status]Outcome{
		gateway.StatusSent:   {MR: 2, HasMR: true},
		gateway.StatusFailed: {Kind: gateway.KindUnavailable, Retry: time.Unix(1, 0)},
	} {
		s, c := open(t)
		m := text("camp", string(to1))
		m.Segments = 2
		idm := add(t, s, m)
		send(t, s, intent(idm, 1), Outcome{MR: 1, HasMR: true})
		send(t, s, intent(idm, 2), Outcome{Kind: gateway.KindUnknownOutcome})
		must(t, s.Report(bg, report(c, 1, to1, 0x46)))
		wantStatus(t, s, idm, gateway.StatusUndelivered)
		must(t, s.Check(bg))
		if !settle(t, s, oneDoubt(t, s), word) {
			t.Error("the device's word is not taken")
		}
		wantStatus(t, s, idm, gateway.StatusUndelivered)
		if got := get(t, s, idm); got.Parts[1].Status != want || !strings.Contains(got.Reason, "TP-ST 0x46") {
			t.Errorf("segment 2 is %s, want %s; %q", got.Parts[1].Status, want, got.Reason)
		}
	}
}

// A person had it sent again, and the report of its first try came before the second.
func TestATryIsForgottenWhenAReportEndsARowThatWaitsForItsNext(t *testing.T) {
	s, c := open(t)
	s, d := crashed(t, s, 1)
	must(t, s.Resolve(bg, d.IDM, gateway.StatusQueued, "ana"))
	must(t, s.Report(bg, report(c, 9, to1, 0x46)))
	wantStatus(t, s, d.IDM, gateway.StatusUndelivered)
	must(t, s.Check(bg))
}
