package modemtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// ModemRig makes the rig of a driver that drives a simulated modem. The modem's
// network must answer USSDCode with USSDText.
func ModemRig(d modem.Driver, port int, n *sim.Network, m *sim.Modem) *Rig {
	r := &modemRig{modem: m, network: n}
	return &Rig{
		Driver: d, Port: port, Network: n, SIM: m.Card().ICCID(), ICCID: m.Card().ICCID(),
		Stored: m.Card().Stored, Do: r.do,
	}
}

// modemRig does the acts with a sim.Modem.
type modemRig struct {
	modem   *sim.Modem
	network *sim.Network

	mu   sync.Mutex
	held chan struct{} // closed when a send is held; nil before HoldNext
	gate chan struct{} // closed by Release; nil while nothing is kept
	said chan struct{} // closed when the late answer is on the line; nil where there is none
}

func (r *modemRig) do(ctx context.Context, a Act) error {
	m := r.modem
	switch a {
	case RefuseNext:
		m.Inject(sim.Fault{At: 1, Do: sim.Refuse, Code: 1}) // unassigned number (TS 24.011 §8.2.5.4)
	case ThrottleNext:
		m.Inject(sim.Fault{At: 1, Do: sim.Refuse, Code: 42}) // congestion
	case SwallowNext:
		m.Inject(sim.Fault{At: 1, Do: sim.Silence})
	case LoseNext:
		m.Inject(sim.Fault{At: 1, Do: sim.LoseAnswer})
	case DelayNext:
		r.keep(sim.LateAside)
	case HoldNext:
		r.keep(sim.Stall)
	case AwaitHeld:
		return r.await(ctx)
	case Release:
		return r.release(ctx)
	case Unplug:
		m.Unplug()
	case Plug:
		return m.Replug()
	default:
		return r.world(a)
	}
	return nil
}

// world does the acts of the network and the card.
func (r *modemRig) world(a Act) error {
	m := r.modem
	switch a {
	case LoseNetwork:
		m.SetRegistration(gateway.RegSearching)
	case FindNetwork:
		m.SetRegistration(gateway.RegHome)
	case RemoveSIM:
		m.RemoveCard()
	case AskPIN:
		m.InsertCard(sim.NewCard(sim.CardOptions{ICCID: "8959807999999999991", IMSI: "748079999999991", PIN: "4711"}))
	case AskPUK:
		m.InsertCard(sim.NewCard(sim.CardOptions{ICCID: "8959807999999999992", IMSI: "748079999999992", PIN: "4711", Spent: true}))
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

func (r *modemRig) keep(do sim.Deed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.gate, r.said = make(chan struct{}), make(chan struct{}), nil
	if do == sim.LateAside {
		r.said = make(chan struct{})
	}
	r.modem.Inject(sim.Fault{At: 1, Do: do, Until: r.gate, Hit: r.held, Said: r.said})
}

func (r *modemRig) await(ctx context.Context) error {
	r.mu.Lock()
	held := r.held
	r.mu.Unlock()
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

func (r *modemRig) release(ctx context.Context) error {
	r.mu.Lock()
	gate, said := r.gate, r.said
	r.gate = nil
	r.mu.Unlock()
	if gate == nil {
		return errors.New("nothing is kept")
	}
	close(gate)
	if said == nil {
		return nil
	}
	select {
	case <-said:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
