package dwg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// Driver drives one gateway.
type Driver struct {
	o       Options
	address string
	serial  atomic.Uint32 // of our last request
	recall  sync.Once     // see inherit

	mu      sync.Mutex
	bound   net.Addr        // nil while nobody listens
	session *session        // nil while no gateway is logged in
	flights map[int]*flight // by port: the send that waits
	owed    map[debt]owing
	late    late          // results of sends that were given up
	results recent        // results that came
	talks   map[int]*talk // by port: the USSD dialogue that waits
	open    map[int]bool  // by port: the network waits for more
}

// New makes a driver. It opens nothing: see Run.
func New(o Options) (*Driver, error) {
	address, err := o.check()
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Times = o.Times.orUsual()
	return &Driver{
		o: o, address: address,
		flights: map[int]*flight{}, owed: map[debt]owing{}, talks: map[int]*talk{}, open: map[int]bool{},
	}, nil
}

// Limits says that the driver takes whole messages.
func (d *Driver) Limits() modem.Limits {
	t := &d.o.Times
	return modem.Limits{Whole: true, Send: 2*t.Frame + t.Ack + t.Result + 5*time.Second}
}

// Addr gives where the driver listens, nil while it does not.
func (d *Driver) Addr() net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bound
}

// Run listens and serves the gateway, and the one that comes after it, until ctx ends (nil)
// or nobody can be heard any more (why).
func (d *Driver) Run(ctx context.Context, host modem.Host) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", d.address)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		why := d.deaf(err)
		newPorts(host).away(why) // a provider without a channel is one that nobody sees
		return &gateway.Error{Kind: gateway.KindUnavailable, Field: "url", Text: why, Err: err}
	}
	d.setBound(ln.Addr())
	defer d.setBound(nil)
	h := newHall(d, host, ln)
	err = h.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deaf says why nobody can listen where the url says.
func (d *Driver) deaf(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("another program listens on %s: end it, or give another port in url and in the gateway's SMS server settings", d.address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("%s is no address of this machine now: url names where this machine listens, not the gateway", d.address)
	}
	return fmt.Sprintf("nobody can listen on %s: %v", d.address, err)
}

func (d *Driver) setBound(a net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bound = a
}

// present gives the session with the gateway.
func (d *Driver) present() (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == nil {
		return nil, errAway
	}
	return d.session, nil
}

var errAway = &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway is not connected"}
