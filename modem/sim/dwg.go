package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

// DWGOptions say what a gateway of the binary API is, and whom it dials.
type DWGOptions struct {
	Network  *Network
	Address  string // host:port that it dials
	User     string
	Password string
	Ports    int           // 1 to 32; 0 = 8
	Latency  time.Duration // of the radio for a segment
	Redial   time.Duration // between two tries to connect; 0 = 1 s
	Resend   time.Duration // until a received message that is not acknowledged goes again; 0 = 10 s
	Alive    time.Duration // between two keep-alives; 0 = 30 s
	Slow     time.Duration // pause before each byte that it writes
	Faults   []DWGFault    // from the start
	First    int           // number of the first port's card; cards of one network differ
}

// DWG is a Dinstar gateway of the DWG SMS API v2.1: it dials out, logs in, tells
// the state of its ports, and sends what it is given on its Network.
type DWG struct {
	o     DWGOptions
	net   *Network
	mac   [6]byte
	ports []*dwgPort
	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	wg    sync.WaitGroup

	mu       sync.Mutex
	password string
	conn     net.Conn           // nil while it is not logged in
	power    context.Context    // ends with Unplug; nil while it has none
	off      context.CancelFunc // of power
	plugged  chan struct{}      // closed by Replug; nil while it has power
	serial   uint32
	sends    uint64
	faults   []DWGFault
	outbox   []*dwgwire.Frame           // results that wait for a connection
	inbox    []*dwgIn                   // received messages that nobody acknowledged
	threads  map[dwgThread][]*Delivered // parts that wait for the others
	refused  int                        // logins
	dup      bool                       // each received message goes two times

	write sync.Mutex // held while a frame goes out
}

// dwgPort is a port with its card.
type dwgPort struct {
	index int
	card  *Card
	radio sync.Mutex // held while it sends

	status dwgwire.Status // under DWG.mu
	signal uint8          // under DWG.mu
	talk   *USSD          // the open dialogue; under DWG.mu
}

// NewDWG makes a gateway that begins to dial at once. Close it.
func NewDWG(o DWGOptions) (*DWG, error) {
	if o.Ports == 0 {
		o.Ports = 8
	}
	if o.Ports < 1 || o.Ports > gateway.MaxPort+1 {
		return nil, gateway.Invalid("ports", "are %d: between 1 and %d", o.Ports, gateway.MaxPort+1)
	}
	if err := dwgwire.CheckCredentials(o.User, o.Password); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		d     *time.Duration
		usual time.Duration
	}{{&o.Redial, time.Second}, {&o.Resend, 10 * time.Second}, {&o.Alive, 30 * time.Second}} {
		if *f.d <= 0 {
			*f.d = f.usual
		}
	}
	g := &DWG{
		o: o, net: o.Network, mac: [6]byte{0x00, 0xFA, 0xB3, 0, byte(o.First >> 8), byte(o.First)}, password: o.Password,
		faults: o.Faults, threads: map[dwgThread][]*Delivered{},
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.power, g.off = context.WithCancel(g.ctx)
	for i := range o.Ports {
		p := &dwgPort{index: i, card: numberedCard(CardOptions{}, o.First+i), signal: 20}
		g.ports = append(g.ports, p)
		g.net.Attach(p.card.ICCID(), p.card.Number(), g.receiver(p))
	}
	g.wg.Go(g.run)
	return g, nil
}

// Close takes the gateway away for good.
func (g *DWG) Close() error {
	g.stop()
	g.wg.Wait()
	return nil
}

// Card gives the card of a port.
func (g *DWG) Card(port int) *Card { return g.ports[port].card }

// SetPassword makes the gateway log in with another password from now on.
func (g *DWG) SetPassword(password string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.password = password
}

// Refused gives how many logins were refused.
func (g *DWG) Refused() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// Unplug takes the power away: what was on its way is forgotten, save received
// messages, which stand on the cards.
func (g *DWG) Unplug() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.plugged == nil {
		g.plugged = make(chan struct{})
		g.outbox = nil
		g.off()
	}
}

// Replug gives the power back.
func (g *DWG) Replug() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.plugged != nil {
		g.power, g.off = context.WithCancel(g.ctx)
		close(g.plugged)
		g.plugged = nil
	}
}

// Drop closes the connection; the gateway dials again.
func (g *DWG) Drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil {
		_ = g.conn.Close() // the reader finds out
	}
}

// Babble writes bytes that are no frame, and false where nobody is connected.
func (g *DWG) Babble(raw []byte) bool {
	g.mu.Lock()
	conn := g.conn
	g.mu.Unlock()
	return conn != nil && g.put(conn, raw) == nil
}

