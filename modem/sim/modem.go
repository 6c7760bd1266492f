package sim

import (
	"slices"
	"sync"
	"time"

	"fieldpost/gateway"
)

// Options say what a modem is. Only Network is needed.
type Options struct {
	Network *Network
	Name    string        // in the ledger; "" = its IMEI
	Link    string        // path of a symlink to the slave, kept while the device is there; "" = none
	Vendor  Vendor        // "" = Generic
	IMEI    string        // "" = "860000000000009"
	Card    *Card         // nil = no SIM
	Latency time.Duration // from Ctrl-Z to the answer; 0 = at once
	Jitter  float64       // share of the latency that a send may take more or less, 0 to 1
	Boot    time.Duration // how long the device stays away after AT+CFUN=1,1; 0 = it is back at once
	Faults  []Fault
	Line    Line
}

// Line is how the wire between driver and modem behaves.
type Line struct {
	Pace         time.Duration // between two bytes to the driver; 0 = all at once
	SplitPrompt  time.Duration // between the prompt's '>' and its blank; 0 = together
	DoublePrompt bool          // the prompt comes two times
	Garble       float64       // share of the bytes to the driver that are spoiled, 0 to 1; see SetGarble
	Terse        bool          // +CMGS and OK come without the blank line between them
}

// Modem is a GSM modem behind a pty. Its methods may be called from any goroutine.
type Modem struct {
	o    Options
	net  *Network
	prof profile
	cmds map[string]action
	wire *spoiler
	wg   sync.WaitGroup // the reader, and answers on their way

	// Owned by the reader.
	line []byte    // of an unfinished command line or message
	body *body     // of the message that a prompt asked for; nil = in command state
	out  []byte    // answer under construction
	last time.Time // the last answer to a send
	deaf bool      // the present line is too long and is passed over

	linked time.Time // by the network's clock: the last use of the radio link that +CMMS keeps

	mu     sync.Mutex
	closed bool
	port   *port         // nil = the device is not there
	reader chan struct{} // closed when the last port's reader has ended; nil before the first
	appear chan struct{} // closed when the device is there; nil while nobody waits
	link   string
	back   *time.Timer // brings a restarted device back; nil = none
	card   *Card
	faults []armed
	hang   *Hang // not met yet; nil = none
	sends  uint64
	set    settings
	reg    gateway.Registration // what the network would say of an unlocked card
	signal int
	untold bool     // the network does not tell the time
	then   []func() // to be done once the present answer is written and the lock given back
	unack  *parcel  // a +CMT that waits for +CNMA
	held   []string // URCs that +CNMI mode 0 keeps back
	full   bool     // the driver was told that the memory is full
	ussd   map[string]USSD
	me     *store
}

// settings are what a restart puts back.
type settings struct {
	echo, verbose, quiet bool
	cmee                 int
	text                 bool   // +CMGF=1
	unlocked             bool   // PIN given, or none needed
	cfun                 int    // 0 off, 1 full, 4 flight mode
	cnmi                 [5]int // mode, mt, bm, ds, bfr
	csms, cmms           int
	mem                  [3]string
	cscs                 string
	csca                 string
	csmp                 [4]int // fo, vp, pid, dcs
	csdh                 bool
	creg, cgreg, cereg   int
	cops                 int // <format>
	cusd                 bool
	ctzu, ctzr           int
}

// meSlots is the size of the modem's own memory, "ME".
const meSlots = 23

// heldURCs is how many URCs the modem keeps in +CNMI mode 0 before it discards
// the oldest (TS 27.005 §3.4.1).
const heldURCs = 100

// Open makes a modem and plugs it in. Close it.
func Open(o Options) (*Modem, error) {
	switch {
	case o.Network == nil:
		return nil, gateway.Invalid("network", "is missing: a modem needs one")
	case o.Vendor == "":
		o.Vendor = Generic
	case !slices.Contains(Vendors(), o.Vendor):
		return nil, gateway.Invalid("vendor", "%q is not one of %v", o.Vendor, Vendors())
	}
	if o.IMEI == "" {
		o.IMEI = "860000000000009"
	}
	if o.Name == "" {
		o.Name = o.IMEI
	}
	m := &Modem{
		o: o, net: o.Network, prof: profileOf(o.Vendor), cmds: commands(),
		wire: newSpoiler(o.Network.o.Seed, o.IMEI, o.Line.Garble),
		link: o.Link, card: o.Card, reg: gateway.RegHome, signal: 18, me: newStore(meSlots),
	}
	m.powerUp()
	if o.Card != nil {
		m.net.Attach(o.Card.ICCID(), o.Card.Number(), m.receive)
	}
	if err := m.plug(false); err != nil {
		return nil, err
	}
	m.Inject(o.Faults...)
	return m, nil
}

