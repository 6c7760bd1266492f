package main

import (
	"context"
	"fmt"
	"time"

	"fieldpost/modem/sim"
)

// benchHung drains a base through 32 modems of which the first hangs for good, with a
// message in doubt, and holds the other 31 against the best that they could do.
func benchHung(ctx context.Context, b *benchRun) ([]figure, error) {
	const others = 31
	rows := others * 10
	r, err := b.newRig(ctx, others+1, radio{latency: 3 * time.Second, jitter: 0.1, hung: true})
	if err != nil {
		return nil, err
	}
	closed := false
	defer func() {
		if !closed {
			r.close()
		}
	}()
	if err := r.dialer(ctx, others+1); err != nil {
		return nil, err
	}
	if err := r.load(ctx, rows); err != nil {
		return nil, err
	}
	if _, _, err := r.drainTo(ctx, 100*time.Millisecond, 1); err != nil { // one row waits for the modem that hangs
		return nil, err
	}
	entries, err := r.entries()
	if err != nil {
		return nil, err
	}
	d, err := besides(entries, "port0", rows, others)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	closed = true
	if err := r.close(); err != nil {
		return nil, err
	}
	stop := time.Since(began).Seconds()
	return []figure{
		{Name: "31 modems at 3 s beside one that hangs, of the ideal", Value: d.share, Unit: "%", Goal: ">= 99", Within: d.share >= 99,
			Beside: fmt.Sprintf("gap median %.2f ms, p99 %.2f ms", ms(percentile(d.gaps, 50)), ms(percentile(d.gaps, 99)))},
		{Name: "stop of the daemon with a modem that hangs", Value: stop, Unit: "s", Goal: "<= 30", Within: stop <= 30},
	}, nil
}

// besides reads the ledger of all modems but the one that hangs. Each of them must have
// had its part of the rows: a modem that sends nothing leaves no gap to be measured.
func besides(entries []sim.Entry, hung string, rows, others int) (d drained, err error) {
	if len(entries) != rows {
		return d, fmt.Errorf("%d rows, %d segments on the air", rows, len(entries))
	}
	sent := map[string]int{}
	var theirs []sim.Entry
	for _, e := range entries {
		sent[e.Modem]++
		if e.Modem != hung {
			theirs = append(theirs, e)
		}
	}
	if sent[hung] != 2 {
		return d, fmt.Errorf("%s sent %d segments, and should hang after 2", hung, sent[hung])
	}
	delete(sent, hung)
	for name, n := range sent {
		if n < rows/others/2 {
			return d, fmt.Errorf("%s sent %d segments of about %d", name, n, rows/others)
		}
	}
	if len(sent) != others {
		return d, fmt.Errorf("%d modems sent, not %d", len(sent), others)
	}
	d.rows, d.modems = len(theirs), others
	d.read(theirs)
	return d, nil
}
