package sim

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"fieldpost/gateway"
)

// DinstarOptions say what a Dinstar gateway is. Network and Password are needed.
type DinstarOptions struct {
	Network  *Network
	Listen   string        // address of the HTTP server; "" = a free port of 127.0.0.1
	Serial   string        // sn; "" = "da00-0000-0000-0001"
	Ports    int           // 1 to 32; 0 = as many as Cards, or 8
	Cards    []*Card       // by port, nil = no SIM; a nil slice puts a new card into each port
	First    int           // number of the first of those new cards; 0 = 1001
	User     string        // "" = "admin"
	Password string        // no default
	Auth     DinstarAuth   // "" = DinstarDigest
	Lockout  int           // wrong logins of an address until it is locked out; 0 = 5
	Latency  time.Duration // how long the radio takes for a segment, and a USSD answer for its way
	Jitter   float64       // share of the latency that a segment may take more or less, 0 to 1
	Boot     time.Duration // how long Reboot and a port's reset take; 0 = they are over at once
	Push     string        // URL that events are posted to; "" = none
	Faults   []DinstarFault
	Firmware DinstarFirmware
}

// DinstarFirmware is what differs between firmwares. The zero value is a recent one
// with every trap of the field in place.
type DinstarFirmware struct {
	Recipients int           // of one send_sms; 0 = 128, of older ones 32
	PageBytes  int           // of a query_incoming_sms answer; 0 = 8 KiB
	Queue      int           // messages that the device holds unsent, above them error 500; 0 = 1024
	Results    int           // messages whose result is remembered, the oldest is forgotten; 0 = 4096
	Inbox      int           // received messages that are kept, the oldest is forgotten; 0 = 500
	OldKeys    bool          // 2017: no sn, no imsi, and "result:" in the answer of send_ussd
	StatusCode bool          // the HTTP status repeats an error_code of 400 and above
	Clock      time.Duration // how far the device's clock is ahead of the network's
	Newest     bool          // a page of received messages that is full has the newest ones, not the oldest
	NoIDs      bool          // received messages have no id, and all are told each time
	NoAll      bool          // query_incoming_sms knows no flag=all
	Unseen     int           // queries that find no result of a message that was just accepted
	Lenient    DinstarLenient
}

// DinstarLenient names the traps that a firmware does not have.
type DinstarLenient struct {
	RawComma  bool // a comma in a query needs no encoding
	EmptyPost bool // a POST without body and login is challenged, not hung up on
	Lockout   bool // wrong logins are never locked out
	Method    bool // any method will do
	InfoWord  bool // get_port_info without info_type, or with an unknown word, gives what it can
	InfoPort  bool // get_port_info passes over ports that do not exist
}

// Dinstar is a GSM gateway behind its HTTP JSON API. Its methods may be called from
// any goroutine.
type Dinstar struct {
	o     DinstarOptions
	net   *Network
	login *dinstarLogin
	paths map[string]dinstarPath
	push  *dinstarPush // nil = none

	server *http.Server
	cable  cable
	addr   net.Addr
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // the server and the requests in it

	mu       sync.Mutex
	closed   bool
	disabled bool
	booting  bool
	life     int // counts reboots: what an earlier life planned does not happen
	ports    []*dinstarPort
	turn     int // port that the next message without a shorter queue goes to
	task     int
	results  []*dinstarMessage // oldest first
	reports  []dinstarReport
	queued   int
	inbox    []*dinstarIn // oldest first
	inboxID  int
	parts    map[dinstarThread][]Entry // long received messages that are not complete
	cdr      []DinstarCall
	faults   []armedDinstar
	requests map[string]uint64 // by path; "" = all of them
	refusals []*DinstarRefusal
}