// powerUp puts the settings to what they are after power-up.
func (m *Modem) powerUp() {
	m.set = settings{
		echo: true, verbose: true, cfun: 1, cnmi: m.prof.cnmi, mem: [3]string{"SM", "SM", "SM"},
		cscs: "IRA", csca: m.net.o.SMSC, csmp: [4]int{17, 167, 0, 0},
	}
	if m.o.Vendor == SIMCom || m.o.Vendor == Quectel {
		m.set.cscs = "GSM"
	}
	m.set.unlocked = m.card != nil && m.card.lock() == ""
	m.unack, m.held, m.ussd = nil, nil, nil
}

// Close unplugs the modem and waits for its goroutines.
func (m *Modem) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.Unplug()
	m.wg.Wait()
	return nil
}

// Name gives the modem's name in the ledger.
func (m *Modem) Name() string { return m.o.Name }

// IMEI gives the device's identity.
func (m *Modem) IMEI() string { return m.o.IMEI }

// Path gives the path of the slave; "" while the device is not there.
func (m *Modem) Path() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.port == nil {
		return ""
	}
	return m.port.path
}

// Device gives the path that a driver is given: the link, or the slave's path
// where there is none.
func (m *Modem) Device() string {
	m.mu.Lock()
	link := m.link
	m.mu.Unlock()
	if link != "" {
		return link
	}
	return m.Path()
}

// Card gives the SIM card; nil when there is none.
func (m *Modem) Card() *Card {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.card
}

// RemoveCard takes the SIM out and gives it; nil when there was none.
func (m *Modem) RemoveCard() *Card {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.card
	m.card, m.set.unlocked = nil, false
	return c
}

// InsertCard puts a SIM in. It is read at once, as by a modem with hot swap.
func (m *Modem) InsertCard(c *Card) {
	m.mu.Lock()
	m.card = c
	m.set.unlocked = c.lock() == ""
	p := m.port
	m.mu.Unlock()
	m.net.Attach(c.ICCID(), c.Number(), m.receive)
	m.announceReady(p)
	m.arrive()
}

// SetRegistration says what the network tells the modem from now on
// (TS 27.007 §7.2), and tells the driver where it asked to hear of it.
func (m *Modem) SetRegistration(r gateway.Registration) {
	m.mu.Lock()
	m.reg = r
	p, urcs := m.port, m.registrationURCs()
	m.mu.Unlock()
	m.urc(p, urcs...)
	m.arrive()
}

// SetSignal sets <rssi> of AT+CSQ: 0 to 31, or gateway.SignalUnknown.
func (m *Modem) SetSignal(rssi int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signal = rssi
}

// URC writes lines to the driver that nobody asked for.
func (m *Modem) URC(lines ...string) {
	m.mu.Lock()
	p := m.port
	m.mu.Unlock()
	m.urc(p, lines...)
}

// Garbage writes bytes to the driver as they are.
func (m *Modem) Garbage(b []byte) {
	m.mu.Lock()
	p := m.port
	m.mu.Unlock()
	if p != nil {
		p.announce(b)
	}
}

// urc writes each line as an unsolicited result code.
func (m *Modem) urc(p *port, lines ...string) {
	if p == nil || len(lines) == 0 {
		return
	}
	var b []byte
	for _, l := range lines {
		b = append(append(append(b, '\r', '\n'), l...), '\r', '\n')
	}
	p.announce(b)
}

// announceReady tells the driver that SIM and network are there.
func (m *Modem) announceReady(p *port) {
	m.mu.Lock()
	var urcs []string
	if m.set.unlocked {
		urcs = append(append(urcs, m.prof.ready...), m.registrationURCs()...)
	}
	m.mu.Unlock()
	m.urc(p, urcs...)
}

// arrive takes what waited in the network.
func (m *Modem) arrive() {
	m.mu.Lock()
	c := m.card
	m.mu.Unlock()
	if c != nil {
		m.net.Flush(c.ICCID())
	}
}

// registration is what AT+CREG? says. The caller holds the lock.
func (m *Modem) registration() gateway.Registration {
	if !m.set.unlocked || m.set.cfun != 1 {
		return gateway.RegIdle
	}
	return m.reg
}

// online says that messages can pass. The caller holds the lock.
func (m *Modem) online() bool { return m.port != nil && m.registration().Usable() }
