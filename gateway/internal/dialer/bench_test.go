package dialer

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// benchBank is a bank whose channels accept after a latency, and that measures.
type benchBank struct {
	*fakeBank
	latency time.Duration
	left    atomic.Int64
	done    chan struct{}

	mu   sync.Mutex
	last map[string]time.Time
	gaps []time.Duration // from a channel's OK to its next send
}

func (b *benchBank) Send(_ context.Context, id string, _ modem.Submission) (modem.Receipt, error) {
	now := time.Now()
	b.mu.Lock()
	if at, ok := b.last[id]; ok {
		b.gaps = append(b.gaps, now.Sub(at))
	}
	b.mu.Unlock()
	if b.latency > 0 {
		<-time.After(b.latency)
	}
	b.mu.Lock()
	b.last[id] = time.Now()
	b.mu.Unlock()
	if b.left.Add(-1) == 0 {
		close(b.done)
	}
	return modem.Receipt{}, nil
}

func (b *benchBank) percentile(p int) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.gaps) == 0 {
		return 0
	}
	slices.Sort(b.gaps)
	return b.gaps[len(b.gaps)*p/100]
}

// drainBase sends n rows over channels of one latency, on a real spool.
func drainBase(b *testing.B, channels, n int, latency time.Duration) {
	b.StopTimer()
	bank := &benchBank{fakeBank: newBank("bank", channels), latency: latency, done: make(chan struct{}), last: map[string]time.Time{}}
	bank.left.Store(int64(n))
	w := setup(b, bank.fakeBank, aLane("d"))
	var ms []gateway.Message
	for i := range n {
		m := row("d", i)
		m.Status, m.Segments = gateway.StatusQueued, 1
		if ms = append(ms, m); len(ms) == 1000 || i == n-1 {
			if _, err := w.store.AddBatch(context.Background(), spool.Upload{ID: fmt.Sprint(i)}, ms); err != nil {
				b.Fatal(err)
			}
			ms = ms[:0]
		}
	}
	runtime.GC()
	d := New(Options{Queue: w.store, Meter: w.store, Blacklist: w.store, Channels: bank, Definitions: w.defs})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	before := cpu()
	b.StartTimer()
	began := time.Now()
	go func() { ended <- d.Run(ctx) }()
	<-bank.done
	took := time.Since(began)
	used := cpu() - before
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/took.Seconds(), "messages/s")
	b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-us/message")
	b.ReportMetric(float64(bank.percentile(50).Microseconds()), "gap-p50-us")
	b.ReportMetric(float64(bank.percentile(99).Microseconds()), "gap-p99-us")
	if latency > 0 {
		ideal := latency * time.Duration((n+channels-1)/channels)
		b.ReportMetric(100*ideal.Seconds()/took.Seconds(), "%-of-ideal")
	}
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDrainInstant sends over channels that answer at once: the whole cost
// of a message in dialer and spool, two commits in the life of each.
func BenchmarkDrainInstant(b *testing.B) {
	for _, channels := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(channels), func(b *testing.B) {
			for b.Loop() {
				drainBase(b, channels, 200*max(channels, 5), 0)
			}
		})
	}
}

// BenchmarkDrainLatency is 32 channels at 100 ms a message, against the ideal.
func BenchmarkDrainLatency(b *testing.B) {
	for b.Loop() {
		drainBase(b, 32, 32*30, 100*time.Millisecond)
	}
}

// nullQueue commits at once and holds rows in memory: what is left is the
// dialer's own cost.
type nullQueue struct{ n uint64 }

func (q *nullQueue) Claim(c spool.Claim) (spool.Claimed, error) {
	got := spool.Claimed{More: true}
	for range c.Limit {
		q.n++
		m := row(c.Campaign, int(q.n%10_000_000))
		m.IDM, m.Segments = q.n, 1
		got.Messages = append(got.Messages, m)
	}
	return got, nil
}
func (*nullQueue) Ready(string, uint64) error                  { return nil }
func (*nullQueue) Step(_ spool.Step, done func(spool.Stepped)) { done(spool.Stepped{}) }
func (*nullQueue) Cursor(string) (int, bool, error)            { return 0, false, nil }
func (*nullQueue) NextUserID() uint32                          { return 1 }
func (*nullQueue) Listed(gateway.Address, string) (bool, bool, error) {
	return false, false, nil
}

// BenchmarkLoop is the dialer alone, over 32 channels: processor time a message.
func BenchmarkLoop(b *testing.B) { benchLoop(b, aLane("d"), nil) }

// BenchmarkLoopByChoice is the same for each choice of the channel, with limits to
// weigh and two operators to tell apart.
func BenchmarkLoopByChoice(b *testing.B) {
	for _, choice := range []string{gateway.ChoiceRing, gateway.ChoiceLeastUsed, gateway.ChoiceSameOperator} {
		b.Run(choice, func(b *testing.B) {
			_, cards := twoOperators(32)
			l := aLane("d")
			l.Choice, l.Limits = choice, gateway.Limits{PerDay: 1 << 30, PerMonth: 1 << 31}
			benchLoop(b, l, cards)
		})
	}
}

func benchLoop(b *testing.B, l Lane, sims SIMs) {
	bank := &benchBank{fakeBank: newBank("bank", 32), done: make(chan struct{}), last: map[string]time.Time{}}
	bank.left.Store(int64(b.N))
	q := &nullQueue{}
	d := New(Options{
		Queue: q, Meter: &fakeMeter{}, Blacklist: q, Channels: bank, SIMs: sims,
		Definitions: &fakeDefs{lanes: []Lane{l}, watch: make(chan struct{})},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	go func() { ended <- d.Run(ctx) }()
	<-bank.done
	b.StopTimer()
	used := cpu() - before
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/1000, "cpu-us/message")
}
