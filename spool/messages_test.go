package spool

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestP56P68LowerPriorityFirstThenEntryOrder(t *testing.T) {
	s, _ := open(t)
	var want []uint64
	for _, p := range []uint16{9999, 8888, 7777, 9999, 1, 8888, 65535, 0} {
		m := text("AutomatedSMSDialer", "+59891111111")
		m.Priority = p
		want = append(want, add(t, s, m))
	}
	want = []uint64{want[7], want[4], want[2], want[1], want[5], want[0], want[3], want[6]}
	var got []uint64
	for _, m := range claim(t, s, "AutomatedSMSDialer", 50).Messages {
		got = append(got, m.IDM)
	}
	if !slices.Equal(got, want) {
		t.Errorf("left in the order %v, want %v", got, want)
	}
}

func TestP54NoMoreThan50AreClaimed(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "camp", 60)
	if got := claim(t, s, "camp", 50); len(got.Messages) != 50 || !got.More {
		t.Errorf("%d rows, more: %t", len(got.Messages), got.More)
	}
	for _, limit := range []int{51, 0, -1} {
		if _, err := s.Claim(Claim{Campaign: "camp", Limit: limit}); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a claim of %d: %v", limit, err)
		}
	}
	if got := claim(t, s, "nobody", 50); len(got.Messages) != 0 || got.More || !got.Wake.IsZero() {
		t.Errorf("an unknown campaign gave %+v", got)
	}
}

func TestP55P60P61P62OnlyQueuedRowsAreClaimed(t *testing.T) {
	s, _ := open(t)
	codes := map[gateway.Status]gateway.Code{
		gateway.StatusHeld: 0, gateway.StatusQueued: 1, gateway.StatusBlocked: 3, gateway.StatusInvalid: 4,
	}
	var queued uint64
	for st, code := range codes {
		m := text("camp", "+59899123456")
		m.Status = st
		idm := add(t, s, m)
		if st == gateway.StatusQueued {
			queued = idm
		}
		if got := get(t, s, idm).Status.Code(); got != code {
			t.Errorf("a %s row has code %d, want %d", st, got, code)
		}
	}
	if got := claim(t, s, "camp", 50).Messages; len(got) != 1 || got[0].IDM != queued {
		t.Errorf("claimed %+v", got)
	}
	if c := counters(t, s, "camp"); c.Blocked() != 1 || c.Other() != 1 || c.NotProcessed() != 2 {
		t.Errorf("counters %+v", c)
	}
}

func TestP59ABlockedRowIsOnRecordAndCounted(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("test1", "+59898344484"))
	step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusBlocked, Text: "on the blacklist"}}})
	m := get(t, s, idm)
	if m.Status.Code() != gateway.CodeBlocked || m.Reason != "on the blacklist" || m.Finished.IsZero() {
		t.Errorf("blocked row is %+v", m)
	}
	if c := counters(t, s, "test1"); c.Blocked() != 1 || c.NotProcessed() != 0 {
		t.Errorf("counters %+v", c)
	}
	hits, _, err := s.Hits("", 10)
	if err != nil || len(hits) != 1 || hits[0].IDM != idm {
		t.Errorf("history %+v, %v", hits, err)
	}
	if r := step(t, s, Step{Intents: []Intent{intent(idm, 1)}}); !slices.Equal(r.Gone, []uint64{idm}) {
		t.Errorf("a blocked row was given to a device: %+v", r)
	}
}

func TestP139NotProcessedFallsToNought(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "camp", 3)
	for left := uint64(3); ; left-- {
		c := counters(t, s, "camp")
		if c.NotProcessed() != left || c.Processed() != 3-left {
			t.Fatalf("%d not processed, %d processed, want %d", c.NotProcessed(), c.Processed(), left)
		}
		if left == 0 {
			return
		}
		send(t, s, intent(claim(t, s, "camp", 1).Messages[0].IDM, 1), Outcome{})
	}
}

