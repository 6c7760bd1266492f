package dialer

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is one send that reached the bank.
type call struct {
	id  string
	at  time.Time
	sub modem.Submission
}

// fakeBank is a bank whose channels answer as a test says.
type fakeBank struct {
	mu       sync.Mutex
	channels []gateway.Channel
	watch    chan struct{}
	limits   modem.Limits
	calls    []call
	busy     map[string]bool
	overlaps int
	rests    []rest
	// answer gives what a channel says; nil accepts at once.
	answer func(ctx context.Context, c call) (modem.Receipt, error)
}

// newBank makes a bank with ready channels of one provider.
func newBank(provider string, ports int) *fakeBank {
	b := &fakeBank{watch: make(chan struct{}), busy: map[string]bool{}}
	for p := range ports {
		b.channels = append(b.channels, gateway.Channel{
			ID: gateway.ChannelID(provider, p), Provider: provider, Port: p, State: gateway.ChannelReady,
			ICCID: fmt.Sprintf("8959%03d", p), IMEI: fmt.Sprintf("86%03d", p),
		})
	}
	return b
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

func (b *fakeBank) Limits(string) (modem.Limits, bool) { return b.limits, true }

func (b *fakeBank) Send(ctx context.Context, id string, s modem.Submission) (modem.Receipt, error) {
	c := call{id, time.Now(), s}
	b.mu.Lock()
	b.calls = append(b.calls, c)
	if b.busy[id] {
		b.overlaps++
	}
	b.busy[id] = true
	answer := b.answer
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.busy[id] = false
		b.mu.Unlock()
	}()
	if answer == nil {
		return modem.Receipt{}, nil
	}
	return answer(ctx, c)
}

func (b *fakeBank) Rest(id string, d time.Duration, reason string) {
	b.mu.Lock()
	b.rests = append(b.rests, rest{id, d, reason})
	b.mu.Unlock()
	b.set(id, func(c *gateway.Channel) {
		c.State, c.Reason, c.Until = gateway.ChannelResting, reason, time.Now().Add(d)
	})
	time.AfterFunc(d, func() { b.set(id, func(c *gateway.Channel) { c.State, c.Reason = gateway.ChannelReady, "" }) })
}

// script sets what the channels answer from now on.
func (b *fakeBank) script(answer func(context.Context, call) (modem.Receipt, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// set changes a channel.
func (b *fakeBank) set(id string, f func(*gateway.Channel)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.channels {
		if b.channels[i].ID == id {
			f(&b.channels[i])
		}
	}
	close(b.watch)
	b.watch = make(chan struct{})
}

func (b *fakeBank) down(id, reason string) {
	b.set(id, func(c *gateway.Channel) { c.State, c.Reason = gateway.ChannelAbsent, reason })
}

func (b *fakeBank) up(id string) {
	b.set(id, func(c *gateway.Channel) { c.State, c.Reason = gateway.ChannelReady, "" })
}

// sent gives what was sent so far, in the order of their intents: sends that begin
// at one instant reach the bank in any order.
func (b *fakeBank) sent() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(slices.Values(b.calls), func(x, y call) int { return cmp.Compare(x.sub.UserID, y.sub.UserID) })
}

func texts(calls []call) []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.sub.Text)
	}
	return all
}

func ports(calls []call) []int {
	var all []int
	for _, c := range calls {
		_, p, _ := gateway.SplitChannelID(c.id)
		all = append(all, p)
	}
	return all
}

// fakeDefs are definitions that a test changes.
type fakeDefs struct {
	mu    sync.Mutex
	lanes []Lane
	watch chan struct{}
}

func (f *fakeDefs) Lanes() []Lane {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lanes)
}

func (f *fakeDefs) Watch() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watch
}

func (f *fakeDefs) change(name string, g func(*Lane)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.lanes {
		if f.lanes[i].Name == name {
			g(&f.lanes[i])
		}
	}
	close(f.watch)
	f.watch = make(chan struct{})
}

// world is a dialer on a real spool with a bank that a test scripts.
type world struct {
	t     testing.TB
	path  string
	store *spool.Spool
	bank  *fakeBank
	defs  *fakeDefs
	o     Options
	d     *Dialer
	stop  func()

	uploads int
}

