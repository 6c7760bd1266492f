package dwg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/modemtest"
	"fieldpost/modem/sim"
)

const (
	testUser     = "admin"
	testPassword = "s3cret"
)

// testTimes are short where a test must wait for the driver to give up.
var testTimes = Times{
	Login: 5 * time.Second, Pause: time.Millisecond, Ack: 500 * time.Millisecond, Result: 500 * time.Millisecond,
	Settle: 500 * time.Millisecond, USSD: 5 * time.Second,
}

// freeAddress gives an address of the loopback where nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func newDriver(t testing.TB, address string) *Driver {
	t.Helper()
	d, err := New(Options{URL: "tcp://" + address, User: testUser, Password: testPassword, Times: testTimes})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newNetwork(t testing.TB) *sim.Network {
	t.Helper()
	n := sim.NewNetwork(sim.NetworkOptions{USSD: map[string]sim.USSD{
		modemtest.USSDCode: {Text: modemtest.USSDText},
		"*200#":            {Text: "1: data, 2: voice", Next: map[string]sim.USSD{"1": {Text: "42 MB"}}},
	}})
	closes(t, n)
	return n
}

func closes(t testing.TB, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// newGateway makes a gateway that dials at short intervals.
func newGateway(t testing.TB, n *sim.Network, address string, change func(o *sim.DWGOptions)) *sim.DWG {
	t.Helper()
	o := sim.DWGOptions{
		Network: n, Address: address, User: testUser, Password: testPassword,
		Redial: 5 * time.Millisecond, Resend: 400 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	g, err := sim.NewDWG(o)
	if err != nil {
		t.Fatal(err)
	}
	closes(t, g)
	return g
}

// onePort tells the suite of the port that it drives alone.
type onePort struct {
	*Driver
	port int
}

func (o onePort) Run(ctx context.Context, host modem.Host) error {
	return o.Driver.Run(ctx, portHost{host, o.port})
}

type portHost struct {
	modem.Host
	port int
}

func (h portHost) Channel(c gateway.Channel) {
	if c.Port == h.port || c.State == gateway.ChannelAbsent { // port 0 stands for a gateway of which nothing is known
		c.Port = h.port
		h.Host.Channel(c)
	}
}

// rig does the acts of the conformance suite with a simulated gateway.
type rig struct {
	g    *sim.DWG
	port int

	mu   sync.Mutex
	held chan struct{} // closed when a send is held
	gate chan struct{} // closed by Release
	said chan struct{} // closed when the late result is on the line
}

func newRig(t testing.TB) *modemtest.Rig {
	address := freeAddress(t)
	n := newNetwork(t)
	r := &rig{g: newGateway(t, n, address, nil), port: 3}
	return &modemtest.Rig{
		Driver: onePort{newDriver(t, address), r.port}, Port: r.port, Joins: true, Network: n, SIM: r.g.Card(r.port).ICCID(),
		Stored: func() int { return r.g.Stored(r.port) }, Do: r.do,
	}
}

func (r *rig) do(ctx context.Context, a modemtest.Act) error {
	switch a {
	case modemtest.RefuseNext:
		r.g.Inject(sim.DWGFault{Do: sim.DWGResult, Code: 1})
	case modemtest.ThrottleNext:
		r.g.Inject(sim.DWGFault{Do: sim.DWGResult, Code: 4})
	case modemtest.SwallowNext:
		r.g.Inject(sim.DWGFault{Do: sim.DWGSilence})
	case modemtest.LoseNext:
		r.g.Inject(sim.DWGFault{Do: sim.DWGLose})
	case modemtest.HoldNext:
		r.keep(sim.DWGStall)
	case modemtest.DelayNext:
		r.keep(sim.DWGLate)
	case modemtest.AwaitHeld:
		return r.await(ctx, func() chan struct{} { return r.held })
	case modemtest.Release:
		r.mu.Lock()
		close(r.gate)
		late := r.said != nil
		r.mu.Unlock()
		if late {
			return r.await(ctx, func() chan struct{} { return r.said })
		}
	case modemtest.Unplug:
		r.g.Unplug()
	case modemtest.Plug:
		r.g.Replug()
	case modemtest.LoseNetwork:
		r.g.SetStatus(r.port, 2)
	case modemtest.FindNetwork:
		r.g.SetStatus(r.port, 0)
	case modemtest.RemoveSIM:
		r.g.SetStatus(r.port, 1)
	default:
		return fmt.Errorf("%w: %s", errors.ErrUnsupported, a)
	}
	return nil
}

func (r *rig) keep(do sim.DWGDeed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.gate, r.said = make(chan struct{}), make(chan struct{}), nil
	if do == sim.DWGLate {
		r.said = make(chan struct{})
	}
	r.g.Inject(sim.DWGFault{Do: do, Until: r.gate, Hit: r.held, Said: r.said})
}

func (r *rig) await(ctx context.Context, which func() chan struct{}) error {
	r.mu.Lock()
	c := which()
	r.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
