package spool

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

// resending adds a message with the policy to send again, and leaves its first try
// in doubt: it waits in the queue for the next.
func resending(t testing.TB, s *Spool, segments uint8) uint64 {
	t.Helper()
	m := text("camp", string(to1))
	m.Policy, m.Segments = gateway.UnknownResend, segments
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome, Text: "no answer"})
	return idm
}

// doubtful leaves a message of three segments in doubt after its second.
func doubtful(t testing.TB, s *Spool) uint64 {
	t.Helper()
	m := text("camp", string(to1))
	m.Segments = 3
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{MR: 1, HasMR: true})
	send(t, s, intent(idm, 2), Outcome{Kind: gateway.KindUnknownOutcome})
	wantStatus(t, s, idm, gateway.StatusUnknown)
	return idm
}

// A first try that may have arrived is not forgotten when the second is refused, or
// never made.
func TestADoubtOutlivesTheEndOfItsMessage(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Spool, *clock, uint64){
		"refused for good": func(t *testing.T, s *Spool, _ *clock, idm uint64) {
			send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindRefused, Text: "barred"})
		},
		"refused for now, then for good": func(t *testing.T, s *Spool, c *clock, idm uint64) {
			send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnavailable, Text: "no network", Retry: c.now()})
			send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindRefused, Text: "barred"})
		},
		"expired": func(t *testing.T, s *Spool, _ *clock, idm uint64) {
			step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusExpired, Text: "its validity ended"}}})
		},
		"blocked": func(t *testing.T, s *Spool, _ *clock, idm uint64) {
			step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusBlocked, Text: "opted out"}}})
		},
		"taken back": func(t *testing.T, s *Spool, _ *clock, idm uint64) { must(t, s.Cancel(bg, idm, "ana")) },
		"cleared": func(t *testing.T, s *Spool, _ *clock, _ uint64) {
			_, err := s.DeleteUnprocessed(bg, "camp")
			must(t, err)
		},
		"sent again by a person, then expired": func(t *testing.T, s *Spool, c *clock, idm uint64) {
			must(t, s.Cancel(bg, idm, "ana"))
			must(t, s.Resolve(bg, idm, gateway.StatusQueued, "ana"))
			step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusExpired}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			idm := resending(t, s, 1)
			c.add(time.Hour)
			end(t, s, c, idm)
			m := get(t, s, idm)
			if m.Status != gateway.StatusUnknown || m.Kind != gateway.KindUnknownOutcome || !strings.Contains(m.Reason, "may have arrived") {
				t.Errorf("%s, %s: %q", m.Status, m.Kind, m.Reason)
			}
			if got := claim(t, s, "camp", 1).Messages; len(got) != 0 {
				t.Error("it is sent again")
			}
		})
	}
}

func TestTheRestOfAMessageFollowsWhenItsDoubtEnds(t *testing.T) {
	for name, settle := range map[string]func(*Spool, *clock, uint64) error{
		"by a person": func(s *Spool, _ *clock, idm uint64) error { return s.Resolve(bg, idm, gateway.StatusSent, "ana") },
		"by a report": func(s *Spool, c *clock, _ uint64) error { return s.Report(bg, report(c, 2, to1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			idm := doubtful(t, s)
			must(t, settle(s, c, idm))
			got := claim(t, s, "camp", 1).Messages
			if len(got) != 1 || !out(got[0].Parts[1].Status) || got[0].Parts[2].Status != gateway.StatusNone {
				t.Fatalf("the third segment is not sent: %+v", get(t, s, idm))
			}
			in := intent(idm, 3)
			in.Attempt = 2
			send(t, s, in, Outcome{MR: 3, HasMR: true})
			wantStatus(t, s, idm, gateway.StatusSent)
		})
	}
}

func TestTheRestOfAMessageThatWasTakenBackDoesNotFollow(t *testing.T) {
	s, c := open(t)
	idm := resending(t, s, 2)
	must(t, s.Cancel(bg, idm, "ana"))
	must(t, s.Report(bg, report(c, 2, to1, 0)))
	m := get(t, s, idm)
	if m.Status != gateway.StatusFailed || m.Parts[0].Status != gateway.StatusDelivered || m.Reason == "" {
		t.Errorf("%s (%s), %+v", m.Status, m.Reason, m.Parts)
	}
}

// The first try is known to be out, though not delivered yet, before the second
// one ends.
func TestASegmentThatAReportShowsToBeOutIsNotTriedAThirdTime(t *testing.T) {
	for _, o := range []Outcome{
		{Kind: gateway.KindUnavailable, Text: "no network", Retry: time.Unix(1, 0)},
		{Kind: gateway.KindRefused, Text: "barred"},
		{Kind: gateway.KindUnknownOutcome},
	} {
		s, c := open(t)
		idm := resending(t, s, 1)
		stamp := report(c, 9, to1, 0x20) // the SMSC has it and still tries
		c.add(time.Hour)
		step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
		must(t, s.Report(bg, stamp))
		o.IDM, o.Segment = idm, 1
		step(t, s, Step{Outcomes: []Outcome{o}})
		wantStatus(t, s, idm, gateway.StatusSent)
		must(t, s.Report(bg, report(c, 9, to1, 0)))
		wantStatus(t, s, idm, gateway.StatusDelivered)
	}
}

// The dialer took the try for the last one, but other segments of the message wait.
func TestTheQueueIsToldOfARowThatWaitsAfterAll(t *testing.T) {
	s, c := open(t)
	told := 0
	s.o.OnQueued = func(string, uint16, uint64) { told++ }
	idm := resending(t, s, 2)
	r := report(c, 9, to1, 0)
	c.add(time.Hour)
	claim(t, s, "camp", 1)
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	must(t, s.Report(bg, r))
	told = 0
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: gateway.KindRefused}}})
	if told != 1 {
		t.Errorf("the queue was told %d times of a row with a segment to send", told)
	}
	wantStatus(t, s, idm, gateway.StatusQueued)
}