// setup makes a world; the dialer runs from start on.
func setup(t testing.TB, bank *fakeBank, lanes ...Lane) *world {
	t.Helper()
	w := &world{
		t: t, path: filepath.Join(t.TempDir(), "spool.db"), bank: bank,
		defs: &fakeDefs{lanes: lanes, watch: make(chan struct{})}, stop: func() {},
	}
	w.openStore()
	t.Cleanup(func() {
		w.stop()
		w.closeStore()
		if bank.overlaps > 0 {
			t.Errorf("%d sends met another on their channel", bank.overlaps)
		}
	})
	return w
}

func (w *world) openStore() {
	w.t.Helper()
	s, err := spool.Open(spool.Options{Path: w.path, OnQueued: func(c string, p uint16, idm uint64) {
		if w.d != nil {
			w.d.Queued(c, p, idm)
		}
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = s
}

func (w *world) closeStore() {
	if err := w.store.Check(context.Background()); err != nil {
		w.t.Errorf("check: %v", err)
	}
	if err := w.store.Close(); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

// start runs a dialer on the world; stop ends it.
func (w *world) start() *Dialer {
	w.t.Helper()
	o := w.o
	o.Channels, o.Definitions = w.bank, w.defs
	if o.Queue == nil {
		o.Queue = w.store
	}
	o.Meter, o.Blacklist = cmp.Or[Meter](o.Meter, w.store), cmp.Or[Blacklist](o.Blacklist, w.store)
	w.d = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.d.Run(ctx) }()
	var once sync.Once
	w.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				w.t.Errorf("Run: %v", err)
			}
		})
	}
	return w.d
}

// restart stops the dialer and the store and starts both anew.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.closeStore()
	w.openStore()
	w.start()
}

// add queues a message and gives its id.
func (w *world) add(m gateway.Message) uint64 {
	w.t.Helper()
	m.Segments = max(m.Segments, 1)
	if m.Status == gateway.StatusNone {
		m.Status = gateway.StatusQueued
	}
	a, err := w.store.Add(context.Background(), m, spool.Idempotency{})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.IDM
}

// row is a bulk message to the nth number.
func row(campaign string, n int) gateway.Message {
	return gateway.Message{Campaign: campaign, To: number(n), Text: fmt.Sprint("m", n), Priority: gateway.PriorityBulk}
}

func number(n int) gateway.Address { return gateway.Address(fmt.Sprintf("+5989%07d", n)) }

// addAll queues messages in one commit and gives their ids.
func (w *world) addAll(ms ...gateway.Message) []uint64 {
	w.t.Helper()
	for i := range ms {
		ms[i].Segments = max(ms[i].Segments, 1)
		if ms[i].Status == gateway.StatusNone {
			ms[i].Status = gateway.StatusQueued
		}
	}
	w.uploads++
	if _, err := w.store.AddBatch(context.Background(), spool.Upload{ID: fmt.Sprint("u", w.uploads)}, ms); err != nil {
		w.t.Fatal(err)
	}
	var ids []uint64
	for i := range ms {
		ids = append(ids, ms[i].IDM)
	}
	return ids
}

// addRows queues rows from a to b, without b.
func (w *world) addRows(campaign string, a, b int) []uint64 {
	w.t.Helper()
	var ms []gateway.Message
	for n := a; n < b; n++ {
		ms = append(ms, row(campaign, n))
	}
	return w.addAll(ms...)
}

func (w *world) message(idm uint64) gateway.Message {
	w.t.Helper()
	m, err := w.store.Message(idm)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// expect checks a message's status.
func (w *world) expect(idm uint64, want gateway.Status) gateway.Message {
	w.t.Helper()
	m := w.message(idm)
	if m.Status != want {
		w.t.Errorf("message %d is %s (%s), want %s", idm, m.Status, m.Reason, want)
	}
	return m
}

// pass lets the bubble's time pass and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// takes makes an answer that accepts after a time.
func takes(d time.Duration) func(context.Context, call) (modem.Receipt, error) {
	return func(ctx context.Context, c call) (modem.Receipt, error) {
		select {
		case <-time.After(d):
			return modem.Receipt{MR: uint8(c.sub.IDM), HasMR: true}, nil
		case <-ctx.Done():
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "told to stop waiting")
		}
	}
}

// says makes an answer that fails with a kind.
func says(k gateway.Kind, retry time.Duration) func(context.Context, call) (modem.Receipt, error) {
	return func(context.Context, call) (modem.Receipt, error) {
		return modem.Receipt{}, &gateway.Error{Kind: k, Text: "the modem says so", Code: "CMS 1", Retry: retry}
	}
}

// bubble runs a test in a bubble of time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// lane is a running lane of provider "bank".
func aLane(name string) Lane {
	return Lane{Name: name, Provider: "bank", Running: true}
}
