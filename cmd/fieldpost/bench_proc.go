package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// syncTime is what one sync costs on the disk that is measured.
type syncTime struct{ median, p99 time.Duration }

// measureSync writes a page and syncs it, two hundred times.
func measureSync(dir string) (syncTime, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return syncTime{}, err
	}
	defer f.Close()
	page := make([]byte, 4096)
	took := make([]time.Duration, 200)
	for i := range took {
		began := time.Now()
		_, err := f.WriteAt(page, int64(i%16)*4096)
		if err := errors.Join(err, unix.Fdatasync(int(f.Fd()))); err != nil {
			return syncTime{}, err
		}
		took[i] = time.Since(began)
	}
	return syncTime{percentile(took, 50), percentile(took, 99)}, nil
}

// percentile sorts took and gives one of its values.
func percentile(took []time.Duration, p int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)*p/100, len(took)-1)]
}

// processorTime is the processor time of this process so far, user and system.
func processorTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// memory is what a process has in memory, in bytes, proc(5).
type memory struct {
	resident  int64 // with the pages of the spool that the kernel keeps for it
	anonymous int64 // its own: heap and stacks
}

func (m memory) mib() float64 { return float64(m.resident) / (1 << 20) }

func readMemory() (memory, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return memory{}, err
	}
	defer f.Close()
	var m memory
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "VmRSS":
			m.resident = kib << 10
		case "RssAnon":
			m.anonymous = kib << 10
		}
	}
	if m.resident == 0 {
		return m, fmt.Errorf("/proc/self/status tells no memory")
	}
	return m, nil
}

// peak follows the process's own memory until stop.
type peak struct {
	before memory
	most   int64
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// followMemory begins to sample.
func followMemory(ctx context.Context) (*peak, error) {
	m, err := readMemory()
	if err != nil {
		return nil, err
	}
	p := &peak{before: m, most: m.anonymous}
	ctx, p.stop = context.WithCancel(ctx)
	p.done.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if m, err := readMemory(); err == nil {
					p.most = max(p.most, m.anonymous)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return p, nil
}

// above ends the sampling and gives the most that was used above the beginning,
// in MiB.
func (p *peak) above() float64 {
	p.stop()
	p.done.Wait()
	return float64(p.most-p.before.anonymous) / (1 << 20)
}
