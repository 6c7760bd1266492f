package dwg

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

const ussdLength = 182 // characters of a request (TS 22.090 §5.2)

// talk is a USSD request that waits for its answer.
type talk struct {
	s      *session
	serial uint32
	acks   chan byte               // capacity 1
	done   chan dwgwire.USSDAnswer // capacity 1
	acked  bool                    // under Driver.mu
}

// USSD runs one step of a dialogue on a port. Where the network waits for more after its
// answer, the next call goes on with the same dialogue, unless its code begins a new one, with
// * or #. A second request on a port is KindConflict.
func (d *Driver) USSD(ctx context.Context, port int, code string) (string, error) {
	if code == "" || len(code) > ussdLength {
		return "", gateway.Invalid("code", "must be 1 to %d characters such as *123#", ussdLength)
	}
	s, err := d.present()
	if err != nil {
		return "", err
	}
	if err := s.h.ports.ready(port); err != nil {
		return "", err
	}
	body, err := (&dwgwire.USSDRequest{Port: uint8(port), Kind: dwgwire.USSDSend, Code: code}).Encode()
	if err != nil {
		return "", err
	}
	f := d.request(s, dwgwire.SendUSSD, body)
	t := &talk{s: s, serial: f.ID.Serial, acks: make(chan byte, 1), done: make(chan dwgwire.USSDAnswer, 1)}
	stale, err := d.begin(port, t, strings.ContainsRune("*#", rune(code[0])))
	if err != nil {
		return "", err
	}
	defer d.finish(port, t)
	if stale {
		d.hangUp(s, port)
	}
	if _, err := s.send(f); err != nil {
		return "", gateway.Errorf(gateway.KindUnavailable, "the request did not reach the gateway: %w", err)
	}
	return d.converse(ctx, port, t)
}

// begin makes t the port's dialogue. stale = one that is open must be ended first.
func (d *Driver) begin(port int, t *talk, fresh bool) (stale bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.talks[port] != nil {
		return false, gateway.Errorf(gateway.KindConflict, "port %d has a USSD dialogue already", port)
	}
	d.talks[port] = t
	stale = fresh && d.open[port]
	delete(d.open, port)
	return stale, nil
}

func (d *Driver) finish(port int, t *talk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.talks[port] == t {
		delete(d.talks, port)
	}
}

// hangUp ends the dialogue on the network's side.
func (d *Driver) hangUp(s *session, port int) {
	body, err := (&dwgwire.USSDRequest{Port: uint8(port), Kind: dwgwire.USSDEnd}).Encode()
	if err == nil {
		_, _ = s.send(d.request(s, dwgwire.SendUSSD, body)) // a gateway that is gone has ended it too
	}
}

// converse waits for the network's answer.
func (d *Driver) converse(ctx context.Context, port int, t *talk) (string, error) {
	limit := time.NewTimer(d.o.Times.Ack)
	defer limit.Stop()
	for {
		select {
		case code := <-t.acks:
			if code != 0 {
				return "", &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway did not take the request", Code: fmt.Sprintf("DWG ack %d", code)}
			}
			limit.Reset(d.o.Times.USSD)
		case a := <-t.done:
			return a.Text, ussdError(&a)
		case <-t.s.gone:
			return "", t.s.lost(gateway.KindUnavailable)
		case <-ctx.Done():
			d.hangUp(t.s, port)
			return "", gateway.Errorf(gateway.KindUnavailable, "the request was given up before the network answered: %w", ctx.Err())
		case <-limit.C:
			d.hangUp(t.s, port)
			return "", gateway.Errorf(gateway.KindUnavailable, "the network did not answer the request")
		}
	}
}

// ussdError says what an answer means that is none.
func ussdError(a *dwgwire.USSDAnswer) error {
	switch {
	case a.Status == dwgwire.USSDDone, a.Status == dwgwire.USSDMore:
		return nil
	case a.Status == dwgwire.USSDUnsupported:
		return gateway.Errorf(gateway.KindRefused, "the network does not know this request")
	case a.Status == dwgwire.USSDEnded && a.Text != "":
		return nil
	case a.Status == dwgwire.USSDEnded:
		return gateway.Errorf(gateway.KindRefused, "the network ended the dialogue without an answer")
	}
	return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the request did not work", Code: fmt.Sprintf("DWG USSD %d", a.Status)}
}

// ussdAcked takes the acknowledgement of a request, which has the request's id.
func (d *Driver) ussdAcked(s *session, f dwgwire.Frame) {
	code := byte(0)
	if len(f.Body) > 0 {
		code = f.Body[0]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.talks {
		if t.s == s && t.serial == f.ID.Serial && !t.acked {
			t.acked = true
			t.acks <- code
		}
	}
}

// ussdReplied takes an answer of the network. One that comes before the request was
// acknowledged belongs to an earlier one.
func (d *Driver) ussdReplied(s *session, f dwgwire.Frame) error {
	a, err := dwgwire.DecodeUSSDAnswer(f.Body)
	if err != nil && len(f.Body) < 2 {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	port := int(a.Port)
	t := d.talks[port]
	if port <= gateway.MaxPort {
		d.open[port] = a.Status == dwgwire.USSDMore
	}
	if t == nil || t.s != s || !t.acked {
		return err
	}
	delete(d.talks, port)
	t.done <- a
	return err
}
