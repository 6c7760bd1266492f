package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// kannelIntake is what Kannel 1.4.5 accepts a second, without any sync, on a
// machine of two cores: the figure that intake is held against.
const kannelIntake = 1800

// benchIntake posts SendSMS from many callers at once.
func benchIntake(ctx context.Context, b *benchRun) ([]figure, error) {
	var all []figure
	for _, callers := range []int{16, 64} {
		rate, err := b.intake(ctx, callers, b.scaled(50_000))
		if err != nil {
			return nil, err
		}
		all = append(all, figure{
			Name: fmt.Sprintf("intake, %d callers", callers), Value: rate, Unit: "messages/s",
			Goal: fmt.Sprintf(">= %d", 5*kannelIntake), Within: rate >= 5*kannelIntake,
			Beside: fmt.Sprintf("%.1f messages for one sync of this disk (%s)", rate*b.sync.median.Seconds(), b.sync.median),
		})
	}
	return all, nil
}

// intake gives messages accepted a second; the callers are in this process too.
func (b *benchRun) intake(ctx context.Context, callers, messages int) (float64, error) {
	r, err := b.newRig(ctx, 0, radio{})
	if err != nil {
		return 0, err
	}
	defer r.close()
	if err := r.dialer(ctx, 1); err != nil {
		return 0, err
	}
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	defer web.CloseIdleConnections()
	var next atomic.Int64
	var fault atomic.Pointer[error]
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(messages) && fault.Load() == nil; n = next.Add(1) {
				if err := sendSMS(ctx, web, r.url, int(n)); err != nil {
					fault.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if p := fault.Load(); p != nil {
		return 0, *p
	}
	n, err := r.client.DialerCounters(ctx, demoName)
	if err == nil && n.Uploaded != uint64(messages) {
		err = fmt.Errorf("%d messages were accepted, %d are in the spool", messages, n.Uploaded)
	}
	return float64(messages) / took.Seconds(), err
}

// sendSMS makes one call of the old web service.
func sendSMS(ctx context.Context, web *http.Client, base string, n int) error {
	form := url.Values{
		"destination": {fmt.Sprintf("09%07d", n)}, "message": {fmt.Sprintf("Message %d", n)},
		"campaign": {demoName}, "agent": {"bench"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/Integra/resources/SMS/SendSMS", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err == nil && string(answer) != "OK" {
		err = fmt.Errorf("SendSMS answered %s %q", resp.Status, answer)
	}
	return err
}

// drained is one base sent through a bank.
type drained struct {
	rows, modems    int
	took, processor time.Duration
	gaps            []time.Duration // from a modem's OK to its next AT+CMGS
	share           float64         // of the ideal, in percent: every modem on the radio all the time
	memory          memory
}

func (d drained) rate() float64 { return float64(d.rows) / d.took.Seconds() }

func (d drained) perMessage() time.Duration { return d.processor / time.Duration(d.rows) }

// send puts rows through a bank of modems and checks that each went out once.
func (b *benchRun) send(ctx context.Context, modems, rows int, radio radio) (d drained, err error) {
	r, err := b.newRig(ctx, modems, radio)
	if err != nil {
		return d, err
	}
	defer r.close()
	if err := r.dialer(ctx, modems); err != nil {
		return d, err
	}
	if err := r.load(ctx, rows); err != nil {
		return d, err
	}
	d.rows, d.modems = rows, modems
	if d.took, d.processor, err = r.drain(ctx, max(20*time.Millisecond, radio.latency/4)); err != nil {
		return d, err
	}
	if d.memory, err = readMemory(); err != nil {
		return d, err
	}
	entries, err := r.entries()
	if err != nil {
		return d, err
	}
	if len(entries) != rows {
		return d, fmt.Errorf("%d rows, %d segments on the air", rows, len(entries))
	}
	d.read(entries)
	return d, nil
}

// read takes gaps and share from the ledger. Between two entries of a modem lies
// the radio time of the second, and whatever we kept the modem waiting.
func (d *drained) read(entries []sim.Entry) {
	last := map[string]time.Time{}
	var radio, all time.Duration
	for _, e := range entries {
		if before, ok := last[e.Modem]; ok {
			d.gaps = append(d.gaps, e.Gap)
			radio += e.Radio
			all += e.At.Sub(before)
		}
		last[e.Modem] = e.At
	}
	if all > 0 {
		d.share = 100 * radio.Seconds() / all.Seconds()
	}
}

// benchIdeal holds 32 modems against the best that they could do: as radios are,
// a tenth more or less each time, and all in step, which is the worst there is -
// each answer comes at the same instant as all others.
func benchIdeal(ctx context.Context, b *benchRun) ([]figure, error) {
	var all []figure
	for _, c := range []struct {
		name   string
		jitter float64
	}{{"", 0.1}, {" in step", 0}} {
		slow, err := b.send(ctx, 32, 32*10, radio{latency: 3 * time.Second, jitter: c.jitter})
		if err != nil {
			return nil, err
		}
		fast, err := b.send(ctx, 32, 32*b.scaled(100), radio{latency: 100 * time.Millisecond, jitter: c.jitter})
		if err != nil {
			return nil, err
		}
		all = append(all, b.ideal(c.name, slow, fast)...)
	}
	return all, nil
}

func (b *benchRun) ideal(name string, slow, fast drained) []figure {
	limit := b.sync.p99 + 2*time.Millisecond
	gap := percentile(slow.gaps, 99)
	return []figure{
		{Name: "32 modems at 3 s" + name + ", of the ideal", Value: slow.share, Unit: "%", Goal: ">= 99.9", Within: slow.share >= 99.9},
		{Name: "32 modems at 100 ms" + name + ", of the ideal", Value: fast.share, Unit: "%", Goal: ">= 97", Within: fast.share >= 97},
		{Name: "OK to the next AT+CMGS, 32 modems at 3 s" + name + ", p99", Value: ms(gap), Unit: "ms",
			Goal: fmt.Sprintf("<= %.2f (one sync, p99, + 2 ms)", ms(limit)), Within: gap <= limit,
			Beside: fmt.Sprintf("median %.2f ms; one sync %.2f ms", ms(percentile(slow.gaps, 50)), ms(b.sync.median))},
		{Name: "processor time a message, at 3 s" + name, Value: ms(slow.perMessage()), Unit: "ms", Goal: "<= 1",
			Within: slow.perMessage() <= time.Millisecond},
		{Name: "memory with 32 modems" + name, Value: slow.memory.mib(), Unit: "MiB resident", Goal: "<= 40",
			Within: slow.memory.mib() <= 40, Beside: fmt.Sprintf("%.1f MiB of it are its own", float64(slow.memory.anonymous)/(1<<20))},
	}
}

// benchRate measures modems that answer at once.
func benchRate(ctx context.Context, b *benchRun) ([]figure, error) {
	var all []figure
	for _, c := range []struct{ modems, rows, goal int }{{1, 5_000, 800}, {8, 20_000, 2500}, {32, 40_000, 4000}} {
		d, err := b.send(ctx, c.modems, b.scaled(c.rows), radio{})
		if err != nil {
			return nil, err
		}
		all = append(all, figure{
			Name: fmt.Sprintf("%s at once", plural(c.modems, "modem")), Value: d.rate(), Unit: "messages/s",
			Goal: fmt.Sprintf(">= %d", c.goal), Within: d.rate() >= float64(c.goal),
			Beside: fmt.Sprintf("%.1f syncs of this disk would fit into each message", b.syncsPer(d)),
		})
		if c.modems == 32 {
			all = append(all, figure{Name: "processor time a message, 32 modems at once", Value: ms(d.perMessage()), Unit: "ms",
				Goal: "<= 0.5", Within: d.perMessage() <= 500*time.Microsecond})
		}
	}
	return all, nil
}

// syncsPer is how many syncs fit into the time of one message of one modem.
func (b *benchRun) syncsPer(d drained) float64 {
	return d.took.Seconds() * float64(d.modems) / float64(d.rows) / b.sync.median.Seconds()
}

// benchIdle watches 32 modems that have nothing to do.
func benchIdle(ctx context.Context, b *benchRun) ([]figure, error) {
	r, err := b.newRig(ctx, 32, radio{})
	if err != nil {
		return nil, err
	}
	defer r.close()
	window := 30 * time.Second
	if b.quick {
		window = 10 * time.Second
	}
	before, err := processorTime()
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(window):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	after, err := processorTime()
	share := 100 * (after - before).Seconds() / window.Seconds()
	return []figure{{Name: "idle, 32 channels", Value: share, Unit: "% of a core", Goal: "<= 1", Within: share <= 1}}, err
}

// benchBytes measures what the spool writes for a message: one after the other,
// and in bulk.
func benchBytes(ctx context.Context, b *benchRun) ([]figure, error) {
	single, err := b.oneByOne(ctx, b.scaled(200))
	if err != nil {
		return nil, err
	}
	bulk, err := b.inBulk(ctx, b.scaled(20_000))
	if err != nil {
		return nil, err
	}
	return []figure{
		{Name: "bytes written a message, one at a time", Value: single, Unit: "KiB", Goal: "<= 128", Within: single <= 128},
		{Name: "bytes written a message, bulk on 32 channels at once", Value: bulk, Unit: "KiB", Goal: "<= 16", Within: bulk <= 16},
	}, nil
}

// oneByOne sends each message after the one before is sent.
func (b *benchRun) oneByOne(ctx context.Context, n int) (float64, error) {
	r, err := b.newRig(ctx, 1, radio{})
	if err != nil {
		return 0, err
	}
	defer r.close()
	if err := r.dialer(ctx, 1); err != nil {
		return 0, err
	}
	if _, err := r.client.StartDialer(ctx, demoName); err != nil {
		return 0, err
	}
	before := r.written()
	for i := range n {
		a, err := r.client.Send(ctx, client.NewMessage{To: fmt.Sprintf("09%07d", i), Text: "One at a time.", Campaign: demoName})
		if err != nil {
			return 0, err
		}
		err = poll(ctx, time.Millisecond, func() (bool, error) {
			m, err := r.client.Message(ctx, a.ID)
			return settled(m.Status), err
		})
		if err != nil {
			return 0, err
		}
	}
	return float64(r.written()-before) / float64(n) / 1024, nil
}

// inBulk loads and sends a base; its loading counts.
func (b *benchRun) inBulk(ctx context.Context, n int) (float64, error) {
	r, err := b.newRig(ctx, 32, radio{})
	if err != nil {
		return 0, err
	}
	defer r.close()
	if err := r.dialer(ctx, 32); err != nil {
		return 0, err
	}
	before := r.written()
	if err := r.load(ctx, n); err != nil {
		return 0, err
	}
	if _, _, err := r.drain(ctx, 20*time.Millisecond); err != nil {
		return 0, err
	}
	return float64(r.written()-before) / float64(n) / 1024, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
