package dwg

import (
	"context"
	"errors"
	"fmt"
	"net"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

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
		s: s, debt: debt{uint8(port), string(m.To)}, serial: f.ID.Serial, userID: m.UserID,
		acks: make(chan byte, 1), done: make(chan dwgwire.Result, 1), moved: make(chan *session, 1),
	}
	if err := d.board(fl); err != nil {
		return modem.Receipt{}, err
	}
	return modem.Receipt{}, d.fly(ctx, fl, s, f)
}

// fly sends the frame and waits for what becomes of it.
func (d *Driver) fly(ctx context.Context, fl *flight, s *session, f *dwgwire.Frame) error {
	left, err := s.send(f)
	if !left {
		d.land(fl, false)
		if errors.Is(err, net.ErrClosed) {
			return errAway
		}
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: fmt.Sprintf("the message did not reach the gateway: %v", err), Err: err}
	}
	err, taken := d.watch(ctx, fl, s)
	d.land(fl, taken)
	return err
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
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.results.again(f) {
		return nil // our answer to it was lost
	}
	for _, number := range r.Numbers {
		k := debt{r.Port, number}
		fl := d.flights[int(r.Port)]
		switch {
		case fl != nil && fl.s == s && fl.debt.is(k) && fl.acked && !fl.over:
			fl.over = true
			fl.done <- r
		default:
			d.settle(s, k, &r)
		}
	}
	return nil
}