func TestP143DeleteTakesOnlyWhatWasNotProcessed(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "camp", 2500) // more than a chunk
	send(t, s, intent(1, 1), Outcome{})
	send(t, s, intent(2, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	send(t, s, intent(3, 1), Outcome{Kind: gateway.KindRefused, Code: "CMS 28"})
	send(t, s, intent(4, 1), Outcome{Kind: gateway.KindUnavailable, Retry: s.o.Now().Add(time.Hour)})
	step(t, s, Step{Drops: []Drop{{IDM: 5, Status: gateway.StatusBlocked}}, Intents: []Intent{intent(6, 1)}})
	before := counters(t, s, "camp")
	n, err := s.DeleteUnprocessed(context.Background(), "camp")
	if err != nil || n != 2497 {
		t.Fatalf("deleted %d: %v", n, err)
	}
	c := counters(t, s, "camp")
	if c.Processed() != before.Processed() || c.Processed() != 2 || c.Deleted != 2497 || !c.Balanced() {
		t.Errorf("counters %+v", c)
	}
	if m := get(t, s, 6); m.Status != gateway.StatusSubmitting {
		t.Errorf("the row at a device is %s", m.Status)
	}
	step(t, s, Step{Outcomes: []Outcome{{IDM: 6, Segment: 1}}})
	if _, err := s.Message(3); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("a deleted row: %v", err)
	}
	if got := claim(t, s, "camp", 50).Messages; len(got) != 0 {
		t.Errorf("%d deleted rows were claimed", len(got))
	}
}

func TestReleaseQueuesHeldRowsInTheirOrder(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	m := text("camp", "+59899123456")
	m.Status = gateway.StatusHeld
	up := Upload{ID: "u", Campaign: "camp", Offset: 100, State: "loading", Kind: "base"}
	if _, err := s.AddBatch(ctx, up, slices.Repeat([]gateway.Message{m}, 2300)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Release(ctx, "camp"); n != 2300 || err != nil {
		t.Fatal(n, err)
	}
	got := claim(t, s, "camp", 50).Messages
	if len(got) != 50 || got[0].IDM != 1 || got[49].IDM != 50 {
		t.Errorf("claimed %d rows", len(got))
	}
}

func TestABatchThatWasTakenAlreadyAddsNothing(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	rows := func() []gateway.Message {
		return []gateway.Message{text("camp", "+59899000001"), text("camp", "+59899000002")}
	}
	first, err := s.AddBatch(ctx, Upload{ID: "u", Campaign: "camp", Offset: 80, Accepted: 2, State: "loading", Kind: "base"}, rows())
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.AddBatch(ctx, Upload{ID: "u", Campaign: "camp", Offset: 80, Accepted: 2, State: "loading", Kind: "base"}, rows())
	if err != nil || again.Offset != first.Offset {
		t.Fatal(again, err)
	}
	if c := counters(t, s, "camp"); c.Uploaded != 2 {
		t.Errorf("%d rows", c.Uploaded)
	}
	ms := rows()
	ms[1].Status = gateway.StatusSent
	if _, err := s.AddBatch(ctx, Upload{ID: "u", Offset: 160}, ms); gateway.KindOf(err) != gateway.KindInvalid || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("got %v", err)
	}
}

func TestAnIdempotencyKeyAddsOneRow(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	key := Idempotency{Scope: "a", Key: "k", Body: [32]byte{1}}
	first, err := s.Add(ctx, text("camp", "+59899123456"), key)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Add(ctx, text("camp", "+59899123456"), key)
	if err != nil || again.IDM != first.IDM || !again.Repeated {
		t.Errorf("again: %+v, %v", again, err)
	}
	key.Body = [32]byte{2}
	if _, err := s.Add(ctx, text("camp", "+59899123456"), key); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("another body: %v", err)
	}
	if c := counters(t, s, "camp"); c.Uploaded != 1 {
		t.Errorf("%d rows", c.Uploaded)
	}
}

