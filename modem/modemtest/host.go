package modemtest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// errStore is what the host says when it is told to fail.
var errStore = errors.New("the disk is full")

// host is where the driver reports to: it keeps everything.
type host struct {
	stored func() int // what the device holds; nil = not known

	mu      sync.Mutex
	channel gateway.Channel
	parts   []modem.Part
	reports []gateway.StatusReport
	refuse  int           // inbound messages that are not stored from now
	refused int           // inbound messages that were not
	dies    int           // inbound messages that are stored from now, and said not to be
	early   int           // inbound messages that the device had dropped before they were stored
	changed chan struct{} // closed at the next change
}

func newHost(stored func() int) *host { return &host{stored: stored, changed: make(chan struct{})} }

// Channel keeps the state of the port.
func (h *host) Channel(c gateway.Channel) {
	h.change(func() { h.channel = c })
}

// Inbound stores a part, or refuses to.
func (h *host) Inbound(_ context.Context, in modem.Part) error {
	holds := 1
	if h.stored != nil {
		holds = h.stored()
	}
	var err error
	h.change(func() {
		if holds == 0 {
			h.early++
		}
		if h.refuse > 0 {
			h.refuse--
			h.refused++
			err = errStore
			return
		}
		h.parts = append(h.parts, in)
		if h.dies > 0 {
			h.dies--
			err = errStore
		}
	})
	return err
}

// Report keeps a delivery report.
func (h *host) Report(_ context.Context, r gateway.StatusReport) error {
	h.change(func() { h.reports = append(h.reports, r) })
	return nil
}

func (h *host) change(fn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fn()
	close(h.changed)
	h.changed = make(chan struct{})
}

// until waits for a condition of the host. cond runs under its lock.
func (h *host) until(ctx context.Context, cond func() bool) error {
	for {
		h.mu.Lock()
		met, changed := cond(), h.changed
		h.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *host) present() gateway.Channel {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.channel
}

func (h *host) inbound() []modem.Part {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.parts)
}
