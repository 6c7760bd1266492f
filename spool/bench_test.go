package spool

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
)

// fill puts n queued rows into a campaign, in large commits.
func fill(t testing.TB, s *Spool, campaign string, n int) {
	t.Helper()
	const rows = 20_000
	for done := 0; done < n; done += rows {
		err := s.updateRows(context.Background(), rows, func(t *tx) error {
			for i := done; i < min(done+rows, n); i++ {
				m := text(campaign, fmt.Sprintf("+598%08d", i))
				m.ValidUntil = s.o.Now().Add(7 * 24 * time.Hour)
				m.Text = "Dear customer, your bill of March is ready: pay it before the 20th at any branch"
				if err := t.insert(&m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// bench opens a spool that is not checked in the end: a benchmark has no time to.
func bench(b *testing.B, rows int) *Spool {
	b.Helper()
	s, err := Open(Options{Path: filepath.Join(b.TempDir(), "spool.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	fill(b, s, "bulk", rows)
	return s
}

// written reports the bytes written to the file for each of n messages.
func written(b *testing.B, s *Spool, before Stats, n int) {
	now := s.Stats()
	b.ReportMetric(float64(now.BytesWritten-before.BytesWritten)/float64(n), "written-B/msg")
	b.ReportMetric(float64(now.Syncs-before.Syncs)/float64(n), "syncs/msg")
}

// BenchmarkClaim50 claims 50 rows at the head of a queue that moves on.
func BenchmarkClaim50(b *testing.B) {
	for _, rows := range []int{1000, 5_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			if rows > 1000 && testing.Short() {
				b.Skip("a file of 2 GB: not with -short")
			}
			s := bench(b, rows)
			b.ResetTimer()
			for range b.N {
				got, err := s.Claim(Claim{Campaign: "bulk", Limit: 50})
				if err != nil || len(got.Messages) != 50 {
					b.Fatal(len(got.Messages), err)
				}
			}
		})
	}
}

// BenchmarkAdd stores single messages, as callers of the API do.
func BenchmarkAdd(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := bench(b, 1000)
			before := s.Stats()
			b.ResetTimer()
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					for i := c; i < b.N; i += callers {
						if _, err := s.Add(context.Background(), text("single", fmt.Sprintf("+598%08d", i)), Idempotency{}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			written(b, s, before, b.N)
		})
	}
}

// BenchmarkStep32 sends from a bank of 32 channels: each commit of a channel has
// the outcome of a message and the intent of the next.
func BenchmarkStep32(b *testing.B) { benchSteps(b, 32) }

// BenchmarkStep1 is the same with one channel: nobody shares its syncs.
func BenchmarkStep1(b *testing.B) { benchSteps(b, 1) }

func benchSteps(b *testing.B, channels int) {
	s := bench(b, b.N+channels+100_000)
	before := s.Stats()
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range channels {
		wg.Go(func() { sendAll(b, s, c, channels) })
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	written(b, s, before, b.N)
}

// sendAll sends each channels-th row.
func sendAll(b *testing.B, s *Spool, c, channels int) {
	done := make(chan Stepped, 1)
	var outcome []Outcome
	for i := c; i < b.N+channels; i += channels {
		idm := uint64(i + 1)
		in := intent(idm, 1)
		in.Channel, in.SIM, in.At = fmt.Sprintf("bank/%d", c), fmt.Sprintf("89598%015d", c), time.Now()
		st := Step{Outcomes: outcome}
		if i < b.N {
			st.Intents = []Intent{in}
		}
		s.Step(st, func(r Stepped) { done <- r })
		if r := <-done; r.Err != nil || len(r.Gone) > 0 {
			b.Error(r)
			return
		}
		outcome = []Outcome{{IDM: idm, Segment: 1, MR: uint8(i), HasMR: true, At: time.Now()}}
	}
}

// BenchmarkLife counts the bytes that one message costs from intake to outcome,
// one at a time, with a million rows in the file.
func BenchmarkLife(b *testing.B) {
	s := bench(b, 1_000_000)
	before := s.Stats()
	b.ResetTimer()
	for i := range b.N {
		m := text("single", fmt.Sprintf("+598%08d", i))
		m.ValidUntil = time.Now().Add(24 * time.Hour)
		idm := add(b, s, m)
		send(b, s, intent(idm, 1), Outcome{MR: uint8(i), HasMR: true})
	}
	written(b, s, before, b.N)
}

// BenchmarkOpen1M opens a file of a million queued rows.
func BenchmarkOpen1M(b *testing.B) {
	path := filepath.Join(b.TempDir(), "spool.db")
	s, err := Open(Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, s, "bulk", 1_000_000)
	size := s.Stats().FileSize
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		s, err := Open(Options{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		c, err := s.Counters("bulk")
		if err != nil || c.ByStatus[gateway.StatusQueued] != 1_000_000 {
			b.Fatal(c, err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(size)/1e6, "file-B/msg") // not before ResetTimer, which forgets it
}
