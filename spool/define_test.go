package spool

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"fieldpost/gateway"
)

func change(lane, word string) Change {
	return Change{Event: gateway.EventCampaign, Lane: lane, Body: gateway.CampaignEvent{Kind: "campaign", Name: lane, Change: word}}
}

// define makes a campaign of that name.
func define(t testing.TB, s *Spool, name string) {
	t.Helper()
	_, err := s.PutDocTold(bg, Doc{Kind: "campaign", Name: name, Body: []byte("{}")}, change(name, "created"))
	must(t, err)
}

func TestADefinitionAndItsEventAreOneCommit(t *testing.T) {
	s, _ := open(t)
	before := s.Stats().Commits
	define(t, s, "a")
	if n := s.Stats().Commits - before; n != 1 {
		t.Errorf("a put took %d commits", n)
	}
	_, err := s.PutDocTold(bg, Doc{Kind: "campaign", Name: "a", Body: []byte("{}")}, change("a", "created"))
	if gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("put over nothing: %v", err)
	}
	must(t, s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")))
	if n := s.Stats().Commits - before; n > 3 {
		t.Errorf("a put and a delete took %d commits", n)
	}
	events, err := s.Events(0, 10)
	if err != nil || len(events) != 2 || !strings.Contains(string(events[1].Body), `"deleted"`) {
		t.Errorf("told %+v, %v", events, err)
	}
}

func TestNoRowComesIntoALaneWhoseDefinitionIsGone(t *testing.T) {
	s, c := open(t)
	define(t, s, "a")
	idm := add(t, s, text("a", "+59899123456"))
	if err := s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")); gateway.KindOf(err) != gateway.KindConflict {
		t.Fatalf("deleted while a row waits: %v", err)
	}
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	must(t, s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")))
	var e *gateway.Error
	if _, err := s.Add(bg, text("a", "+59899123456"), Idempotency{}); !errors.As(err, &e) || e.Kind != gateway.KindInvalid || e.Field != "campaign" {
		t.Errorf("added: %v", err)
	}
	up := Upload{ID: "u", Kind: "base", State: "loading", Created: c.now(), Offset: 9}
	if _, err := s.AddBatch(bg, up, []gateway.Message{text("b", "+59899123456"), text("a", "+59899123456")}); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("added in a batch: %v", err)
	}
	if n := counters(t, s, "b"); n.Uploaded != 0 {
		t.Errorf("%d rows of the batch are stored", n.Uploaded)
	}
	if err := s.Resolve(bg, idm, gateway.StatusQueued, "ana"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("queued again: %v", err)
	}
	define(t, s, "a")
	must(t, s.Resolve(bg, idm, gateway.StatusQueued, "ana"))
	add(t, s, text("a", "+59899123457"))
}

// What was never tried follows when a doubt ends, but not into a lane that is gone.
func TestTheRestOfAMessageOfADeletedCampaignFails(t *testing.T) {
	s, _ := open(t)
	define(t, s, "a")
	m := text("a", "+59899123456")
	m.Segments = 2
	idm := add(t, s, m)
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	must(t, s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")))
	must(t, s.Resolve(bg, idm, gateway.StatusSent, "ana"))
	wantStatus(t, s, idm, gateway.StatusFailed)
	if got := get(t, s, idm); !strings.Contains(got.Reason, "its campaign was deleted") {
		t.Errorf("the reason is %q", got.Reason)
	}
}

func TestADeleteThatMeetsAnAddLeavesNoRowWithoutADefinition(t *testing.T) {
	s, _ := open(t)
	for range 20 {
		define(t, s, "a")
		var added, deleted error
		var wg sync.WaitGroup
		wg.Go(func() { _, added = s.Add(bg, text("a", "+59899123456"), Idempotency{}) })
		wg.Go(func() { deleted = s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")) })
		wg.Wait()
		if (added == nil) == (deleted == nil) {
			t.Fatalf("added: %v, deleted: %v", added, deleted)
		}
		if deleted != nil {
			_, err := s.DeleteUnprocessed(bg, "a")
			must(t, err)
			must(t, s.DeleteDocTold(bg, "campaign", "a", change("a", "deleted")))
		}
	}
}

func TestCheckFindsARowThatNothingSends(t *testing.T) {
	s, _ := open(t)
	add(t, s, text("a", "+59899123456"))
	closed := func(t *tx) error { return t.bucket(bucketLane).Put(closedKey("a"), present) }
	must(t, s.update(bg, closed))
	if err := s.Check(bg); err == nil || !strings.Contains(err.Error(), `"a" was deleted`) {
		t.Errorf("check says %v", err)
	}
	must(t, s.update(bg, func(t *tx) error { return t.bucket(bucketLane).Delete(closedKey("a")) }))
}