// SetStatus changes the state of a port: 0 works, 1 no SIM, 2 not registered, 3 unavailable.
func (g *DWG) SetStatus(port int, status uint8) {
	g.mu.Lock()
	g.ports[port].status = dwgwire.Status(status)
	g.mu.Unlock()
	g.tellPorts()
	if status == 0 {
		g.net.Flush(g.ports[port].card.ICCID())
	}
}

// run dials until Close.
func (g *DWG) run() {
	for g.ctx.Err() == nil {
		g.mu.Lock()
		power, plugged := g.power, g.plugged
		g.mu.Unlock()
		if plugged != nil {
			select {
			case <-plugged:
			case <-g.ctx.Done():
			}
			continue
		}
		_ = g.connect(power) // the next try tells whether it was worth one
		wake := time.NewTimer(g.o.Redial)
		select {
		case <-wake.C:
		case <-power.Done():
		}
		wake.Stop()
	}
}

// connect dials, logs in and serves until the connection or the power ends.
func (g *DWG) connect(power context.Context) error {
	var dial net.Dialer
	conn, err := dial.DialContext(power, "tcp", g.o.Address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(power, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if err := g.login(conn); err != nil {
		return err
	}
	g.mu.Lock()
	g.conn = conn
	for _, in := range g.inbox {
		in.last = time.Time{}
	}
	waiting := g.outbox
	g.outbox = nil
	g.mu.Unlock()
	ctx, cancel := context.WithCancel(power)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	defer g.hangUp()
	g.tellPorts()
	for _, f := range waiting {
		g.say(f)
	}
	wg.Go(func() { g.remind(ctx) })
	return g.listen(power, conn)
}

func (g *DWG) hangUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn = nil
}

func (g *DWG) login(conn net.Conn) error {
	g.mu.Lock()
	c := dwgwire.Credentials{User: g.o.User, Password: g.password}
	g.mu.Unlock()
	body, err := c.Encode()
	if err != nil {
		return err
	}
	b, err := g.frame(dwgwire.Login, body).Encode()
	if err != nil {
		return err
	}
	if err := g.put(conn, b); err != nil {
		return err
	}
	f, err := dwgwire.Read(conn)
	if err != nil {
		return err
	}
	if f.Type != dwgwire.Login.Ack() || len(f.Body) != 1 || f.Body[0] != 0 {
		g.mu.Lock()
		g.refused++
		g.mu.Unlock()
		return errors.New("the login was refused")
	}
	return nil
}

// listen takes frames until the connection ends.
func (g *DWG) listen(power context.Context, conn net.Conn) error {
	for {
		f, err := dwgwire.Read(conn)
		if err != nil {
			return err
		}
		switch f.Type {
		case dwgwire.SendSMS:
			g.submit(power, f)
		case dwgwire.SendUSSD:
			g.ussd(f)
		case dwgwire.Received.Ack():
			g.acknowledged(f)
		case dwgwire.KeepAlive, dwgwire.SendResult.Ack(), dwgwire.PortStatus.Ack(), dwgwire.Signal.Ack(), dwgwire.USSDReply.Ack():
		default:
			return fmt.Errorf("a frame of type %#02x", uint16(f.Type))
		}
	}
}

// frame makes a request of the gateway.
func (g *DWG) frame(t dwgwire.Type, body []byte) *dwgwire.Frame {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serial++
	return &dwgwire.Frame{ID: dwgwire.ID{MAC: g.mac, Time: uint32(g.net.o.Now().Unix()), Serial: g.serial}, Type: t, Body: body}
}

// say writes a frame, and false where nobody is connected.
func (g *DWG) say(f *dwgwire.Frame) bool {
	b, err := f.Encode()
	if err != nil {
		return false
	}
	g.mu.Lock()
	conn := g.conn
	g.mu.Unlock()
	return conn != nil && g.put(conn, b) == nil
}

// put writes bytes, slowly where it was told to.
func (g *DWG) put(w io.Writer, b []byte) error {
	g.write.Lock()
	defer g.write.Unlock()
	if g.o.Slow <= 0 {
		_, err := w.Write(b)
		return err
	}
	tick := time.NewTicker(g.o.Slow)
	defer tick.Stop()
	for i := range b {
		select {
		case <-tick.C:
		case <-g.ctx.Done():
			return g.ctx.Err()
		}
		if _, err := w.Write(b[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// tellPorts tells the state and the signal of each port.
func (g *DWG) tellPorts() {
	var status, signal []uint8
	g.mu.Lock()
	for _, p := range g.ports {
		status, signal = append(status, uint8(p.status)), append(signal, p.signal)
	}
	g.mu.Unlock()
	for _, x := range []struct {
		t   dwgwire.Type
		all []uint8
	}{{dwgwire.PortStatus, status}, {dwgwire.Signal, signal}} {
		if body, err := dwgwire.EncodePorts(x.all); err == nil {
			g.say(g.frame(x.t, body))
		}
	}
}
