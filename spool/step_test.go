package spool

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestOutcomeAndNextIntentAreOneCommit(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "camp", 2)
	step(t, s, Step{Intents: []Intent{intent(1, 1)}})
	before := s.Stats()
	step(t, s, Step{Outcomes: []Outcome{{IDM: 1, Segment: 1}}, Intents: []Intent{intent(2, 1)}})
	if n := s.Stats().Commits - before.Commits; n != 1 {
		t.Errorf("%d commits between two sends", n)
	}
	if a, b := get(t, s, 1).Status, get(t, s, 2).Status; a != gateway.StatusSent || b != gateway.StatusSubmitting {
		t.Errorf("the first is %s, the second %s", a, b)
	}
	if port, ok, err := s.Cursor("d"); port != 3 || !ok || err != nil {
		t.Errorf("cursor %d, %t, %v", port, ok, err)
	}
	if _, ok, err := s.Cursor("other"); ok || err != nil {
		t.Errorf("cursor of a dialer that never sent: %t, %v", ok, err)
	}
}

func TestARetrySendsOnlyTheMissingSegments(t *testing.T) {
	s, c := open(t)
	m := text("camp", "+59899123456")
	m.Segments = 3
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{MR: 255, HasMR: true})
	if m := get(t, s, idm); m.Status != gateway.StatusQueued || m.Attempts != 1 {
		t.Fatalf("with segments missing it is %s after %d attempts", m.Status, m.Attempts)
	}
	retry := c.now().Add(time.Minute)
	first := intent(idm, 2)
	first.Attempt = 1 // the same try: only its second segment
	send(t, s, first, Outcome{Kind: gateway.KindThrottled, Code: "CMS 42", Retry: retry})
	if got := claim(t, s, "camp", 50); len(got.Messages) != 0 || !got.Wake.Equal(retry) {
		t.Fatalf("before its time: %+v", got)
	}
	c.add(time.Minute)
	got := claim(t, s, "camp", 50).Messages
	if len(got) != 1 || got[0].Parts[0].Status != gateway.StatusSent || got[0].Parts[1].Status != gateway.StatusNone || got[0].ICCID != "8959801" {
		t.Fatalf("claimed again: %+v", got)
	}
	if r := step(t, s, Step{Intents: []Intent{intent(idm, 1)}}); len(r.Gone) != 1 {
		t.Error("a segment that is out was given to a device again")
	}
	if r := step(t, s, Step{Intents: []Intent{intent(idm, 0)}}); len(r.Gone) != 1 {
		t.Error("the whole of a message that is half out was given to a device")
	}
	in := intent(idm, 2)
	in.Attempt = got[0].Attempts + 1
	send(t, s, in, Outcome{MR: 0, HasMR: true})
	in.Segment = 3
	send(t, s, in, Outcome{MR: 1, HasMR: true})
	m = get(t, s, idm)
	if m.Status != gateway.StatusSent || m.Attempts != 2 || m.Parts[0].MR != 255 || m.Parts[1].MR != 0 || !m.Parts[1].HasMR || m.Parts[2].MR != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAWholeMessageOfADeviceIsSubmitted(t *testing.T) {
	s, _ := open(t)
	m := text("camp", "+59899123456")
	m.Segments = 2
	idm := add(t, s, m)
	step(t, s, Step{Intents: []Intent{intent(idm, 0)}})
	if r := step(t, s, Step{Intents: []Intent{intent(idm, 1)}}); len(r.Gone) != 1 {
		t.Error("a segment of a message that a device has whole was given to another")
	}
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Queued: true, Ref: "task-7"}}})
	m = get(t, s, idm)
	if m.Status != gateway.StatusSubmitted || len(m.Parts) != 2 || m.Parts[1].Ref != "task-7" {
		t.Errorf("%+v", m)
	}
	if c := counters(t, s, "camp"); c.Processed() != 1 {
		t.Errorf("counters %+v", c)
	}
}

func TestUnknownIsNeitherFailedNorSentAgain(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	// A retry time cannot turn a doubt into a second send.
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome, Text: "no answer after Ctrl-Z", Retry: c.now()})
	c.add(24 * time.Hour)
	if got := claim(t, s, "camp", 50).Messages; len(got) != 0 {
		t.Fatal("a message in doubt was claimed")
	}
	m := get(t, s, idm)
	if m.Status != gateway.StatusUnknown || m.Kind != gateway.KindUnknownOutcome || !m.Finished.IsZero() {
		t.Errorf("%+v", m)
	}
	if k := counters(t, s, "camp"); k.Processed() != 1 || k.Other() != 0 {
		t.Errorf("counters %+v", k)
	}
}

func TestPolicyResendSaysThatItMayArriveTwice(t *testing.T) {
	s, c := open(t)
	m := text("camp", "+59899123456")
	m.Policy = gateway.UnknownResend
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome, Text: "no answer"})
	if got := claim(t, s, "camp", 50); len(got.Messages) != 0 || !got.Wake.Equal(c.now().Add(10*time.Minute)) {
		t.Errorf("at once: %+v", got)
	}
	c.add(10 * time.Minute)
	if got := claim(t, s, "camp", 50).Messages; len(got) != 1 || got[0].Parts[0].Status != gateway.StatusUnknown {
		t.Errorf("after the wait for a report: %+v", got)
	}
	m = get(t, s, idm)
	if last := m.History[len(m.History)-1]; last.Text != "no answer; sent again by policy: may arrive twice" || last.Kind != gateway.KindUnknownOutcome {
		t.Errorf("timeline %+v", last)
	}
	ev, err := s.Events(0, 0)
	if err != nil || len(ev) != 1 || !strings.Contains(string(ev[0].Body), `"queued"`) || !strings.Contains(string(ev[0].Body), "unknown_outcome") {
		t.Errorf("events %v, %v", ev, err)
	}
}

