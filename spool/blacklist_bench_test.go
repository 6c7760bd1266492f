package spool

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"fieldpost/gateway"
)

// benchNumbers is how many numbers the benchmarks of the blacklist import:
// FIELDPOST_BLACKLIST, or 100,000.
func benchNumbers(b *testing.B) int {
	v := os.Getenv("FIELDPOST_BLACKLIST")
	if v == "" {
		return 100_000
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// shuffled gives n different numbers out of order: i times an odd step, modulo 2^k,
// visits each once.
func shuffled(n int) func() (Listed, error) {
	span := uint64(1)
	for span < uint64(n)*1024 {
		span *= 2
	}
	i := uint64(0)
	return func() (Listed, error) {
		if i == uint64(n) {
			return Listed{}, io.EOF
		}
		i++
		return Listed{Number: benchNumber(i, span)}, nil
	}
}

func benchNumber(i, span uint64) gateway.Address {
	return gateway.Unpack(59_800_000_000 + i*2_654_435_761%span)
}

// residentAnon gives the anonymous memory of the process in bytes; 0 where the
// system does not tell it.
func residentAnon() int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("RssAnon:")); ok {
			kb, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
			n, _ := strconv.ParseInt(string(kb), 10, 64)
			return n << 10
		}
	}
	return 0
}

// BenchmarkBlacklistImport tells how long one import takes, how much memory it
// needs over the idle process, and what the list takes on disk.
func BenchmarkBlacklistImport(b *testing.B) {
	n := benchNumbers(b)
	for b.Loop() {
		s, _ := open(b)
		runtime.GC()
		idle := residentAnon()
		stop, peaked := make(chan struct{}), make(chan int64)
		go func() { peaked <- watchPeak(stop) }()
		start := time.Now()
		if _, err := s.ImportBlacklist(bg, shuffled(n), nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/import")
		close(stop)
		b.ReportMetric(float64(<-peaked-idle)/(1<<20), "MiB-anon")
		info, err := os.Stat(s.o.Path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/float64(n), "file-B/number")
		if got := s.BlacklistSize(); got != uint64(n) {
			b.Fatalf("%d numbers are listed, want %d", got, n)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// watchPeak gives the most anonymous memory seen until stop is closed.
func watchPeak(stop <-chan struct{}) int64 {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	peak := residentAnon()
	for {
		select {
		case <-stop:
			return max(peak, residentAnon())
		case <-tick.C:
			peak = max(peak, residentAnon())
		}
	}
}

func BenchmarkListed(b *testing.B) {
	n := benchNumbers(b)
	s, _ := open(b)
	if _, err := s.ImportBlacklist(bg, shuffled(n), nil); err != nil {
		b.Fatal(err)
	}
	span := uint64(1)
	for span < uint64(n)*1024 {
		span *= 2
	}
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		listed, _, err := s.Listed(benchNumber(1+r.Uint64N(uint64(n)), span), "camp")
		if err != nil || !listed {
			b.Fatalf("listed %t, %v", listed, err)
		}
	}
}
