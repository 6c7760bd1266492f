package dialer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// slotState says what a channel does for us.
type slotState uint8

const (
	slotIdle    slotState = iota // free
	slotDone                     // its send ended; the outcome waits for company: free
	slotWriting                  // a step of it is being committed
	slotSending                  // a send is out
	slotUnsaved                  // its outcome could not be written yet
)

// slot is one channel, as the loop sees it.
type slot struct {
	id       string
	provider string
	port     int
	ch       gateway.Channel
	limits   modem.Limits
	sim      *sim
	card     string // key of the last card that the device told; "" = none yet
	absent   bool   // the bank knows it no more
	resting  bool   // it shall rest, and the bank's snapshot does not say so yet

	state   slotState
	next    *flight // its intent is being written
	flying  *flight // its send is out
	closing *flight // its last outcome is not on disk yet

	// The step of the slot; not touched while it is being written.
	outcome    [1]spool.Outcome
	intent     [1]spool.Intent
	hasOutcome bool
	stepDone   func(spool.Stepped)

	faults int // sends in a row that failed through the channel
}

// flight is one message on its way over a channel.
type flight struct {
	m       gateway.Message
	lane    *lane
	sim     *sim
	segment int // 0 = the whole message
	charge  int // segments counted on the SIM
	fresh   bool
	given   bool // what it charged was given back, and the disk does not say so yet
	attempt uint16
	ring    bool   // the lane chose the channel
	turn    uint64 // when the lane was served
	startAt time.Time

	again   bool      // the row is in the queue once the outcome is on disk
	retryAt time.Time // when it is due then
}

// free says that the slot can take a message now.
func (s *slot) free() bool {
	return (s.state == slotIdle || s.state == slotDone) && s.fit()
}

// fit says that the channel carries messages.
func (s *slot) fit() bool { return s.ready() && s.sim.held == "" }

// ready says that the channel could carry messages, whatever is thought of its SIM.
func (s *slot) ready() bool {
	return !s.absent && !s.resting && s.ch.State == gateway.ChannelReady
}

// refreshChannels takes over the bank's channels.
func (d *Dialer) refreshChannels() {
	seen := make(map[string]bool, len(d.slots))
	changed, swapped := false, false
	for _, c := range d.o.Channels.Channels() {
		seen[c.ID] = true
		s := d.slots[c.ID]
		if s == nil {
			s = &slot{id: c.ID, provider: c.Provider, port: c.Port}
			s.stepDone = func(st spool.Stepped) { d.mail.post(event{kind: eventStepped, slot: s, stepped: st}) }
			d.slots[c.ID] = s
			changed = true
		}
		was := s.ready()
		s.ch, s.absent, s.resting = c, false, false
		if key := c.SIMKey(); s.sim == nil || s.sim.key != key {
			d.insert(s, d.simFor(key))
			d.moved, swapped = true, true
		}
		if s.ready() && !was {
			s.limits, _ = d.o.Channels.Limits(s.id)
			d.moved = true
		}
	}
	for id, s := range d.slots {
		if !seen[id] {
			s.absent = true
			if s.state == slotIdle {
				delete(d.slots, id)
				changed = true
			}
		}
	}
	if changed {
		d.lineUp()
	}
	if changed || swapped {
		d.tidySIMs()
		d.unbar()
	}
}

// lineUp sorts the slots and gives each lane its ring again.
func (d *Dialer) lineUp() {
	d.row = d.row[:0]
	for _, s := range d.slots {
		d.row = append(d.row, s)
	}
	slices.SortFunc(d.row, func(a, b *slot) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.port, b.port))
	})
	for _, l := range d.order {
		l.lineUp(d.row)
	}
	d.moved = true
}

// submission is what the device gets for a flight.
func (f *flight) submission(userID uint32, now time.Time) modem.Submission {
	m := &f.m
	s := modem.Submission{
		IDM: m.IDM, UserID: userID, To: m.To, Text: m.Text, Encoding: m.Encoding,
		Segment: f.segment, Segments: segments(m), Ref: m.ConcatRef(),
		More: f.segment > 0 && f.following() > 0, Report: f.lane.def.Report, Sender: f.lane.def.Sender,
	}
	if !m.ValidUntil.IsZero() {
		s.Validity = max(m.ValidUntil.Sub(now), time.Second) // 0 would be the SMSC's default
	}
	return s
}

// refund gives back what the flight charged for its present segment.
func (f *flight) refund() {
	f.sim.refund(f.charge, f.fresh)
	f.given = true
}

// following gives the next segment that still has to go after the present one;
// 0 when there is none.
func (f *flight) following() int {
	if f.segment == 0 {
		return 0
	}
	return missing(&f.m, f.segment)
}

// mark notes that the present segment, or the whole message, went out.
func (f *flight) mark(st gateway.Status) {
	for len(f.m.Parts) < segments(&f.m) {
		f.m.Parts = append(f.m.Parts, gateway.Part{})
	}
	for i := range f.m.Parts {
		if f.segment == 0 || f.segment == i+1 {
			f.m.Parts[i].Status = st
		}
	}
}

// missing gives the first segment after n that no network has; 0 when there is none.
func missing(m *gateway.Message, n int) int {
	for i := n + 1; i <= segments(m); i++ {
		if i > len(m.Parts) || !taken(m.Parts[i-1].Status) {
			return i
		}
	}
	return 0
}

// taken says that a segment went out.
func taken(s gateway.Status) bool {
	switch s {
	case gateway.StatusSubmitted, gateway.StatusSent, gateway.StatusDelivered, gateway.StatusUndelivered:
		return true
	}
	return false
}

// begun says that some segments of the message went out already: the others must
// follow over the same SIM.
func begun(m *gateway.Message) bool {
	return slices.ContainsFunc(m.Parts, func(p gateway.Part) bool { return taken(p.Status) })
}

func segments(m *gateway.Message) int { return max(int(m.Segments), 1) }

// send carries one send, in a goroutine of its own.
func (d *Dialer) send(s *slot, sub modem.Submission, hold time.Duration) {
	defer d.senders.Done()
	if hold > 0 && !pause(d.sends, hold) {
		// The bank answers for a context that ended; nothing went out.
		d.mail.post(event{kind: eventSent, slot: s, err: gateway.Errorf(gateway.KindUnavailable, "the dialer stopped before the send began")})
		return
	}
	r, err := d.o.Channels.Send(d.sends, s.id, sub)
	d.mail.post(event{kind: eventSent, slot: s, receipt: r, err: err})
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
