package spool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

const (
	to1  = gateway.Address("+59899123456")
	to2  = gateway.Address("+59899654321")
	sim1 = "8959801" // of intent
)

// sendMR sends a message of one segment under a TP-MR.
func sendMR(t testing.TB, s *Spool, to gateway.Address, mr uint8) uint64 {
	t.Helper()
	idm := add(t, s, text("camp", string(to)))
	send(t, s, intent(idm, 1), Outcome{MR: mr, HasMR: true})
	return idm
}

// report is a report of SIM sim1 that its network stamped now.
func report(c *clock, mr uint8, to gateway.Address, st uint8) gateway.StatusReport {
	return gateway.StatusReport{Channel: "bank/3", SIM: sim1, MR: mr, Recipient: to, SentAt: c.now(), DischargedAt: c.now(), ST: st}
}

func wantStatus(t testing.TB, s *Spool, idm uint64, want gateway.Status) {
	t.Helper()
	if m := get(t, s, idm); m.Status != want {
		t.Errorf("message %d is %s, want %s; timeline %+v", idm, m.Status, want, m.History)
	}
}

func wantUnmatched(t testing.TB, s *Spool, waiting, lost uint64) {
	t.Helper()
	w, l, err := s.UnmatchedReports()
	if err != nil || w != waiting || l != lost {
		t.Errorf("%d reports wait and %d were lost, %v; want %d, %d", w, l, err, waiting, lost)
	}
}

func TestReportDelivers(t *testing.T) {
	s, c := open(t)
	a, b := sendMR(t, s, to1, 5), sendMR(t, s, to2, 5)
	must(t, s.Report(bg, report(c, 5, to1, 0x00)))
	wantStatus(t, s, a, gateway.StatusDelivered)
	wantStatus(t, s, b, gateway.StatusSent)
	must(t, s.Report(bg, report(c, 5, to2, 0x46)))
	wantStatus(t, s, b, gateway.StatusUndelivered)
	m := get(t, s, b)
	if m.Kind != gateway.KindRefused || !strings.Contains(m.Reason, "validity period") || m.Parts[0].ST != 0x46 {
		t.Errorf("undelivered %+v", m)
	}
	wantUnmatched(t, s, 0, 0)
	if c := counters(t, s, "camp"); c.Processed() != 2 || c.ByStatus[gateway.StatusDelivered] != 1 {
		t.Errorf("counters %+v", c)
	}
}

func TestReportOfAnotherSIMOrNumberIsNobodys(t *testing.T) {
	s, c := open(t)
	a := sendMR(t, s, to1, 5)
	for _, r := range []gateway.StatusReport{report(c, 6, to1, 0), report(c, 5, to2, 0)} {
		must(t, s.Report(bg, r))
	}
	other := report(c, 5, to1, 0)
	other.SIM = "another"
	must(t, s.Report(bg, other))
	wantStatus(t, s, a, gateway.StatusSent)
	wantUnmatched(t, s, 3, 0)
}

func TestRecipientInNationalFormIsTheSame(t *testing.T) {
	for _, form := range []gateway.Address{to1, "59899123456", "099123456", "99123456"} {
		s, c := open(t)
		a := sendMR(t, s, to1, 5)
		must(t, s.Report(bg, report(c, 5, form, 0)))
		wantStatus(t, s, a, gateway.StatusDelivered)
	}
	for _, form := range []gateway.Address{"9123456", "", "BANK", "+34600123456"} {
		if sameRecipient(to1, form) {
			t.Errorf("%q was taken for %s", form, to1)
		}
	}
}

func TestReportBelongsToTheNewestSendBeforeItsStamp(t *testing.T) {
	s, c := open(t)
	first := sendMR(t, s, to1, 5)
	late := report(c, 5, to1, 0x46)
	c.add(time.Hour)
	second := sendMR(t, s, to1, 5) // TP-MR came round
	must(t, s.Report(bg, report(c, 5, to1, 0)))
	wantStatus(t, s, first, gateway.StatusSent)
	wantStatus(t, s, second, gateway.StatusDelivered)
	must(t, s.Report(bg, late)) // of the first, stamped before the second was sent
	wantStatus(t, s, first, gateway.StatusUndelivered)
	wantStatus(t, s, second, gateway.StatusDelivered)

	c.add(time.Hour)
	third := sendMR(t, s, to1, 5)
	odd := report(c, 5, to1, 0)
	odd.SentAt = odd.SentAt.Add(-30 * 24 * time.Hour) // an SMSC with a wrong clock
	must(t, s.Report(bg, odd))
	wantStatus(t, s, third, gateway.StatusDelivered)
}

