package dwg

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// flight is a send that waits for its outcome.
type flight struct {
	s      *session
	debt   debt
	serial uint32
	acks   chan byte           // capacity 1
	done   chan dwgwire.Result // capacity 1
	acked  bool                // under Driver.mu
	over   bool                // its result came; under Driver.mu
}

// debt is a result that the gateway owes: it comes under nothing but port and number.
type debt struct {
	port   uint8
	number string
}

// Send hands a whole message to a port.
func (d *Driver) Send(ctx context.Context, port int, m modem.Submission) (modem.Receipt, error) {
	if ctx.Err() != nil {
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "given up before it was sent: %w", ctx.Err())
	}
	s, err := d.present()
	if err != nil {
		return modem.Receipt{}, err
	}
	if err := s.h.ports.ready(port); err != nil {
		return modem.Receipt{}, err
	}
	e, content := dwgwire.EncodeText(m.Text)
	body, err := (&dwgwire.Submit{Port: uint8(port), Encoding: e, Numbers: []string{string(m.To)}, Content: content}).Encode()
	if err != nil {
		return modem.Receipt{}, err
	}
	f := d.request(s, dwgwire.SendSMS, body)
	fl := &flight{
		s: s, debt: debt{uint8(port), string(m.To)}, serial: f.ID.Serial,
		acks: make(chan byte, 1), done: make(chan dwgwire.Result, 1),
	}
	if err := d.board(fl); err != nil {
		return modem.Receipt{}, err
	}
	return modem.Receipt{}, d.fly(ctx, fl, f)
}

// board makes a flight the port's one, unless a result to its number is still owed.
func (d *Driver) board(fl *flight) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	port := int(fl.debt.port)
	if d.flights[port] != nil {
		return gateway.Errorf(gateway.KindConflict, "port %d has a send already", port)
	}
	now := time.Now()
	for k, until := range d.owed {
		if !now.Before(until) {
			delete(d.owed, k)
		}
	}
	if until, owed := d.owed[fl.debt]; owed {
		return &gateway.Error{
			Kind: gateway.KindUnavailable, Retry: until.Sub(now),
			Text: "the result of an earlier message to this number may still come over this port, and could not be told from this one's",
		}
	}
	d.flights[port] = fl
	return nil
}

// land takes a flight off. One that left and has no result is owed it.
func (d *Driver) land(fl *flight, left bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.flights, int(fl.debt.port))
	if left && !fl.over {
		d.owed[fl.debt] = time.Now().Add(d.o.Times.Settle)
	}
}

// fly sends the frame and waits for what becomes of it.
func (d *Driver) fly(ctx context.Context, fl *flight, f *dwgwire.Frame) error {
	left, err := fl.s.send(f)
	if !left {
		d.land(fl, false)
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: fmt.Sprintf("the message did not reach the gateway: %v", err), Err: err}
	}
	err, taken := d.watch(ctx, fl)
	d.land(fl, taken)
	return err
}

// watch waits for the acknowledgement and the result. taken = false: the gateway did
// not take the message, and no result will come.
func (d *Driver) watch(ctx context.Context, fl *flight) (err error, taken bool) {
	limit := time.NewTimer(d.o.Times.Ack)
	defer limit.Stop()
	what := "did not acknowledge the message"
	for {
		select {
		case code := <-fl.acks:
			if code != 0 {
				return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway did not take the message", Code: fmt.Sprintf("DWG ack %d", code)}, false
			}
			limit.Reset(d.o.Times.Result)
			what = "did not tell the result of the message"
		case r := <-fl.done:
			return verdict(&r), true
		case <-fl.s.gone:
			select {
			case r := <-fl.done: // it came with the last frames
				return verdict(&r), true
			default:
				return fl.s.lost(gateway.KindUnknownOutcome), true
			}
		case <-limit.C:
			return gateway.Errorf(gateway.KindUnknownOutcome, "the gateway %s in time", what), true
		case <-ctx.Done():
			return gateway.Errorf(gateway.KindUnknownOutcome, "given up before the outcome was known: %w", ctx.Err()), true
		}
	}
}

// acked takes the acknowledgement of a send, which has the send's id.
func (d *Driver) acked(s *session, f dwgwire.Frame) {
	code := byte(0)
	if len(f.Body) > 0 {
		code = f.Body[0]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, fl := range d.flights {
		if fl.s == s && fl.serial == f.ID.Serial && !fl.acked {
			fl.acked = true
			fl.acks <- code
		}
	}
}

// result takes a send result. It is the flight's only when the flight was
// acknowledged and nothing was owed before.
func (s *session) result(f dwgwire.Frame) error {
	r, err := dwgwire.DecodeResult(f.Body)
	if err != nil {
		return err
	}
	if s.results.again(f) {
		return nil // our answer to it was lost
	}
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, number := range r.Numbers {
		k := debt{r.Port, number}
		fl := d.flights[int(r.Port)]
		switch {
		case fl != nil && fl.s == s && fl.debt == k && fl.acked && !fl.over:
			fl.over = true
			fl.done <- r
		default:
			delete(d.owed, k) // late, and nobody's
		}
	}
	return nil
}

// recent remembers the last results, so that one which comes again is not taken
// for another.
type recent struct {
	seen [32]string
	next int
}

// again says that a frame came before, and remembers it. One without an id of its own
// cannot be told.
func (r *recent) again(f dwgwire.Frame) bool {
	if f.ID.Serial == 0 {
		return false
	}
	name := fmt.Sprintf("%d %d %x", f.ID.Time, f.ID.Serial, f.Body)
	for _, s := range r.seen {
		if s == name {
			return true
		}
	}
	r.seen[r.next] = name
	r.next = (r.next + 1) % len(r.seen)
	return false
}
