package dinstar

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

const patience = 20 * time.Second

// rig is a driver that runs on a simulated gateway, and its host.
type rig struct {
	testing.TB
	net     *sim.Network
	gateway *sim.Dinstar
	driver  *Driver
	cancel  context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	ch      map[int]gateway.Channel
	states  []gateway.Channel // as they were told
	parts   []modem.Part
	reports []gateway.StatusReport
	refuse  int // inbound messages that are not stored
	changed chan struct{}
}

func (r *rig) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// Channel keeps a state.
func (r *rig) Channel(c gateway.Channel) {
	r.change(func() {
		r.ch[c.Port] = c
		r.states = append(r.states, c)
	})
}

// Inbound keeps a part.
func (r *rig) Inbound(_ context.Context, in modem.Part) (err error) {
	r.change(func() {
		if r.refuse > 0 {
			r.refuse--
			err = errors.New("the disk is full")
			return
		}
		r.parts = append(r.parts, in)
	})
	return err
}

// Report keeps a report.
func (r *rig) Report(_ context.Context, s gateway.StatusReport) error {
	r.change(func() { r.reports = append(r.reports, s) })
	return nil
}

// until waits for a condition of the host.
func (r *rig) until(what string, cond func() bool) {
	r.Helper()
	limit := time.After(patience)
	for {
		r.mu.Lock()
		met, changed := cond(), r.changed
		r.mu.Unlock()
		if met {
			return
		}
		select {
		case <-changed:
		case <-limit:
			r.Fatalf("%s: it never came", what)
		}
	}
}

func (r *rig) ready(port int) {
	r.Helper()
	r.until("a ready port", func() bool { return r.ch[port].State == gateway.ChannelReady })
}

// newRig makes a rig on a simulated gateway; change may be nil.
func newRig(t testing.TB, so sim.DinstarOptions, change func(o *Options)) *rig {
	t.Helper()
	r := &rig{TB: t, net: so.Network, ch: map[int]gateway.Channel{}, changed: make(chan struct{})}
	if r.net == nil {
		r.net = sim.NewNetwork(sim.NetworkOptions{})
		t.Cleanup(func() { r.net.Close() })
	}
	so.Network, so.Password = r.net, "s3cret"
	g, err := sim.OpenDinstar(so)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	r.gateway = g
	o := Options{Provider: "rack", URL: g.URL(), User: "admin", Password: "s3cret", Times: brief(), Every: often()}
	if change != nil {
		change(&o)
	}
	r.run(o)
	return r
}

// run starts a driver, as the bank does.
func (r *rig) run(o Options) {
	r.Helper()
	d, err := New(o)
	if err != nil {
		r.Fatal(err)
	}
	r.driver = d
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go func() {
		defer close(r.done)
		for ctx.Err() == nil {
			_ = d.Run(ctx, r) // a gateway that is away at the start
		}
	}()
	r.Cleanup(r.stop)
}

func (r *rig) stop() {
	r.cancel()
	<-r.done
	r.driver.api.wire.CloseIdleConnections()
}

// send sends one text of one segment.
func (r *rig) send(port int, id uint32, text string) (modem.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.driver.Send(ctx, port, modem.Submission{
		IDM: uint64(id), UserID: id, To: "+59899123456", Text: text, Encoding: gateway.EncodingUCS2, Segments: 1,
	})
}

func (r *rig) copies(text string) int {
	return r.net.Copies()[sim.Copy{To: "+59899123456", Text: text}]
}

// wire serves a gateway that is a function, and a client that asks it.
func wire(t *testing.T, h http.HandlerFunc) (*Driver, *client) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	d, err := New(Options{Provider: "rack", URL: server.URL, User: "api", Password: "s3cret", Times: brief(), Every: often()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.api.wire.CloseIdleConnections)
	return d, d.api
}
