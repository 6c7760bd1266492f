package sims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBank is hardware that a test sets.
type fakeBank struct {
	mu       sync.Mutex
	channels []gateway.Channel
	watch    chan struct{}
	asked    []string // "channel code", in order
	answer   func(id, code string) (string, error)
}

func (b *fakeBank) Channels() []gateway.Channel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.channels)
}

func (b *fakeBank) Watch() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.watch
}

func (b *fakeBank) USSD(ctx context.Context, id, code string) (string, error) {
	b.mu.Lock()
	b.asked = append(b.asked, id+" "+code)
	answer := b.answer
	b.mu.Unlock()
	if answer == nil {
		<-ctx.Done()
		return "", gateway.Errorf(gateway.KindUnavailable, "no answer")
	}
	return answer(id, code)
}

// answers says what the network answers from now on.
func (b *fakeBank) answers(f func(id, code string) (string, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = f
}

func (b *fakeBank) asks() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.asked)
}

// set makes these the channels.
func (b *fakeBank) set(cs ...gateway.Channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.channels = cs
	close(b.watch)
	b.watch = make(chan struct{})
}

// in is a ready channel of the provider "bank" with a card in it.
func in(port int, iccid string) gateway.Channel {
	c := gateway.Channel{
		ID: gateway.ChannelID("bank", port), Provider: "bank", Port: port, State: gateway.ChannelReady,
		ICCID: iccid, IMEI: fmt.Sprint("3569", port), Signal: 20,
	}
	if iccid != "" {
		c.IMSI = "74801" + iccid
	}
	return c
}

// fakeStore is a spool of documents and events, which outlives the SIMs.
type fakeStore struct {
	mu     sync.Mutex
	docs   map[string]spool.Doc
	events []any
	at     []time.Time // of each event
	writes int
	err    error // of every write
}

func (s *fakeStore) Docs(string) ([]spool.Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.docs)), nil
}

func (s *fakeStore) PutDoc(ctx context.Context, d spool.Doc) (spool.Doc, error) {
	return s.put(d)
}

func (s *fakeStore) PutDocTold(ctx context.Context, d spool.Doc, ch spool.Change) (spool.Doc, error) {
	return s.put(d, ch.Body)
}

func (s *fakeStore) put(d spool.Doc, told ...any) (spool.Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return d, s.err
	}
	if have := s.docs[d.Name].Revision; have != d.Revision {
		return d, gateway.Errorf(gateway.KindConflict, "%s has revision %d, not %d", d.Name, have, d.Revision)
	}
	if len(d.Body) > 64<<10 {
		return d, gateway.Invalid("body", "has %d bytes", len(d.Body))
	}
	d.Revision++
	s.docs[d.Name] = d
	s.writes++
	for _, e := range told {
		s.events, s.at = append(s.events, e), append(s.at, time.Now())
	}
	return d, nil
}

func (s *fakeStore) DeleteDoc(_ context.Context, _, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.docs, name)
	return s.err
}

func (s *fakeStore) Emit(_ context.Context, _ string, body any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.events, s.at = append(s.events, body), append(s.at, time.Now())
	}
	return s.err
}

func (s *fakeStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// said gives the events as words: "seen 8959" or "alarm: ...".
func (s *fakeStore) said() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		switch e := e.(type) {
		case gateway.SIMEvent:
			all = append(all, e.Change+" "+e.ID)
		case gateway.AlarmEvent:
			all = append(all, "alarm: "+e.Reason)
		}
	}
	return all
}

// wrote gives how many times a passport was written.
func (s *fakeStore) wrote() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// last gives the last event.
func (s *fakeStore) last() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[len(s.events)-1]
}

func (s *fakeStore) count(part string) (n int) {
	for _, e := range s.said() {
		if strings.Contains(e, part) {
			n++
		}
	}
	return n
}

// stored reads a passport from the disk.
func (s *fakeStore) stored(t *testing.T, id string) (c Card) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.Unmarshal(s.docs[id].Body, &c); err != nil {
		t.Fatalf("the passport of %q: %v", id, err)
	}
	return c
}

// fakeMeter tells what a test says that the cards sent.
type fakeMeter struct {
	mu      sync.Mutex
	records map[string]spool.SIMRecord
	usages  map[string]spool.Usage
}

func (m *fakeMeter) SIMRecord(sim string) (spool.SIMRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[sim], nil
}

func (m *fakeMeter) SIMUsage(sim string, _ time.Time) (spool.Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usages[sim], nil
}

func (m *fakeMeter) set(sim string, r spool.SIMRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[sim] = r
}

func (m *fakeMeter) used(sim string, u spool.Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.usages[sim] = u
}

// world is everything around the SIMs of a test, in a synctest bubble.
type world struct {
	*SIMs
	t     *testing.T
	bank  *fakeBank
	store *fakeStore
	meter *fakeMeter
	end   context.CancelFunc
	done  chan error
	o     Options
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, o Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		w.start()
		f(w)
		w.stop()
	})
}

func newWorld(t *testing.T, o Options) *world {
	w := &world{
		t: t, bank: &fakeBank{watch: make(chan struct{})}, store: &fakeStore{docs: map[string]spool.Doc{}},
		meter: &fakeMeter{records: map[string]spool.SIMRecord{}, usages: map[string]spool.Usage{}},
	}
	o.Bank, o.Store, o.Meter = w.bank, w.store, w.meter
	w.o = o
	return w
}

// start opens the SIMs on what is in the store, and runs them.
func (w *world) start() {
	w.t.Helper()
	var err error
	if w.SIMs, err = Open(w.o); err != nil {
		w.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	w.end, w.done = end, make(chan error, 1)
	go func() { w.done <- w.Run(ctx) }()
	synctest.Wait()
}

func (w *world) stop() {
	w.t.Helper()
	w.end()
	if err := <-w.done; err != nil {
		w.t.Errorf("Run ended with %v", err)
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// plug makes these the channels, and lets the SIMs see them.
func (w *world) plug(cs ...gateway.Channel) {
	w.bank.set(cs...)
	synctest.Wait()
}

func (w *world) card(id string) Card {
	w.t.Helper()
	c, err := w.Card(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

var errDisk = errors.New("the disk takes nothing")
