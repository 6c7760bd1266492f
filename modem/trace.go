package modem

import (
	"time"

	"fieldpost/gateway"
)

// Tracer is a driver that keeps the last dialogue with its device as evidence: no text of
// a message, no PIN, and of numbers the last three digits. It may be asked at any time,
// also between two runs.
type Tracer interface {
	Trace(port int) Trace
}

// Trace is the evidence of one channel.
type Trace struct {
	Lines     []string   // the last lines between driver and device, oldest first
	Incidents []Incident // what went wrong with the device, oldest first; a few are kept
}

// Incident is one time that a device had to be brought back.
type Incident struct {
	At    time.Time
	Cause string
	Steps []string // what was tried, with the result and the time it took
	Lines []string // the dialogue before and during it
}

// Trace gives a channel's evidence. A driver that keeps none is invalid, an unknown
// channel not_found.
func (b *Bank) Trace(id string) (Trace, error) {
	b.mu.Lock()
	s := b.slots[id]
	if s == nil {
		b.mu.Unlock()
		return Trace{}, noChannel(id)
	}
	d, port := s.supervisor.driver, s.told.Port
	b.mu.Unlock()
	if d == nil {
		return Trace{}, gateway.Errorf(gateway.KindUnavailable, "channel %q has no driver yet", id)
	}
	t, ok := d.(Tracer)
	if !ok {
		return Trace{}, cannot("show its dialogue")
	}
	return t.Trace(port), nil
}
