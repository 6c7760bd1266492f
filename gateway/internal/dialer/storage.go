package dialer

import (
	"log/slog"
	"time"

	"fieldpost/gateway"
)

const (
	firstHold   = 100 * time.Millisecond
	longestHold = 10 * time.Second
)

// storage holds the loop while the store does not take commits. Nothing is opened
// then, and outcomes wait in memory; sends that are out go on.
type storage struct {
	err   error         // why; nil = all is well
	until time.Time     // of the next try, monotonic
	pause time.Duration // before it
}

// storeDown says that an error means that the store takes nothing now, and holds
// the loop then. Any other error speaks of one request only.
func (d *Dialer) storeDown(err error) bool {
	if gateway.KindOf(err) != gateway.KindUnavailable {
		return false
	}
	d.store.fault(d, err)
	return true
}

// fault begins a hold, or makes the next one longer.
func (s *storage) fault(d *Dialer, err error) {
	if s.err != nil && d.mono.Before(s.until) {
		return // of the same try
	}
	if s.err == nil {
		d.o.Logger.Error("the store does not answer: sending holds", slog.Any("error", err))
	}
	s.pause = min(max(2*s.pause, firstHold), longestHold)
	s.err, s.until = err, d.mono.Add(s.pause)
	d.wakeIn(s.pause)
}

// holds says that nothing is to be written now.
func (s *storage) holds(d *Dialer) bool { return s.err != nil && d.mono.Before(s.until) }

// due asks for a turn at the next try.
func (s *storage) due(d *Dialer) {
	if s.holds(d) {
		d.wakeIn(s.until.Sub(d.mono))
	}
}

// worked notes that a commit is on disk.
func (s *storage) worked() { s.err, s.pause = nil, 0 }