func TestReportFindsItsSendFor72Hours(t *testing.T) {
	s, c := open(t)
	a, b := sendMR(t, s, to1, 5), sendMR(t, s, to2, 6)
	c.add(keepRefs)
	must(t, s.Report(bg, report(c, 5, to1, 0)))
	wantStatus(t, s, a, gateway.StatusDelivered)
	c.add(time.Millisecond)
	must(t, s.Report(bg, report(c, 6, to2, 0)))
	wantStatus(t, s, b, gateway.StatusSent)
	for range 2 * trimRefs {
		sendMR(t, s, to2, 5)
		c.add(keepRefs + 1)
	}
	tx, err := s.db.Begin(false)
	must(t, err)
	defer tx.Rollback()
	if n := countKeys(tx.Bucket(bucketRefs)); n != 2 {
		t.Errorf("%d references are kept, want the last of each TP-MR", n)
	}
}

func TestReportBeforeItsOutcomeIsApplied(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", string(to1)))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	must(t, s.Report(bg, report(c, 9, to1, 0x20)))
	must(t, s.Report(bg, report(c, 9, to1, 0x00)))
	must(t, s.Report(bg, report(c, 9, to2, 0x00)))
	wantUnmatched(t, s, 3, 0)
	c.add(time.Minute)
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, MR: 9, HasMR: true}}})
	wantStatus(t, s, idm, gateway.StatusDelivered)
	wantUnmatched(t, s, 1, 0)
}

func TestUnmatchedReportsAreGivenUpAfter48Hours(t *testing.T) {
	s, c := open(t)
	for mr := range uint8(3) {
		must(t, s.Report(bg, report(c, mr, to1, 0)))
	}
	c.add(keepOrphans)
	must(t, s.Report(bg, report(c, 100, to1, 0)))
	wantUnmatched(t, s, 4, 0)
	c.add(time.Millisecond)
	must(t, s.Report(bg, report(c, 101, to1, 0)))
	wantUnmatched(t, s, 2, 3)
	wantUnmatched(t, reopen(t, s), 2, 3)
}

func TestOldOrphanIsNotTheReportOfANewSend(t *testing.T) {
	s, c := open(t)
	must(t, s.Report(bg, report(c, 5, to1, 0)))
	c.add(orphanLead + time.Second)
	a := sendMR(t, s, to1, 5)
	wantStatus(t, s, a, gateway.StatusSent)
	wantUnmatched(t, s, 1, 0)
}

func TestReportsOfSegmentsFold(t *testing.T) {
	long := func(s *Spool) uint64 {
		m := text("camp", string(to1))
		m.Segments = 3
		idm := add(t, s, m)
		for seg := 1; seg <= 3; seg++ {
			send(t, s, intent(idm, seg), Outcome{MR: uint8(seg), HasMR: true})
		}
		return idm
	}
	s, c := open(t)
	idm := long(s)
	for seg := uint8(1); seg <= 3; seg++ {
		wantStatus(t, s, idm, gateway.StatusSent)
		must(t, s.Report(bg, report(c, seg, to1, 0)))
	}
	wantStatus(t, s, idm, gateway.StatusDelivered)
	if h := get(t, s, idm).History; !strings.Contains(h[len(h)-1].Text, "segment 3 of 3") {
		t.Errorf("last line %q", h[len(h)-1].Text)
	}

	idm = long(s)
	must(t, s.Report(bg, report(c, 2, to1, 0x41)))
	wantStatus(t, s, idm, gateway.StatusUndelivered)
	must(t, s.Report(bg, report(c, 1, to1, 0x00)))
	must(t, s.Report(bg, report(c, 3, to1, 0x00)))
	wantStatus(t, s, idm, gateway.StatusUndelivered)
	must(t, s.Report(bg, report(c, 2, to1, 0x00))) // it arrived after all
	wantStatus(t, s, idm, gateway.StatusDelivered)
}

func TestReportForASegmentWhileTheOthersWait(t *testing.T) {
	s, c := open(t)
	m := text("camp", string(to1))
	m.Segments = 2
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{MR: 1, HasMR: true})
	must(t, s.Report(bg, report(c, 1, to1, 0x41)))
	wantStatus(t, s, idm, gateway.StatusQueued)
	step(t, s, Step{Intents: []Intent{intent(idm, 2)}})
	must(t, s.Report(bg, report(c, 1, to1, 0x41)))
	wantStatus(t, s, idm, gateway.StatusSubmitting)
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 2, MR: 2, HasMR: true}}})
	wantStatus(t, s, idm, gateway.StatusUndelivered)
}

