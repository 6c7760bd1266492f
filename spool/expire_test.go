package spool

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// until makes a row whose validity ends so long from now.
func until(c *clock, d time.Duration, change func(*gateway.Message)) gateway.Message {
	m := text("stopped", "+59899123456")
	m.ValidUntil = c.now().Add(d)
	if change != nil {
		change(&m)
	}
	return m
}

func expire(t testing.TB, s *Spool, want int) {
	t.Helper()
	if n, err := s.Expire(bg); err != nil || n != want {
		t.Fatalf("%d rows expired, want %d (%v)", n, want, err)
	}
}

func TestWhatWaitsExpiresThoughNobodyClaimsIt(t *testing.T) {
	s, c := open(t)
	queued := add(t, s, until(c, time.Hour, nil))
	later := add(t, s, until(c, time.Hour, func(m *gateway.Message) { m.NotBefore = c.now().Add(48 * time.Hour) }))
	held := add(t, s, until(c, time.Hour, func(m *gateway.Message) { m.Status = gateway.StatusHeld }))
	longer := add(t, s, until(c, 2*time.Hour, nil))
	endless := add(t, s, text("stopped", "+59899123457"))

	c.add(time.Hour - time.Second)
	expire(t, s, 0)
	c.add(time.Second)
	expire(t, s, 3)
	for _, idm := range []uint64{queued, later, held} {
		wantStatus(t, s, idm, gateway.StatusExpired)
	}
	if m := get(t, s, queued); !strings.Contains(m.Reason, "its validity ended at 2026-03-10 13:00:00 UTC") || m.Finished.IsZero() {
		t.Errorf("the reason is %q, finished %v", m.Reason, m.Finished)
	}
	s = reopen(t, s)
	c.add(time.Hour)
	expire(t, s, 1)
	wantStatus(t, s, longer, gateway.StatusExpired)
	c.add(100 * 365 * 24 * time.Hour)
	expire(t, s, 0)
	wantStatus(t, s, endless, gateway.StatusQueued)
}

func TestARowAtADeviceExpiresOnlyWhenItComesBack(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, until(c, time.Minute, nil))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	c.add(time.Hour)
	expire(t, s, 0)
	wantStatus(t, s, idm, gateway.StatusSubmitting)
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, Kind: gateway.KindUnavailable, Retry: c.now().Add(time.Hour)}}})
	expire(t, s, 1)
	wantStatus(t, s, idm, gateway.StatusExpired)
}

func TestExpiryNeverHidesADoubt(t *testing.T) {
	s, c := open(t)
	idm := add(t, s, until(c, time.Minute, func(m *gateway.Message) { m.Policy = gateway.UnknownResend }))
	send(t, s, intent(idm, 1), Outcome{Kind: gateway.KindUnknownOutcome})
	wantStatus(t, s, idm, gateway.StatusQueued)
	c.add(time.Hour)
	expire(t, s, 1)
	wantStatus(t, s, idm, gateway.StatusUnknown)
	// Its minute is long past when a person has it sent again: it expires anew.
	must(t, s.Resolve(bg, idm, gateway.StatusQueued, "ana"))
	expire(t, s, 1)
	wantStatus(t, s, idm, gateway.StatusUnknown)
}

func TestExpiryLooksAtNothingThatIsNotDue(t *testing.T) {
	s, c := open(t)
	for i := range 3 * endBlock {
		add(t, s, until(c, time.Hour+time.Duration(i)*time.Minute, nil))
	}
	before := s.Stats().Commits
	expire(t, s, 0)
	if n := s.Stats().Commits - before; n != 0 {
		t.Errorf("%d commits though nothing was due", n)
	}
}

// Many more rows than one commit looks through, in one minute and in many.
func TestExpiryOfManyRowsIsMadeOfSmallCommits(t *testing.T) {
	s, c := open(t)
	const rows = 5000
	up := Upload{ID: "u", Kind: "base", State: "done", Created: c.now()}
	var ms []gateway.Message
	for i := range rows {
		ms = append(ms, until(c, time.Hour+time.Duration(i%3)*time.Minute, func(m *gateway.Message) {
			m.To = gateway.Address(fmt.Sprintf("+598%08d", i))
		}))
	}
	_, err := s.AddBatch(bg, up, ms)
	must(t, err)
	c.add(2 * time.Hour)
	before := s.Stats().Commits
	expire(t, s, rows)
	if n := s.Stats().Commits - before; n < rows/(endsChunk*endBlock) {
		t.Errorf("%d commits for %d rows", n, rows)
	}
	err = s.view(func(b *bbolt.Tx) error {
		if k, _ := b.Bucket(bucketEnds).Cursor().First(); k != nil {
			return fmt.Errorf("entry %x is left", k)
		}
		return nil
	})
	must(t, err)
}

func TestCheckMissesAnEndThatIsNotListed(t *testing.T) {
	s, c := open(t)
	add(t, s, until(c, time.Hour, nil))
	var k []byte
	must(t, s.update(bg, func(t *tx) error {
		k, _ = t.bucket(bucketEnds).Cursor().First()
		k = append([]byte(nil), k...)
		return t.bucket(bucketEnds).Delete(k)
	}))
	if err := s.Check(context.Background()); err == nil || !strings.Contains(err.Error(), "list of ends") {
		t.Errorf("check says %v", err)
	}
	must(t, s.update(bg, func(t *tx) error { return t.bucket(bucketEnds).Put(k, present) }))
}