// OpenDinstar puts a gateway on a network and serves its API. Close it before the network.
func OpenDinstar(o DinstarOptions) (*Dinstar, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	d := &Dinstar{
		o: o, net: o.Network, login: newDinstarLogin(&o), requests: map[string]uint64{},
		parts: map[dinstarThread][]Entry{}, task: 1,
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.paths = d.endpoints()
	d.Inject(o.Faults...)
	for i := range o.Ports {
		d.ports = append(d.ports, newDinstarPort(&o, i))
	}
	if o.Push != "" {
		d.push = newDinstarPush(d.ctx, o.Push)
	}
	if err := d.listen(); err != nil {
		d.cancel()
		if d.push != nil {
			d.push.wait()
		}
		return nil, err
	}
	for _, p := range d.ports {
		if p.card != nil {
			d.net.Attach(p.card.ICCID(), p.card.Number(), d.receiver(p, p.card))
		}
	}
	d.powerOn()
	return d, nil
}

// fill puts the defaults in place.
func (o *DinstarOptions) fill() error {
	if o.Ports == 0 {
		o.Ports = max(len(o.Cards), 8*b2i(o.Cards == nil))
	}
	if o.First == 0 {
		o.First = 1001
	}
	switch {
	case o.Network == nil:
		return gateway.Invalid("network", "is missing: a gateway stands on a Network")
	case o.Password == "":
		return gateway.Invalid("password", "is empty: a gateway has a login")
	case o.Ports < 1 || o.Ports > 32:
		return gateway.Invalid("ports", "is %d: between 1 and 32", o.Ports)
	case len(o.Cards) > o.Ports:
		return gateway.Invalid("cards", "are %d for %d ports", len(o.Cards), o.Ports)
	case o.Jitter < 0 || o.Jitter > 1:
		return gateway.Invalid("jitter", "is %g: a share, between 0 and 1", o.Jitter)
	}
	if o.Cards == nil {
		for i := range o.Ports {
			o.Cards = append(o.Cards, numberedCard(CardOptions{}, o.First+i))
		}
	}
	for len(o.Cards) < o.Ports {
		o.Cards = append(o.Cards, nil)
	}
	o.Listen = or(o.Listen, "127.0.0.1:0")
	o.Serial = or(o.Serial, "da00-0000-0000-0001")
	o.User = or(o.User, "admin")
	o.Auth = or(o.Auth, DinstarDigest)
	o.Lockout = or(o.Lockout, 5)
	f := &o.Firmware
	f.Recipients = or(f.Recipients, 128)
	f.PageBytes = or(f.PageBytes, 8<<10)
	f.Queue = or(f.Queue, 1024)
	f.Results = or(f.Results, 4096)
	f.Inbox = or(f.Inbox, 500)
	return o.Auth.check()
}

func or[T comparable](v, zero T) T {
	var none T
	if v == none {
		return zero
	}
	return v
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// URL gives the address of the gateway, without a slash at its end.
func (d *Dinstar) URL() string { return "http://" + d.addr.String() }

// Serial gives the sn of the answers.
func (d *Dinstar) Serial() string { return d.o.Serial }

// Ports gives the number of ports.
func (d *Dinstar) Ports() int { return len(d.ports) }

// Card gives the SIM of a port; nil = none, or no such port.
func (d *Dinstar) Card(port int) *Card {
	d.mu.Lock()
	defer d.mu.Unlock()
	if port < 0 || port >= len(d.ports) {
		return nil
	}
	return d.ports[port].card
}

// Handler gives the API for another server: without the gateway's own reason phrase.
func (d *Dinstar) Handler() http.Handler { return http.HandlerFunc(d.serve) }

// Close takes the gateway off the network: what it had not sent is lost. It
// returns when every request has ended.
func (d *Dinstar) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	err := d.server.Close()
	d.wg.Wait()
	if d.push != nil {
		d.push.wait()
	}
	return err
}

// Reboot restarts the gateway: the queue, the results, the inbox and what it knew of
// logins are gone, and its ids begin again.
func (d *Dinstar) Reboot() {
	d.mu.Lock()
	d.life++
	d.booting = d.o.Boot > 0
	d.results, d.reports, d.queued, d.task = nil, nil, 0, 1
	d.inbox, d.inboxID, d.parts = nil, 0, map[dinstarThread][]Entry{}
	life := d.life
	for _, p := range d.ports {
		p.reset()
		p.booting = d.booting
	}
	d.mu.Unlock()
	d.login.forget()
	if d.o.Boot > 0 {
		d.net.air.after(d.o.Boot, func() { d.booted(life) })
		return
	}
	d.powerOn()
}

// booted ends a reboot, unless another one began meanwhile.
func (d *Dinstar) booted(life int) {
	d.mu.Lock()
	if d.closed || d.life != life {
		d.mu.Unlock()
		return
	}
	d.booting = false
	for _, p := range d.ports {
		p.booting = false
	}
	d.mu.Unlock()
	d.powerOn()
}

// powerOn tells that the gateway and its ports are up, and takes what waited in the network.
func (d *Dinstar) powerOn() {
	d.tell(map[string]any{"device": map[string]any{
		"port_number": len(d.ports), "IP": "127.0.0.1", "MAC": "F8-A0-3D-00-00-01", "status": "power_on",
	}})
	for _, p := range d.ports {
		d.registerChanged(p)
	}
}

// Disable switches the API off, as in the GUI, or on again.
func (d *Dinstar) Disable(off bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.disabled = off
}

// now gives the device's clock. It has whole seconds in its answers.
func (d *Dinstar) now() time.Time { return d.net.o.Now().Add(d.o.Firmware.Clock) }

// dinstarTime is how the device writes its clock.
const dinstarTime = "2006-01-02 15:04:05"
