package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// pushWait is how long the gateway waits for the answer to a push.
const pushWait = 5 * time.Second

// pushesKept bounds the events that wait for a slow listener; what comes above is
// lost, and counted.
const pushesKept = 4096

// dinstarPush posts events to a listener, one after the other, once each: the devices'
// way of trying again is not documented.
type dinstarPush struct {
	ctx    context.Context
	url    string
	client *http.Client
	wake   chan struct{} // capacity 1
	done   chan struct{}

	mu    sync.Mutex
	queue [][]byte
	held  [][]byte
	hold  bool
	twice bool
	stats DinstarPushes
}

// DinstarPushes counts events.
type DinstarPushes struct {
	Taken   int // answered with 2xx
	Refused int // answered otherwise, or not at all
	Lost    int // never posted: the listener was too slow
}

func newDinstarPush(ctx context.Context, url string) *dinstarPush {
	p := &dinstarPush{
		ctx: ctx, url: url, wake: make(chan struct{}, 1), done: make(chan struct{}),
		client: &http.Client{Timeout: pushWait, Transport: &http.Transport{}},
	}
	go p.run()
	return p
}

// tell pushes one event; the caller does not hold the lock.
func (d *Dinstar) tell(event map[string]any) {
	if d.push == nil {
		return
	}
	if !d.o.Firmware.OldKeys {
		event["sn"] = d.o.Serial
	}
	data, err := json.Marshal(event)
	if err != nil { // an event that cannot be written is a defect of the simulator
		panic(err)
	}
	d.push.add(data)
}

func (p *dinstarPush) add(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	copies := 1 + b2i(p.twice)
	if len(p.queue)+len(p.held)+copies > pushesKept {
		p.stats.Lost++
		return
	}
	for range copies {
		if p.hold {
			p.held = append(p.held, data)
		} else {
			p.queue = append(p.queue, data)
		}
	}
	p.poke()
}

func (p *dinstarPush) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *dinstarPush) run() {
	defer close(p.done)
	defer p.client.CloseIdleConnections()
	for {
		data := p.first()
		if data == nil {
			select {
			case <-p.wake:
			case <-p.ctx.Done():
				return
			}
			continue
		}
		taken := p.post(data)
		if p.ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.stats.Taken += b2i(taken)
		p.stats.Refused += b2i(!taken)
		p.mu.Unlock()
	}
}

func (p *dinstarPush) first() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return nil
	}
	data := p.queue[0]
	p.queue = p.queue[1:]
	return data
}

func (p *dinstarPush) post(data []byte) bool {
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.url, bytes.NewReader(data))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	return res.StatusCode/100 == 2
}

func (p *dinstarPush) wait() { <-p.done }

// PushTwice posts each event two times from now on, or once again.
func (d *Dinstar) PushTwice(on bool) {
	if d.push == nil {
		return
	}
	d.push.mu.Lock()
	defer d.push.mu.Unlock()
	d.push.twice = on
}

// HoldPushes gathers events from now on; ReleasePushes posts them, the last one first.
func (d *Dinstar) HoldPushes() {
	if d.push == nil {
		return
	}
	d.push.mu.Lock()
	defer d.push.mu.Unlock()
	d.push.hold = true
}

// ReleasePushes posts what HoldPushes gathered, the last event first.
func (d *Dinstar) ReleasePushes() {
	if d.push == nil {
		return
	}
	p := d.push
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Reverse(p.held)
	p.queue = append(p.queue, p.held...)
	p.held, p.hold = nil, false
	p.poke()
}

// Pushes counts the events so far; all zero without Push.
func (d *Dinstar) Pushes() DinstarPushes {
	if d.push == nil {
		return DinstarPushes{}
	}
	d.push.mu.Lock()
	defer d.push.mu.Unlock()
	return d.push.stats
}