func TestCancelTakesBackOnlyWhatNoDeviceHas(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	idm := add(t, s, text("camp", "+59899123456"))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	if err := s.Cancel(ctx, idm, "ana"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("at a device: %v", err)
	}
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1}}})
	if err := s.Cancel(ctx, idm, "ana"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("sent: %v", err)
	}
	if err := s.Cancel(ctx, 99, "ana"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("none: %v", err)
	}
	idm = add(t, s, text("camp", "+59899123456"))
	if err := s.Cancel(ctx, idm, "ana"); err != nil {
		t.Fatal(err)
	}
	if m := get(t, s, idm); m.Status != gateway.StatusCanceled || !strings.Contains(m.Reason, "ana") {
		t.Errorf("%+v", m)
	}
	if r := step(t, s, Step{Intents: []Intent{intent(idm, 1)}}); len(r.Gone) != 1 {
		t.Error("a row that was taken back after its claim was given to a device")
	}
}

func TestResolveEndsADoubt(t *testing.T) {
	ctx := context.Background()
	for as, words := range map[gateway.Status]string{
		gateway.StatusSent: "said to be sent by ana", gateway.StatusFailed: "said not to be sent by ana", gateway.StatusQueued: "may arrive twice",
	} {
		s, _ := open(t)
		idm := add(t, s, text("camp", "+59899123456"))
		if err := s.Resolve(ctx, idm, as, "ana"); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("no doubt: %v", err)
		}
		send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome, Text: "no answer"})
		if err := s.Resolve(ctx, idm, gateway.StatusHeld, "ana"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("as held: %v", err)
		}
		before, _ := s.Tail()
		if err := s.Resolve(ctx, idm, as, "ana"); err != nil {
			t.Fatal(err)
		}
		m := get(t, s, idm)
		if m.Status != as || !strings.Contains(m.History[len(m.History)-1].Text, words) {
			t.Errorf("resolved as %s: %+v", as, m)
		}
		if after, _ := s.Tail(); after != before+1 {
			t.Errorf("%d events for a doubt that ended as %s", after-before, as)
		}
	}
}

func TestOnQueuedTellsOfEveryQueueThatGrew(t *testing.T) {
	type told struct {
		campaign string
		priority uint16
		idm      uint64
	}
	var all []told
	c := newClock()
	s := openWith(t, Options{Path: t.TempDir() + "/spool.db", Now: c.now, OnQueued: func(campaign string, p uint16, idm uint64) {
		all = append(all, told{campaign, p, idm})
	}})
	m := text("camp", "+59899123456")
	add(t, s, m)
	m.Status = gateway.StatusHeld
	add(t, s, m)
	m.Status, m.NotBefore = gateway.StatusQueued, c.now().Add(time.Hour)
	add(t, s, m)
	if _, err := s.Release(context.Background(), "camp"); err != nil {
		t.Fatal(err)
	}
	a, b := text("base", "+59899123456"), text("base", "+59899123456")
	b.Priority = 7
	if _, err := s.AddBatch(context.Background(), Upload{ID: "u", Offset: 1, Kind: "base"}, []gateway.Message{a, b}); err != nil {
		t.Fatal(err)
	}
	want := []told{{"camp", 9999, 1}, {"camp", 9999, 3}, {"camp", 9999, 2}, {"base", 7, 0}}
	if !slices.Equal(all, want) {
		t.Errorf("told %v, want %v", all, want)
	}
}

func TestTimelineKeepsItsEndsAndCountsWhatItLeavesOut(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	for i := range 60 {
		send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnavailable, Text: strings.Repeat("x", i), Retry: s.o.Now()})
	}
	m := get(t, s, idm)
	if len(m.History) != keepFirst+keepLast || m.Omitted != 61-keepFirst-keepLast {
		t.Fatalf("%d lines, %d left out", len(m.History), m.Omitted)
	}
	if m.History[1].Text != "" || m.History[keepFirst-1].Text != "xxxxxx" || len(m.History[len(m.History)-1].Text) != 59 {
		t.Error("the wrong lines were left out")
	}
}
