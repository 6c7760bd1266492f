package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// benchBase loads a base over the API, and starts a daemon on what it left.
func benchBase(ctx context.Context, b *benchRun) ([]figure, error) {
	r, err := b.newRig(ctx, 0, radio{})
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.dialer(ctx, 1); err != nil {
		return nil, err
	}
	rows := b.scaled(1_000_000)
	memory, err := followMemory(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = r.load(ctx, rows)
	took, above := time.Since(began), memory.above()
	if err != nil {
		return nil, err
	}
	n, err := r.client.DialerCounters(ctx, demoName)
	if err == nil && n.Uploaded != uint64(rows) {
		err = fmt.Errorf("%d rows were sent, %d are in the spool", rows, n.Uploaded)
	}
	if err != nil {
		return nil, err
	}
	start, err := r.restart(ctx)
	goal := 20 * time.Duration(rows) * time.Microsecond
	return []figure{
		{Name: fmt.Sprintf("CSV base of %d rows", rows), Value: took.Seconds(), Unit: "s", Goal: fmt.Sprintf("<= %.3g", goal.Seconds()),
			Within: took <= goal, Beside: fmt.Sprintf("%.0f rows/s", float64(rows)/took.Seconds())},
		{Name: "memory above idle while it loads", Value: above, Unit: "MiB", Goal: "<= 64", Within: above <= 64},
		{Name: fmt.Sprintf("start with %d queued", rows), Value: start.Seconds(), Unit: "s", Goal: "<= 1", Within: start <= time.Second},
	}, err
}

// benchClaim claims from a short queue and from a long one.
func benchClaim(ctx context.Context, b *benchRun) ([]figure, error) {
	short, err := b.claim(ctx, 1000)
	if err != nil {
		return nil, err
	}
	rows := b.scaled(5_000_000)
	long, err := b.claim(ctx, rows)
	if err != nil {
		return nil, err
	}
	ratio := float64(long) / float64(short)
	return []figure{{
		Name: fmt.Sprintf("claim of 50 rows, %d against 1,000 queued", rows), Value: ratio, Unit: "x", Goal: "<= 1.5", Within: ratio <= 1.5,
		Beside: fmt.Sprintf("%s against %s", long, short),
	}}, nil
}

// claim gives the median time of a claim from a queue of so many rows.
func (b *benchRun) claim(ctx context.Context, rows int) (time.Duration, error) {
	s, err := spool.Open(spool.Options{Path: filepath.Join(b.dir, fmt.Sprintf("claim-%d.db", rows))})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	batch := make([]gateway.Message, 0, 1000)
	for n := 0; n < rows; n += len(batch) {
		batch = batch[:0]
		for i := n; i < min(n+1000, rows); i++ {
			batch = append(batch, gateway.Message{
				Campaign: demoName, To: gateway.Address(fmt.Sprintf("+5989%07d", i)), Text: "A row of the queue.",
				Priority: gateway.PriorityBulk, Segments: 1, Status: gateway.StatusQueued,
			})
		}
		up := spool.Upload{ID: "bench", Campaign: demoName, Kind: "base", State: "loading", Line: n + len(batch), Offset: int64(n + len(batch))}
		if _, err := s.AddBatch(ctx, up, batch); err != nil {
			return 0, err
		}
	}
	took := make([]time.Duration, 2000)
	for i := range took {
		began := time.Now()
		got, err := s.Claim(spool.Claim{Campaign: demoName, Limit: gateway.MaxBatch})
		took[i] = time.Since(began)
		if err == nil && len(got.Messages) != gateway.MaxBatch {
			err = fmt.Errorf("a claim gave %d rows", len(got.Messages))
		}
		if err != nil {
			return 0, err
		}
	}
	return percentile(took, 50), nil
}

// benchBlacklist imports a national list in no order and looks numbers up in it.
func benchBlacklist(ctx context.Context, b *benchRun) ([]figure, error) {
	s, err := spool.Open(spool.Options{Path: filepath.Join(b.dir, "blacklist.db")})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	numbers := b.scaled(10_000_000)
	memory, err := followMemory(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	_, err = s.ImportBlacklist(ctx, shuffled(numbers), nil)
	took, above := time.Since(began), memory.above()
	if err != nil {
		return nil, err
	}
	look, err := lookUp(s, numbers)
	goal := 6 * time.Duration(numbers) * time.Microsecond
	return []figure{
		{Name: fmt.Sprintf("blacklist of %d: import", numbers), Value: took.Seconds(), Unit: "s", Goal: fmt.Sprintf("<= %.3g", goal.Seconds()), Within: took <= goal},
		{Name: "blacklist: look-up", Value: float64(look.Nanoseconds()) / 1000, Unit: "us", Goal: "<= 10", Within: look <= 10*time.Microsecond},
		{Name: "blacklist: memory above idle", Value: above, Unit: "MiB", Goal: "<= 64", Within: above <= 64},
	}, err
}

// scatter is odd, so that i*scatter visits every number of a power of two once.
const scatter = 0x9E3779B1

// shuffled gives n different numbers in no order.
func shuffled(n int) func() (spool.Listed, error) {
	i := 0
	return func() (spool.Listed, error) {
		if i == n {
			return spool.Listed{}, io.EOF
		}
		i++
		return spool.Listed{Number: numberAt(i), Source: "bench"}, nil
	}
}

// numberAt gives the i-th of 2^27 different numbers.
func numberAt(i int) gateway.Address {
	return gateway.Address(fmt.Sprintf("+598%09d", uint32(i)*scatter&(1<<27-1)))
}

// lookUp gives the mean time of a look-up, half of them of listed numbers.
func lookUp(s *spool.Spool, numbers int) (time.Duration, error) {
	const looks = 200_000
	chance := rand.New(rand.NewPCG(1, 2))
	asked := make([]gateway.Address, looks)
	for i := range asked {
		asked[i] = numberAt(1 + chance.IntN(2*numbers))
	}
	began := time.Now()
	hits := 0
	for _, a := range asked {
		listed, _, err := s.Listed(a, demoName)
		if err != nil {
			return 0, err
		}
		if listed {
			hits++
		}
	}
	took := time.Since(began) / looks
	if hits < looks/3 || hits > looks*2/3 {
		return took, fmt.Errorf("%d of %d look-ups hit: about half should", hits, looks)
	}
	return took, nil
}
