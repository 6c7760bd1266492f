package sim

import (
	"fmt"
	"time"

	"fieldpost/gateway"
)

// DinstarReg is the registration of a port, in the words of get_port_info.
type DinstarReg string

// The registrations.
const (
	DinstarPowerOff   DinstarReg = "POWER_OFF"
	DinstarNoSIM      DinstarReg = "NO_SIM"
	DinstarPIN        DinstarReg = "PIN_REQUIRE"
	DinstarPUK        DinstarReg = "PUK_REQUIRE"
	DinstarUnregister DinstarReg = "UNREGISTER"
	DinstarSearching  DinstarReg = "SEARCHING_NETWORK"
	DinstarRegistered DinstarReg = "REGISTER_OK"
	DinstarUnknown    DinstarReg = "UNKNOWN"
)

// dinstarPort is one port. Everything is under the gateway's lock.
type dinstarPort struct {
	n       int
	imei    string
	number  string // what set_port_info gave it; "" = the card's
	card    *Card
	reg     DinstarReg // "" = as the card lets it
	signal  int
	off     bool
	blocked bool
	booting bool
	open    bool // the PIN was given

	queue   []*dinstarMessage
	current *dinstarMessage // on its way to the air; nil = the port is free
	epoch   int             // counts resets: what was on its way is lost with them
	ref     uint8           // concatenation reference of the next long message
	freed   time.Time       // when the last message was done; zero = never
	sends   uint64          // segments, for chance where there is no card
	forward map[string]any  // call forwarding, as set

	ussd     map[string]USSD // the menu that the dialogue is in; nil = none
	dialogue int             // counts questions: an answer to an earlier one is dropped
	asked    bool            // a USSD answer is on its way
	reply    string          // the last USSD answer
}

func newDinstarPort(o *DinstarOptions, i int) *dinstarPort {
	return &dinstarPort{n: i, imei: imei(o.First + i), card: o.Cards[i], signal: 23}
}

// state gives the registration as the API tells it.
func (p *dinstarPort) state() DinstarReg {
	switch {
	case p.off:
		return DinstarPowerOff
	case p.booting:
		return DinstarSearching
	case p.reg != "":
		return p.reg
	case p.card == nil:
		return DinstarNoSIM
	case p.open:
		return DinstarRegistered
	}
	switch p.card.lock() {
	case "":
		return DinstarRegistered
	case "SIM PIN":
		return DinstarPIN
	}
	return DinstarPUK
}

func (p *dinstarPort) usable() bool {
	return p.card != nil && !p.blocked && p.state() == DinstarRegistered
}

// reset loses what the port was doing.
func (p *dinstarPort) reset() {
	p.epoch++
	p.queue, p.current, p.asked, p.ussd, p.reply, p.open = nil, nil, false, nil, "", false
}

// SetPort gives a port a registration, whatever its card says; "" lets the card
// decide again. What waits for a card comes in when it is registered.
func (d *Dinstar) SetPort(port int, reg DinstarReg) error {
	p, err := d.port(port)
	if err != nil {
		return err
	}
	d.mu.Lock()
	p.reg = reg
	d.mu.Unlock()
	d.registerChanged(p)
	return nil
}

// Insert puts another SIM into a port, nil takes it out. What is in flight fails, what
// waits goes out by the new one.
func (d *Dinstar) Insert(port int, card *Card) error {
	p, err := d.port(port)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.abandon(p)
	p.card, p.number = card, ""
	d.next(p)
	d.mu.Unlock()
	if card != nil {
		d.net.Attach(card.ICCID(), card.Number(), d.receiver(p, card))
	}
	d.registerChanged(p)
	return nil
}

// port gives a port by its number.
func (d *Dinstar) port(n int) (*dinstarPort, error) {
	if n < 0 || n >= len(d.ports) {
		return nil, gateway.Invalid("port", "is %d: the gateway has the ports 0 to %d", n, len(d.ports)-1)
	}
	return d.ports[n], nil
}

// SetSignal gives a port a signal, 0 to 31, or 99 for unknown.
func (d *Dinstar) SetSignal(port, rssi int) error {
	p, err := d.port(port)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p.signal = rssi
	return nil
}

// registerChanged tells of a port that is up or down, and takes what waited for its card.
func (d *Dinstar) registerChanged(p *dinstarPort) {
	d.mu.Lock()
	row := map[string]any{"port": p.n, "iccid": "<NULL>", "imsi": "<NULL>", "number": "<NULL>", "status": "down", "slot": 255}
	card, up := p.card, p.listening()
	if up {
		row["status"] = "up"
		row["iccid"], row["imsi"], row["number"] = card.ICCID(), card.o.IMSI, p.numberTold()
	}
	d.mu.Unlock()
	d.tell(map[string]any{"register": []any{row}})
	if up {
		d.net.Flush(card.ICCID())
	}
}

func (p *dinstarPort) numberTold() string {
	if p.number != "" || p.card == nil {
		return p.number
	}
	return p.card.Number()
}

// name is the port in the ledger.
func (d *Dinstar) name(p *dinstarPort) string { return fmt.Sprintf("%s:%d", d.o.Serial, p.n) }

// radioTime gives how long the nth segment of a port takes.
func (d *Dinstar) radioTime(p *dinstarPort) time.Duration {
	p.sends++
	spread := 2*chance(d.net.o.Seed, d.name(p), p.sends, saltRadio) - 1
	return d.o.Latency + time.Duration(spread*d.o.Jitter*float64(d.o.Latency))
}
