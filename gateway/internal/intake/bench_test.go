package intake

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// generated is a base of n rows that is made as it is read.
type generated struct {
	n, row int
	buf    []byte
	line   func(b []byte, row int) []byte
}

func (g *generated) Read(p []byte) (int, error) {
	for len(g.buf) < len(p) && g.row < g.n {
		g.buf = g.line(g.buf, g.row)
		g.row++
	}
	if len(g.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.buf)
	g.buf = append(g.buf[:0], g.buf[n:]...)
	return n, nil
}

func baseLine(b []byte, row int) []byte {
	return fmt.Appendf(b, "test1;09%07d;Dear customer %d, your invoice is ready. Thank you;9999;%d\n", 1000000+row*7919%9000000, row, row)
}

// anonymous gives the process's own memory in bytes: what it holds beyond mapped files.
func anonymous(b *testing.B) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("this machine does not tell a process's memory")
	}
	_, rest, _ := bytes.Cut(data, []byte("RssAnon:"))
	kib, _, _ := strings.Cut(strings.TrimSpace(string(rest)), " ")
	n, err := strconv.ParseInt(kib, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n << 10
}

// peak watches the process's own memory until it is asked for the most that it saw.
func peak(b *testing.B) func() int64 {
	idle, most := anonymous(b), int64(0)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, anonymous(b)-idle)
			case <-end:
				return
			}
		}
	}()
	return func() int64 { close(end); <-ended; return most }
}

// BenchmarkBase takes bases through the door, from the first byte to the last
// commit, with all syncs.
func BenchmarkBase(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := running(b, nil)
				most := peak(b)
				b.StartTimer()
				up, err := d.TakeBase(b.Context(), BaseRequest{Body: &generated{n: n, line: baseLine}})
				if err != nil || up.Accepted != n || up.State != stateDone {
					b.Fatalf("%+v, %v", up, err)
				}
				b.StopTimer()
				b.ReportMetric(float64(most())/(1<<20), "MiB-above-idle")
				d.stop()
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkRead measures what happens before the commits: reading, normalising and
// planning the rows.
func BenchmarkRead(b *testing.B) {
	const n = 100_000
	text, err := io.ReadAll(&generated{n: n, line: baseLine})
	if err != nil {
		b.Fatal(err)
	}
	d := open(b, b.TempDir(), nil)
	for b.Loop() {
		r := newCSVReader(bytes.NewReader(text), charsetUTF8, 0, 0)
		first, up := true, &spool.Upload{ID: "b"}
		for last := false; !last; {
			c := chunk{messages: make([]gateway.Message, 0, chunkRows)}
			if last, err = d.fill(&c, r, up, &first); err != nil || c.rejected > 0 {
				b.Fatalf("%+v, %v", c.bad, err)
			}
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// blackLine writes every other number as it is dialled at the site.
func blackLine(b []byte, row int) []byte {
	if row%2 == 0 {
		return fmt.Appendf(b, "09%07d\n", 1000000+row/2)
	}
	return fmt.Appendf(b, "+5492%09d;\n", row)
}

// BenchmarkBlacklist takes lists of numbers through the door.
func BenchmarkBlacklist(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := running(b, nil)
				most := peak(b)
				b.StartTimer()
				up, err := d.TakeBlacklist(b.Context(), BaseRequest{Body: &generated{n: n, line: blackLine}})
				if err != nil || up.Accepted != n || up.State != stateDone {
					b.Fatalf("%+v, %v", up, err)
				}
				b.StopTimer()
				b.ReportMetric(float64(most())/(1<<20), "MiB-above-idle")
				d.stop()
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