func TestLateWordsChangeNothing(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	send(t, s, intent(idm, 1), Outcome{MR: 3, HasMR: true})
	want := get(t, s, idm)
	step(t, s, Step{
		Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: gateway.KindRefused}, {IDM: 77, Segment: 1}},
		Drops:    []Drop{{IDM: idm, Status: gateway.StatusExpired}, {IDM: 77, Status: gateway.StatusBlocked}},
	})
	if got := get(t, s, idm); got.Status != want.Status || len(got.History) != len(want.History) {
		t.Errorf("%+v", got)
	}
	if r := step(t, s, Step{Intents: []Intent{intent(77, 1), intent(idm, 1)}}); !slices.Equal(r.Gone, []uint64{77, idm}) {
		t.Errorf("gone %v", r.Gone)
	}
	done := make(chan Stepped, 1)
	s.Step(Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusSent}}}, func(r Stepped) { done <- r })
	if r := <-done; gateway.KindOf(r.Err) != gateway.KindInvalid {
		t.Errorf("a drop cannot send: %v", r.Err)
	}
}

func TestARowIsPutOffWithOneLine(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	for range 5 {
		step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusQueued, NotBefore: c.now().Add(time.Minute), Text: "quota of the SIM"}}})
		if got := claim(t, s, "camp", 50); len(got.Messages) != 0 || got.Wake.IsZero() {
			t.Fatalf("put off: %+v", got)
		}
		c.add(time.Minute)
		if got := claim(t, s, "camp", 50); len(got.Messages) != 1 {
			t.Fatal("its time has come")
		}
	}
	if m := get(t, s, idm); len(m.History) != 2 {
		t.Errorf("%d lines", len(m.History))
	}
}

func TestScheduledRowsEnterTheQueueInItsOrder(t *testing.T) {
	s, c := open(t)
	at := c.now().Add(time.Hour)
	var want []uint64
	for i := range 2100 { // more than one claim puts into the queue
		m := text("camp", "+59899123456")
		m.NotBefore, m.Priority = at, 9999
		if i >= 2050 {
			m.Priority = 1
		}
		if idm := add(t, s, m); i >= 2050 {
			want = append(want, idm)
		}
	}
	if got := claim(t, s, "camp", 50); len(got.Messages) != 0 || !got.Wake.Equal(at) {
		t.Fatalf("before the hour: %+v", got)
	}
	c.add(time.Hour)
	var got []uint64
	for _, m := range claim(t, s, "camp", 50).Messages {
		got = append(got, m.IDM)
	}
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want the rows of priority 1", got)
	}
	claim(t, s, "camp", 1)
	if got := claim(t, s, "camp", 1); !got.Wake.IsZero() {
		t.Errorf("some still wait for %s", got.Wake)
	}
}

func TestClaimPassesOverAtMostMaxSkipRows(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "camp", MaxSkip+10)
	seen := 0
	got, err := s.Claim(Claim{Campaign: "camp", Limit: 5, Skip: func(m *gateway.Message) bool {
		seen++
		return m.IDM <= MaxSkip-1
	}})
	if err != nil || len(got.Messages) != 5 || got.Messages[0].IDM != MaxSkip {
		t.Fatalf("%d rows: %v", len(got.Messages), err)
	}
	seen = 0
	got, err = s.Claim(Claim{Campaign: "camp", Limit: 5, Skip: func(*gateway.Message) bool { seen++; return true }})
	if err != nil || len(got.Messages) != 0 || !got.More || seen != MaxSkip {
		t.Errorf("saw %d rows, more: %t: %v", seen, got.More, err)
	}
}

func TestUserIDsAreNeverGivenOutTwice(t *testing.T) {
	s, _ := open(t)
	seen := map[uint32]bool{0: true}
	for range 3 {
		for range userBlock + 10 {
			id := s.NextUserID()
			if seen[id] {
				t.Fatalf("user id %d twice", id)
			}
			seen[id] = true
		}
		s = crash(t, s)
	}
}

// A gateway remembers the ids of an earlier installation of this box: what became of them
// then is not what becomes of a message now.
func TestAnotherStoreGivesOutOtherUserIDs(t *testing.T) {
	first := map[uint32]bool{}
	for range 4 { // the chance that all four begin within one block is below 1 in 10^16
		s, _ := open(t)
		first[s.NextUserID()/userBlock] = true
	}
	if len(first) == 1 {
		t.Errorf("four stores began in the same block of user ids: %v", first)
	}
}

// A Dinstar gateway takes ids as signed numbers of 32 bits.
func TestUserIDsStayBelow31Bits(t *testing.T) {
	for _, stored := range []uint32{1<<31 - userBlock - 3, 1<<31 - 1, 1<<32 - 1} {
		s, _ := open(t)
		if err := s.update(t.Context(), func(t *tx) error {
			return t.bucket(bucketMeta).Put(metaUser, binary.BigEndian.AppendUint32(nil, stored))
		}); err != nil {
			t.Fatal(err)
		}
		began := false
		for range 2 * userBlock {
			id := s.NextUserID()
			if id == 0 || id >= 1<<31 {
				t.Fatalf("from %d on it gives %d", stored, id)
			}
			began = began || id == 1
		}
		if !began {
			t.Errorf("from %d on it does not begin again at 1", stored)
		}
	}
}