// A row whose time comes while its campaign is cleared moves to a part of the index
// that is cleared too.
func TestClearingACampaignMissesNoRowWhoseTimeComes(t *testing.T) {
	s, c := open(t)
	fill(t, s, "camp", 1)
	m := text("camp", string(to2))
	m.NotBefore = c.now().Add(time.Minute)
	add(t, s, m)
	c.add(time.Hour)
	_, err := s.sweep(bg, "camp", unprocessed(), "deleted", func(t *tx, k key) error {
		if k.slot() == slot(gateway.StatusQueued) {
			if err := t.promote(k.lane()); err != nil {
				return err
			}
		}
		return t.remove(k)
	})
	must(t, err)
	if k := counters(t, s, "camp"); k.NotProcessed() != 0 {
		t.Errorf("%d rows were missed", k.NotProcessed())
	}
}

// A damaged key names a segment that its message never had.
func TestADamagedIntentOfASegmentThatIsNoneIsADoubt(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("camp", string(to1)))
	must(t, s.update(bg, func(t *tx) error { return t.bucket(bucketIntent).Put(intentKey(idm, 200), []byte("no record")) }))
	must(t, s.recover())
	wantStatus(t, s, idm, gateway.StatusUnknown)
}

// The report of a message comes before its outcome is stored, and an older message
// to the same number is in doubt.
func TestAnEarlyReportDoesNotEndTheDoubtOfAnotherMessage(t *testing.T) {
	s, c := open(t)
	old, now := add(t, s, text("camp", string(to1))), add(t, s, text("camp", string(to1)))
	send(t, s, intent(old, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	c.add(time.Minute)
	step(t, s, Step{Intents: []Intent{intent(now, 1)}})
	must(t, s.Report(bg, report(c, 7, to1, 0)))
	wantStatus(t, s, old, gateway.StatusUnknown)
	step(t, s, Step{Outcomes: []Outcome{{IDM: now, Segment: 1, MR: 7, HasMR: true}}})
	wantStatus(t, s, now, gateway.StatusDelivered)
	wantStatus(t, s, old, gateway.StatusUnknown)
}

// Two messages to one customer are in doubt, and one report comes: which of them it is
// about can only be said when they lie further apart than clocks do.
func TestAReportEndsADoubtOnlyWhereItCanBeNoOther(t *testing.T) {
	for apart, want := range map[time.Duration]gateway.Status{
		time.Minute:      gateway.StatusUnknown,
		10 * time.Minute: gateway.StatusDelivered,
	} {
		s, c := open(t)
		var sent [2]uint64
		for i := range sent {
			c.add(apart)
			sent[i] = add(t, s, text("camp", string(to1)))
			in := intent(sent[i], 1)
			in.At = c.now()
			send(t, s, in, Outcome{Kind: gateway.KindUnknownOutcome})
		}
		must(t, s.Report(bg, report(c, 9, to1, 0)))
		wantStatus(t, s, sent[0], gateway.StatusUnknown)
		wantStatus(t, s, sent[1], want)
		if want == gateway.StatusUnknown {
			third := add(t, s, text("camp", string(to1)))
			in := intent(third, 1)
			in.At = c.now()
			send(t, s, in, Outcome{Kind: gateway.KindUnknownOutcome})
			wantStatus(t, s, third, gateway.StatusUnknown) // the report that waits is nobody's still
			// The device knows its reference.
			settle(t, s, doubts(t, s)[0], Outcome{MR: 9, HasMR: true})
			wantStatus(t, s, sent[0], gateway.StatusDelivered)
			wantStatus(t, s, sent[1], gateway.StatusUnknown)
		}
	}
}
