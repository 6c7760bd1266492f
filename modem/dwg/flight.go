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
	debt   debt
	serial uint32
	userID uint32
	acks   chan byte           // capacity 1
	done   chan dwgwire.Result // capacity 1
	moved  chan *session       // capacity 1: the gateway is back here; nil = it was replaced

	// Under Driver.mu.
	s     *session // whose results are ours
	acked bool
	over  bool // its result came
}

// debt is a result that the gateway owes: it comes under nothing but port and number, and the
// number as the gateway writes it.
type debt struct {
	port   uint8
	number string
}

// is says that two debts are one: a gateway may write a number in its own way.
func (k debt) is(o debt) bool { return k.port == o.port && modem.SameNumber(k.number, o.number) }

// owing gives the debt that k is, if it is owed. d.mu is held.
func (d *Driver) owing(k debt) (debt, bool) {
	for o := range d.owed {
		if o.is(k) {
			return o, true
		}
	}
	return debt{}, false
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
	for k, o := range d.owed {
		if !now.Before(o.until) {
			delete(d.owed, k)
		}
	}
	if k, owed := d.owing(fl.debt); owed {
		return &gateway.Error{
			Kind: gateway.KindUnavailable, Retry: d.owed[k].until.Sub(now),
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
		d.owed[fl.debt] = owing{s: fl.s, acked: fl.acked, userID: fl.userID, until: time.Now().Add(d.o.Times.Settle)}
	}
}

// follow lets the flights of a gateway that is back wait for their results here. It said
// that it has them, and it tells their results to whom it is connected then. d.mu is held.
func (d *Driver) follow(s *session) {
	for _, fl := range d.flights {
		if !fl.acked || fl.over {
			continue
		}
		to := s
		if fl.s.same(s) {
			fl.s = s
		} else {
			to = nil
		}
		select {
		case <-fl.moved: // it came and went before anybody looked
		default:
		}
		fl.moved <- to
	}
}

// taken says that the gateway acknowledged a flight.
func (d *Driver) taken(fl *flight) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fl.acked
}

// watch waits for the acknowledgement and the result, on the connection that the send
// left over and on the gateway's next ones. taken = false: the gateway did not take the
// message, and no result will come.
func (d *Driver) watch(ctx context.Context, fl *flight, s *session) (err error, taken bool) {
	limit := time.NewTimer(d.o.Times.Ack)
	defer limit.Stop()
	gone, what := s.gone, "did not acknowledge the message"
	until := time.Now().Add(d.o.Times.Ack + d.o.Times.Result)
	for {
		select {
		case code := <-fl.acks:
			if code != 0 {
				return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway did not take the message", Code: fmt.Sprintf("DWG ack %d", code)}, false
			}
			until = time.Now().Add(d.o.Times.Result)
			limit.Reset(d.o.Times.Result)
			what = "did not tell the result of the message"
		case r := <-fl.done:
			return verdict(&r), true
		case <-gone:
			gone = nil
			if len(fl.done) == 0 && !d.taken(fl) { // whether it has the message nobody can know
				return s.lost(gateway.KindUnknownOutcome), true
			}
		case s2 := <-fl.moved:
			if s2 == nil {
				return s.lost(gateway.KindUnknownOutcome), true
			}
			s, gone = s2, s2.gone
			limit.Reset(min(d.o.Times.Return, time.Until(until)))
			what = "came back and did not tell the result of the message"
		case <-s.h.over:
			select {
			case r := <-fl.done: // it came with the last frames
				return verdict(&r), true
			default:
				return gateway.Errorf(gateway.KindUnknownOutcome, "the gateway cannot be heard any more"), true
			}
		case <-limit.C:
			return gateway.Errorf(gateway.KindUnknownOutcome, "the gateway %s in time", what), true
		case <-ctx.Done():
			return gateway.Errorf(gateway.KindUnknownOutcome, "given up before the outcome was known: %w", ctx.Err()), true
		}
	}
}
