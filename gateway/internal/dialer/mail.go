package dialer

import (
	"sync"

	"fieldpost/modem"
	"fieldpost/spool"
)

// eventKind says what came in for a slot, or for the loop.
type eventKind uint8

const (
	eventStepped  eventKind = iota // a slot's step was committed, or not
	eventSent                      // a slot's send ended
	eventDropped                   // the step that drops rows was committed, or not
	eventPromoted                  // rows of a lane whose time came are in its queue, or not
)

type event struct {
	kind    eventKind
	slot    *slot
	lane    *lane
	stepped spool.Stepped
	receipt modem.Receipt
	err     error
}

// mail brings events to the loop. Posting never blocks: the spool's writer posts.
type mail struct {
	wake chan struct{} // cap 1: something is in

	// under mu
	mu       sync.Mutex
	events   []event
	arrivals map[string]rank // best row that came into a queue, by campaign
}

func newMail() *mail {
	return &mail{wake: make(chan struct{}, 1), arrivals: map[string]rank{}}
}

func (m *mail) post(e event) {
	m.mu.Lock()
	m.events = append(m.events, e)
	m.mu.Unlock()
	m.nudge()
}

// arrived notes that a row came into a queue; many rows of a campaign between two
// turns of the loop are one note, so that it is bounded.
func (m *mail) arrived(campaign string, r rank) {
	m.mu.Lock()
	if old, ok := m.arrivals[campaign]; !ok || r.before(old) {
		m.arrivals[campaign] = r
	}
	m.mu.Unlock()
	m.nudge()
}

func (m *mail) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take gives what is in, and leaves the emptied spare in its place.
func (m *mail) take(spare []event) []event {
	m.mu.Lock()
	defer m.mu.Unlock()
	events := m.events
	m.events = spare[:0]
	return events
}

// takeArrivals hands each note to f.
func (m *mail) takeArrivals(f func(campaign string, r rank)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c, r := range m.arrivals {
		f(c, r)
	}
	clear(m.arrivals)
}