func TestStillTryingIsALineAndTheSameReportIsNothing(t *testing.T) {
	s, c := open(t)
	idm := sendMR(t, s, to1, 5)
	lines := func() int { return len(get(t, s, idm).History) }
	n := lines()
	for range 3 {
		must(t, s.Report(bg, report(c, 5, to1, 0x21)))
	}
	wantStatus(t, s, idm, gateway.StatusSent)
	if lines() != n+1 {
		t.Errorf("%d lines for one state", lines()-n)
	}
	last, _ := s.Tail()
	for _, st := range []uint8{0x00, 0x00, 0x46, 0x20, 0x80, 0x00} {
		must(t, s.Report(bg, report(c, 5, to1, st)))
	}
	wantStatus(t, s, idm, gateway.StatusDelivered)
	if lines() != n+2 {
		t.Errorf("%d lines, want one for each of two states", lines()-n)
	}
	if now, _ := s.Tail(); now != last+1 {
		t.Errorf("%d events for one delivery", now-last)
	}
}

func TestReportEndsADoubt(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy gateway.UnknownPolicy
		after  time.Duration // SMSC stamp after the submission
		st     uint8
		want   gateway.Status
	}{
		{"delivered", gateway.UnknownHold, time.Second, 0x00, gateway.StatusDelivered},
		{"still trying", gateway.UnknownHold, time.Second, 0x20, gateway.StatusSent},
		{"never", gateway.UnknownHold, time.Second, 0x41, gateway.StatusUndelivered},
		{"clock behind", gateway.UnknownHold, -stampSlack, 0x00, gateway.StatusDelivered},
		{"stamped before", gateway.UnknownHold, -stampSlack - time.Second, 0x00, gateway.StatusUnknown},
		{"a day", gateway.UnknownHold, doubtSpan, 0x00, gateway.StatusDelivered},
		{"more than a day", gateway.UnknownHold, doubtSpan + time.Second, 0x00, gateway.StatusUnknown},
		{"before it is sent again", gateway.UnknownResend, time.Second, 0x00, gateway.StatusDelivered},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, clk := open(t)
			m := text("camp", string(to1))
			m.Policy = c.policy
			idm := add(t, s, m)
			r := report(clk, 77, to1, c.st)
			r.SentAt = clk.now().Add(c.after)
			send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome, Text: "no answer"})
			must(t, s.Report(bg, r))
			wantStatus(t, s, idm, c.want)
			if c.want == gateway.StatusUnknown {
				return
			}
			got := get(t, s, idm)
			if h := got.History; !strings.Contains(h[len(h)-1].Text, "was in doubt") {
				t.Errorf("last line %q", h[len(h)-1].Text)
			}
			if c.want == gateway.StatusSent { // its next report finds it by the reference
				r.ST = 0
				must(t, s.Report(bg, r))
				wantStatus(t, s, idm, gateway.StatusDelivered)
			}
			clk.add(time.Hour)
			if left := claim(t, s, "camp", 50); len(left.Messages) != 0 {
				t.Error("a message that went out is sent again")
			}
		})
	}
}

func TestReportDuringTheSecondTryDecides(t *testing.T) {
	for name, second := range map[string]Outcome{
		"accepted": {MR: 8, HasMR: true}, "refused": {Kind: gateway.KindRefused}, "in doubt": {Kind: gateway.KindUnknownOutcome},
		"later": {Kind: gateway.KindThrottled, Retry: newClock().now().Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			m := text("camp", string(to1))
			m.Policy = gateway.UnknownResend
			idm := add(t, s, m)
			first := report(c, 7, to1, 0)
			send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome})
			c.add(20 * time.Minute)
			step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
			must(t, s.Report(bg, first))
			wantStatus(t, s, idm, gateway.StatusSubmitting)
			second.IDM, second.Segment = idm, 1
			step(t, s, Step{Outcomes: []Outcome{second}})
			wantStatus(t, s, idm, gateway.StatusDelivered)
		})
	}
}

func TestReportAfterACrashEndsTheDoubt(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", string(to1)))
	in := intent(idm, 1)
	in.At = c.now()
	step(t, s, Step{Intents: []Intent{in}})
	r := report(c, 3, to1, 0)
	c.add(6 * time.Hour)
	s = reopen(t, s)
	wantStatus(t, s, idm, gateway.StatusUnknown)
	must(t, s.Report(bg, r)) // the network kept it while the box was off
	wantStatus(t, s, idm, gateway.StatusDelivered)
}

