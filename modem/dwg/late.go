package dwg

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// owing is a debt's send, which was given up.
type owing struct {
	s      *session // the gateway's last
	acked  bool
	userID uint32
	until  time.Time
}

// inherit takes over what the gateway owes to an earlier driver of it. Nobody knows whether it took
// those sends, so that a result which comes for one is nobody's; but it is not the next send's.
func (d *Driver) inherit() {
	if d.o.Owed == nil {
		return
	}
	sends, until := d.o.Owed(d.o.Times.Settle), time.Now().Add(d.o.Times.Settle)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range sends {
		if o.Port >= 0 && o.Port <= gateway.MaxPort {
			d.owed[debt{uint8(o.Port), string(o.To)}] = owing{until: until}
		}
	}
}

// maxLate is how many late results are remembered for whoever asks.
const maxLate = 1024

// late holds the results of sends that were given up, by their user id.
type late struct {
	by    map[uint32]dwgwire.Result
	order []uint32 // oldest first
}

func (l *late) note(userID uint32, r dwgwire.Result) {
	if l.by == nil {
		l.by = map[uint32]dwgwire.Result{}
	}
	if _, known := l.by[userID]; !known {
		l.order = append(l.order, userID)
	}
	l.by[userID] = r
	if len(l.order) > maxLate {
		delete(l.by, l.order[0])
		l.order = l.order[1:]
	}
}

// settle takes a result that no flight waits for. It is the word on the send that is
// owed one, if this gateway acknowledged that. d.mu is held.
func (d *Driver) settle(s *session, k debt, r *dwgwire.Result) {
	k, owed := d.owing(k)
	if !owed {
		return
	}
	if o := d.owed[k]; o.acked && o.s.same(s) && time.Now().Before(o.until) {
		d.late.note(o.userID, *r)
	}
	delete(d.owed, k)
}

// Reconcile gives the late result of a send that was given up. The protocol has no
// question: what did not come is unknown_outcome.
func (d *Driver) Reconcile(_ context.Context, _ int, q modem.Question) (modem.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, came := d.late.by[q.UserID]
	if !came {
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "the gateway has not told the result, and cannot be asked for it")
	}
	return modem.Receipt{}, verdict(&r)
}

// recent remembers the last results, over all connections, so that one which comes
// again is not taken for another.
type recent struct {
	seen [64]string
	next int
}

// again says that a frame came before, and remembers it. One without an id of its own
// cannot be told.
func (r *recent) again(f dwgwire.Frame) bool {
	if f.ID.Serial == 0 {
		return false
	}
	name := fmt.Sprintf("%x %d %d %x", f.ID.MAC, f.ID.Time, f.ID.Serial, f.Body)
	for _, s := range r.seen {
		if s == name {
			return true
		}
	}
	r.seen[r.next] = name
	r.next = (r.next + 1) % len(r.seen)
	return false
}
