package modemtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// DinstarDoor stands before the API of a simulated gateway: it takes the gateway
// away, and holds sends.
type DinstarDoor struct {
	api http.Handler

	mu   sync.Mutex
	away chan struct{} // closed while the gateway is away
	gone bool
	hold bool          // the next send is to be held
	done bool          // and is done before
	held chan struct{} // closed when a send is held
	gate chan struct{} // closed by Release
}

// NewDinstarDoor makes an open door.
func NewDinstarDoor(d *sim.Dinstar) *DinstarDoor {
	return &DinstarDoor{api: d.Handler(), away: make(chan struct{})}
}

// ServeHTTP lets a request through, or not.
func (d *DinstarDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	away, gate, done := d.away, d.gate, d.done
	mine := d.hold && r.URL.Path == "/api/send_sms" && r.Header.Get("Authorization") != ""
	if mine {
		d.hold = false
	}
	held := d.held
	d.mu.Unlock()
	select {
	case <-away:
		panic(http.ErrAbortHandler)
	default:
	}
	if !mine {
		d.api.ServeHTTP(w, r)
		return
	}
	if done {
		d.api.ServeHTTP(w, r) // its answer waits in the server's buffer
	}
	close(held)
	select {
	case <-gate:
	case <-away:
		panic(http.ErrAbortHandler)
	}
	if !done {
		d.api.ServeHTTP(w, r)
	}
}

func (d *DinstarDoor) keep(done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold, d.done, d.held, d.gate = true, done, make(chan struct{}), make(chan struct{})
}

func (d *DinstarDoor) await(ctx context.Context) error {
	d.mu.Lock()
	held := d.held
	d.mu.Unlock()
	if held == nil {
		return errors.New("nothing is to be held")
	}
	select {
	case <-held:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *DinstarDoor) release() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gate == nil {
		return errors.New("nothing is kept")
	}
	close(d.gate)
	d.gate = nil
	return nil
}

func (d *DinstarDoor) shut(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case away && !d.gone:
		close(d.away)
	case !away && d.gone:
		d.away = make(chan struct{})
	}
	d.gone = away
}

// DinstarRig makes the rig of a driver that drives a port of a simulated gateway
// through a door.
func DinstarRig(d modem.Driver, port int, n *sim.Network, g *sim.Dinstar, door *DinstarDoor) *Rig {
	r := &dinstarRig{gateway: g, network: n, port: port, door: door}
	return &Rig{
		Driver: d, Port: port, Network: n, SIM: g.Card(port).ICCID(), ICCID: g.Card(port).ICCID(),
		Joins: true, Stored: g.Inbox, Do: r.do,
	}
}

// dinstarRig does the acts with a sim.Dinstar.
type dinstarRig struct {
	gateway *sim.Dinstar
	network *sim.Network
	port    int
	door    *DinstarDoor
}

func (r *dinstarRig) do(ctx context.Context, a Act) error {
	switch a {
	case RefuseNext:
		r.gateway.Refuse(sim.DinstarRefusal{Port: r.port, Times: 1})
	case ThrottleNext:
		r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.AnswerCode, Code: 550})
	case SwallowNext:
		r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.DropBefore})
	case LoseNext:
		r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.AcceptAndDrop})
	case DelayNext:
		r.door.keep(true)
	case HoldNext:
		r.door.keep(false)
	case AwaitHeld:
		return r.door.await(ctx)
	case Release:
		return r.door.release()
	case Unplug:
		r.door.shut(true)
	case Plug:
		r.door.shut(false)
	default:
		return r.world(a)
	}
	return nil
}

// world does the acts of the network and the card.
func (r *dinstarRig) world(a Act) error {
	switch a {
	case LoseNetwork:
		return r.gateway.SetPort(r.port, sim.DinstarSearching)
	case FindNetwork:
		return r.gateway.SetPort(r.port, "")
	case RemoveSIM:
		return r.gateway.SetPort(r.port, sim.DinstarNoSIM)
	case AskPIN:
		return r.gateway.SetPort(r.port, sim.DinstarPIN)
	case AskPUK:
		return r.gateway.SetPort(r.port, sim.DinstarPUK)
	case ReportEarly:
		r.network.SetReports(sim.Reports{Early: true})
	case ReportLate:
		r.network.SetReports(sim.Reports{Delay: 100 * time.Millisecond})
	case ReportTwice:
		r.network.SetReports(sim.Reports{Twice: 1})
	case ReportFailed:
		r.network.SetReports(sim.Reports{Status: 0x46})
	default:
		return fmt.Errorf("%w: %s", errors.ErrUnsupported, a)
	}
	return nil
}