func TestReportBeforeItsDoubtIsApplied(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", string(to1)))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	must(t, s.Report(bg, report(c, 9, to2, 0)))
	must(t, s.Report(bg, report(c, 9, to1, 0x20)))
	must(t, s.Report(bg, report(c, 9, to1, 0)))
	c.add(time.Minute)
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: gateway.KindUnknownOutcome}}})
	wantStatus(t, s, idm, gateway.StatusDelivered)
	wantUnmatched(t, s, 1, 0)
}

func TestReportNamesACloudsReference(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", string(to1)))
	send(t, s, intent(idm, 1), Outcome{Ref: "SM1", Queued: true})
	wantStatus(t, s, idm, gateway.StatusSubmitted)
	must(t, s.Report(bg, gateway.StatusReport{SIM: sim1, Ref: "SM2", ST: 0}))
	must(t, s.Report(bg, gateway.StatusReport{SIM: sim1, Ref: "SM1", ST: 0}))
	wantStatus(t, s, idm, gateway.StatusDelivered)
	wantUnmatched(t, s, 1, 0)
	c.add(keepRefs + time.Hour)
	next := add(t, s, text("camp", string(to1)))
	send(t, s, intent(next, 1), Outcome{Ref: "SM3"})
	tx, err := s.db.Begin(false)
	must(t, err)
	defer tx.Rollback()
	if n := countKeys(tx.Bucket(bucketRefs)); n != 1 || countKeys(tx.Bucket(bucketRefsTime)) != 1 {
		t.Errorf("%d references are kept, want the new one", n)
	}
}

func TestReportOfADeletedMessageIsNothing(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", string(to1)))
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	must(t, s.Resolve(bg, idm, gateway.StatusFailed, "ana"))
	_, err := s.DeleteUnprocessed(bg, "camp")
	must(t, err)
	must(t, s.Report(bg, report(c, 1, to1, 0)))
	wantUnmatched(t, s, 0, 0)
	if err := s.Report(bg, gateway.StatusReport{Ref: strings.Repeat("x", maxReportText+1)}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("huge report: %v", err)
	}
}

func TestReportWordsNameTheirValue(t *testing.T) {
	for st := range 256 {
		words := reportWords(uint8(st))
		if !strings.Contains(words, fmt.Sprintf("0x%02X", st)) || strings.HasPrefix(words, " ") {
			t.Errorf("0x%02X: %q", st, words)
		}
		trying := strings.Contains(words, "still tries")
		if trying != (st >= 0x20 && st <= 0x3F) {
			t.Errorf("0x%02X: %q", st, words)
		}
	}
}

// TestDeliveredIsNeverTakenBack sends reports of any value in any order: a message
// that was delivered stays delivered, and no order of reports loses a delivery.
func TestDeliveredIsNeverTakenBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, c := openQuick(t)
		defer shut(t, s)
		m := text("camp", string(to1))
		m.Segments = rapid.Uint8Range(1, 3).Draw(r, "segments")
		idm := add(t, s, m)
		sent, delivered := 0, map[uint8]bool{}
		for range rapid.IntRange(1, 15).Draw(r, "events") {
			if sent < int(m.Segments) && rapid.Bool().Draw(r, "send") {
				sent++
				send(t, s, intent(idm, sent), Outcome{MR: uint8(sent), HasMR: true})
				continue
			}
			seg := rapid.Uint8Range(1, 3).Draw(r, "segment")
			st := rapid.SampledFrom([]uint8{0x00, 0x00, 0x20, 0x46, 0x80}).Draw(r, "st")
			must(t, s.Report(bg, report(c, seg, to1, st)))
			if st == 0 && seg <= m.Segments {
				delivered[seg] = true
			}
		}
		for sent < int(m.Segments) {
			sent++
			send(t, s, intent(idm, sent), Outcome{MR: uint8(sent), HasMR: true})
		}
		got := get(t, s, idm)
		if (got.Status == gateway.StatusDelivered) != (len(delivered) == int(m.Segments)) {
			r.Fatalf("%d of %d segments were delivered, and it is %s", len(delivered), m.Segments, got.Status)
		}
		for i := range got.Parts {
			if (got.Parts[i].Status == gateway.StatusDelivered) != delivered[uint8(i+1)] {
				r.Fatalf("segment %d is %s", i+1, got.Parts[i].Status)
			}
		}
	})
}
