package serial

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/sim"
)

// BenchmarkSend is one message through a modem that answers at once: the driver's
// and the simulator's work together.
func BenchmarkSend(b *testing.B) {
	r := newRig(b)
	r.run(b)
	r.host.ready(b)
	s := submission(b, "+59899123456", "Hola, su pedido 1234 esta en camino")[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.d.Send(bg, 3, s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendBank is a bank of modems that answer at once.
func BenchmarkSendBank(b *testing.B) {
	for _, modems := range []int{8, 32} {
		b.Run(strconv.Itoa(modems), func(b *testing.B) {
			var rigs []*rig
			for i := range modems {
				n := strconv.Itoa(100 + i)
				r := newRig(b, func(_ *Options, s *sim.Options) {
					s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000" + n, IMSI: "748070000000" + n})
				})
				r.run(b)
				rigs = append(rigs, r)
			}
			for _, r := range rigs {
				r.host.ready(b)
			}
			s := submission(b, "+59899123456", "Hola, su pedido 1234 esta en camino")[0]
			b.ResetTimer()
			begin := time.Now()
			var left atomic.Int64
			left.Store(int64(b.N))
			var w sync.WaitGroup
			for _, r := range rigs {
				w.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := r.d.Send(bg, 3, s); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			w.Wait()
			b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "msg/s")
		})
	}
}

// BenchmarkGap is a bank of modems that need 100 to 153 ms a message: how long one lies idle
// between its OK and its next AT+CMGS, and the processor time of a message.
func BenchmarkGap(b *testing.B) {
	const modems = 32
	var rigs []*rig
	for i := range modems {
		n := strconv.Itoa(100 + i)
		r := newRig(b, func(_ *Options, s *sim.Options) {
			s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000" + n, IMSI: "748070000000" + n})
			s.Latency = time.Duration(100_000+1_700*i) * time.Microsecond // not in step with each other
		})
		r.run(b)
		rigs = append(rigs, r)
	}
	for _, r := range rigs {
		r.host.ready(b)
	}
	s := submission(b, "+59899123456", "Hola, su pedido 1234 esta en camino")[0]
	b.ResetTimer()
	before := processor(b)
	var left atomic.Int64
	left.Store(int64(b.N))
	var w sync.WaitGroup
	for _, r := range rigs {
		w.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := r.d.Send(bg, 3, s); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	w.Wait()
	b.ReportMetric(float64((processor(b)-before).Microseconds())/float64(b.N), "cpu-us/msg")
	var gaps []time.Duration
	for _, r := range rigs {
		for _, e := range r.net.Entries()[min(1, r.net.Len()):] {
			gaps = append(gaps, e.Gap)
		}
	}
	slices.Sort(gaps)
	if len(gaps) > 0 {
		b.ReportMetric(float64(gaps[len(gaps)/2].Microseconds()), "gap-p50-us")
		b.ReportMetric(float64(gaps[len(gaps)*99/100].Microseconds()), "gap-p99-us")
	}
}

// processor gives the processor time of this process.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSendNoModem is the driver alone: the far end answers from memory, at the
// cost of two goroutine switches a line.
func BenchmarkSendNoModem(b *testing.B) {
	p := &instant{lines: make(chan string, 8), done: make(chan struct{})}
	d, err := New(Options{Port: gateway.Port{Port: 3, Device: "memory"}})
	if err != nil {
		b.Fatal(err)
	}
	l := newRun(d, nobody{}, "memory", p)
	defer l.close()
	s := submission(b, "+59899123456", "Hola, su pedido 1234 esta en camino")[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.send(bg, s); err != nil {
			b.Fatal(err)
		}
	}
}

// instant is a port that answers each write of a submission at once.
type instant struct {
	lines chan string
	done  chan struct{}
	once  sync.Once
}

func (i *instant) Write(p []byte) (int, error) {
	if p[len(p)-1] == 0x1A {
		i.lines <- "\r\n+CMGS: 7\r\n\r\nOK\r\n"
	} else {
		i.lines <- "\r\n> "
	}
	return len(p), nil
}

func (i *instant) Read(p []byte) (int, error) {
	select {
	case s := <-i.lines:
		return copy(p, s), nil
	case <-i.done:
		return 0, errNobody
	}
}

func (i *instant) Close() error {
	i.once.Do(func() { close(i.done) })
	return nil
}

func BenchmarkEncode(b *testing.B) {
	s := submission(b, "+59899123456", "Hola, su pedido 1234 esta en camino")[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(&s); err != nil {
			b.Fatal(err)
		}
	}
}

var _ at.Conn = (*instant)(nil)
