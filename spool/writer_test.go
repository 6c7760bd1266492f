package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"fieldpost/gateway"
)

// held keeps the writer busy in a commit until it is let go, so that what is
// submitted meanwhile shares the next commit.
func held(t *testing.T, s *Spool) (letGo func()) {
	t.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	var once sync.Once
	s.w.submit(&request{weight: 1, done: func(err error) { done <- err }, fn: func(*tx) error {
		once.Do(func() { close(began) })
		<-end
		return clean(nil)
	}})
	<-began
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestRequestsThatWaitTogetherShareACommit(t *testing.T) {
	s, _ := open(t)
	letGo := held(t, s)
	before := s.Stats()
	errs := make(chan error, 20)
	for i := range 20 {
		s.w.submit(&request{weight: 1, done: func(err error) { errs <- err }, fn: func(t *tx) error {
			m := text("camp", fmt.Sprintf("+5989912%04d", i))
			return t.insert(&m)
		}})
	}
	letGo()
	for range 20 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	after := s.Stats()
	if n := after.Commits - before.Commits; n != 1 {
		t.Errorf("20 requests took %d commits", n)
	}
	if n := after.Requests - before.Requests; n != 20 {
		t.Errorf("counted %d requests", n)
	}
}

func TestAFailingMemberHarmsNoNeighbour(t *testing.T) {
	s, _ := open(t)
	letGo := held(t, s)
	wrong := errors.New("wrong")
	var hooks []string
	submit := func(name string, fail error) chan error {
		done := make(chan error, 1)
		s.w.submit(&request{weight: 1, done: func(err error) { done <- err }, fn: func(t *tx) error {
			m := text(name, "+59899123456")
			if err := t.insert(&m); err != nil {
				return err
			}
			t.after(func() { hooks = append(hooks, name) })
			return fail
		}})
		return done
	}
	first, bad, last := submit("first", nil), submit("bad", wrong), submit("last", nil)
	letGo()
	if err := <-first; err != nil {
		t.Errorf("first: %v", err)
	}
	if err := <-bad; !errors.Is(err, wrong) {
		t.Errorf("bad: %v", err)
	}
	if err := <-last; err != nil {
		t.Errorf("last: %v", err)
	}
	if len(hooks) != 2 || hooks[0] != "first" || hooks[1] != "last" {
		t.Errorf("hooks ran for %v", hooks)
	}
	for name, want := range map[string]uint64{"first": 1, "bad": 0, "last": 1} {
		if c := counters(t, s, name); c.Uploaded != want {
			t.Errorf("%s: %d rows, want %d", name, c.Uploaded, want)
		}
	}
	if idm := add(t, s, text("next", "+59899123456")); idm != 3 {
		t.Errorf("the failed member took an entry position: the next is %d", idm)
	}
}

func TestACleanRefusalDoesNotRunItsNeighboursAgain(t *testing.T) {
	s, _ := open(t)
	letGo := held(t, s)
	wrong := errors.New("wrong")
	ran := 0
	good, bad := make(chan error, 1), make(chan error, 1)
	s.w.submit(&request{weight: 1, done: func(err error) { good <- err }, fn: func(t *tx) error {
		ran++
		m := text("good", "+59899123456")
		return t.insert(&m)
	}})
	s.w.submit(&request{weight: 1, done: func(err error) { bad <- err }, fn: func(t *tx) error {
		t.after(func() { ran += 100 })
		return clean(wrong)
	}})
	letGo()
	if err := <-bad; err != wrong {
		t.Errorf("bad: %v", err)
	}
	if err := <-good; err != nil || ran != 1 {
		t.Errorf("good ran %d times: %v", ran, err)
	}
}

func TestACallerWhoLeftStoresNothing(t *testing.T) {
	s, _ := open(t)
	letGo := held(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 1)
	submitted := make(chan struct{})
	go func() {
		close(submitted)
		_, err := s.Add(ctx, text("camp", "+59899123456"), Idempotency{})
		errs <- err
	}()
	<-submitted
	cancel()
	letGo()
	if err := <-errs; gateway.KindOf(err) != gateway.KindUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if c := counters(t, s, "camp"); c.Uploaded != 0 {
		t.Error("a row was stored for a caller who was told that it was not")
	}
}

func TestManyWritersGetDifferentEntryPositions(t *testing.T) {
	s, _ := open(t)
	const writers, each = 8, 25
	var mu sync.Mutex
	seen := map[uint64]bool{}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				a, err := s.Add(context.Background(), text("camp", "+59899123456"), Idempotency{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[a.IDM] {
					t.Errorf("P70: entry position %d twice", a.IDM)
				}
				seen[a.IDM] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if c := counters(t, s, "camp"); c.Uploaded != writers*each {
		t.Errorf("%d rows", c.Uploaded)
	}
}

func TestAClosedSpoolSaysSo(t *testing.T) {
	s, _ := open(t)
	shut(t, s)
	_, err := s.Add(context.Background(), text("camp", "+59899123456"), Idempotency{})
	if gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("add: %v", err)
	}
	done := make(chan Stepped, 1)
	s.Step(Step{}, func(r Stepped) { done <- r })
	if r := <-done; gateway.KindOf(r.Err) != gateway.KindUnavailable {
		t.Errorf("step: %v", r.Err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second close: %v", err)
	}
}

func TestAFullFileRefusesNewRowsAndStillEndsOldOnes(t *testing.T) {
	c := newClock()
	s := openWith(t, Options{Path: filepath.Join(t.TempDir(), "spool.db"), Now: c.now, MaxSize: 16 << 20})
	m := text("camp", "+59899123456")
	m.Data = string(make([]byte, 2<<10))
	var rows int
	for {
		_, err := s.AddBatch(context.Background(), Upload{ID: "u", Offset: int64(rows + 1)}, slices.Repeat([]gateway.Message{m}, 100))
		if err != nil {
			if gateway.KindOf(err) != gateway.KindUnavailable {
				t.Fatal(err)
			}
			break
		}
		rows += 100
	}
	if rows < 2000 {
		t.Fatalf("only %d rows of 2 KiB fit in 16 MiB", rows)
	}
	select {
	case <-s.Failed():
		t.Fatal("a full file is no fault of the storage")
	default:
	}
	for idm := range uint64(200) {
		send(t, s, intent(idm+1, 1), Outcome{MR: 1, HasMR: true})
	}
	if _, err := s.DeleteUnprocessed(context.Background(), "camp"); err != nil {
		t.Fatal(err)
	}
	add(t, s, m)
}

func TestAFileThatIsCutShortUnderUsTripsFailed(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "spool.db")
	s, err := Open(Options{Path: path, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, "bulk", 5000)
	// Reading under the map is now SIGBUS, which ends a process that does not ask
	// for a panic (bbolt#71).
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Message(4000); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v", err)
	}
	select {
	case <-s.Failed():
	default:
		t.Error("Failed is not tripped")
	}
	if _, err := s.Add(context.Background(), text("bulk", "+59899123456"), Idempotency{}); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("add: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
