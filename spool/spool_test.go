package spool

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// open opens a spool in a directory of the test, and proves its invariants when
// the test ends.
func open(t testing.TB) (*Spool, *clock) {
	t.Helper()
	c := newClock()
	return openWith(t, Options{Path: filepath.Join(t.TempDir(), "spool.db"), Now: c.now, Version: "test"}), c
}

func openWith(t testing.TB, o Options) *Spool {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

// shut checks and closes a spool; again is nothing.
func shut(t testing.TB, s *Spool) {
	t.Helper()
	select {
	case <-s.w.end:
		return
	default:
	}
	if err := s.Check(context.Background()); err != nil {
		t.Errorf("check: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// reopen closes a spool and opens it again.
func reopen(t testing.TB, s *Spool) *Spool {
	t.Helper()
	shut(t, s)
	return openWith(t, s.o)
}

// text makes a queued message.
func text(campaign, to string) gateway.Message {
	return gateway.Message{
		Campaign: campaign, To: gateway.Address(to), Typed: to, Text: "Hi World",
		Priority: gateway.PriorityBulk, Status: gateway.StatusQueued, Segments: 1,
	}
}

func add(t testing.TB, s *Spool, m gateway.Message) uint64 {
	t.Helper()
	a, err := s.Add(context.Background(), m, Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return a.IDM
}

func get(t testing.TB, s *Spool, idm uint64) gateway.Message {
	t.Helper()
	m, err := s.Message(idm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func claim(t testing.TB, s *Spool, campaign string, limit int) Claimed {
	t.Helper()
	c, err := s.Claim(Claim{Campaign: campaign, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func counters(t testing.TB, s *Spool, campaign string) gateway.Counters {
	t.Helper()
	c, err := s.Counters(campaign)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// step commits a step and waits for it.
func step(t testing.TB, s *Spool, st Step) Stepped {
	t.Helper()
	done := make(chan Stepped, 1)
	s.Step(st, func(r Stepped) { done <- r })
	r := <-done
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return r
}

// intent is an intent of a channel for the whole of a message.
func intent(idm uint64, segment int) Intent {
	return Intent{
		IDM: idm, Segment: segment, UserID: uint32(idm), Provider: "bank", Channel: "bank/3", IMEI: "490154203237518",
		SIM: "8959801", Dialer: "d", Port: 3, Charge: 1,
	}
}

// send opens an intent and closes it.
func send(t testing.TB, s *Spool, in Intent, o Outcome) {
	t.Helper()
	if r := step(t, s, Step{Intents: []Intent{in}}); len(r.Gone) > 0 {
		t.Fatalf("message %d is gone", in.IDM)
	}
	o.IDM, o.Segment = in.IDM, in.Segment
	step(t, s, Step{Outcomes: []Outcome{o}})
}

func TestOneMessageFromIntakeToSent(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	got := claim(t, s, "camp", 50)
	if len(got.Messages) != 1 || got.Messages[0].IDM != idm || got.Messages[0].Status != gateway.StatusClaimed || got.More {
		t.Fatalf("claimed %+v", got)
	}
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	if m := get(t, s, idm); m.Status != gateway.StatusSubmitting {
		t.Errorf("with an intent it is %s", m.Status)
	}
	if c := claim(t, s, "camp", 50); len(c.Messages) != 0 {
		t.Error("a row at a device was claimed")
	}
	step(t, s, Step{Outcomes: []Outcome{{IDM: idm, Segment: 1, MR: 7, HasMR: true}}})
	m := get(t, s, idm)
	if m.Status != gateway.StatusSent || m.Attempts != 1 || len(m.Parts) != 1 || m.Parts[0].MR != 7 || m.Channel != "bank/3" {
		t.Errorf("sent message is %+v", m)
	}
	if c := counters(t, s, "camp"); c.Processed() != 1 || c.NotProcessed() != 0 {
		t.Errorf("counters %+v", c)
	}
	ev, err := s.Events(0, 10)
	if err != nil || len(ev) != 1 || ev[0].Kind != gateway.EventMessage {
		t.Errorf("events %v, %v", ev, err)
	}
	reopen(t, s)
}
