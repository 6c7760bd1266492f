package sim

import (
	"slices"
	"sync"
	"time"

	"fieldpost/gateway"
)

// NetworkOptions say what a mobile network is. The zero value is a network that
// takes everything at once and sends the reports that it is asked for.
type NetworkOptions struct {
	Seed     uint64
	Operator string           // name; "" = "Simnet"
	PLMN     string           // MCC and MNC; "" = "74899"
	SMSC     string           // "" = "+59899000000"
	Reports  Reports          // see SetReports
	USSD     map[string]USSD  // by code, such as "*100#"
	OnEntry  func(Entry)      // called for each entry in the order of the ledger; it must not block nor call the network
	Now      func() time.Time // nil = time.Now
}

// USSD is the network's answer to a code, and where its dialogue leads.
type USSD struct {
	Text string
	Next map[string]USSD // by the user's answer; none ends the dialogue
}

// Reports say what becomes of delivery reports. Chances are 0 to 1.
type Reports struct {
	Delay  time.Duration
	Early  bool    // the report comes before the modem's answer to the send; Delay is not used
	Status uint8   // TP-ST; 0 = received by the handset (TS 23.040 §9.2.3.15)
	Loss   float64 // chance that none comes
	Twice  float64 // chance that it comes two times
}

// Receive takes an SMS-DELIVER or SMS-STATUS-REPORT with its SMSC for a card; false
// means that the card cannot take it now. See ReadDeliver.
type Receive func(pdu []byte, report bool) bool

// Network is one simulated mobile network with its ledger.
type Network struct {
	o   NetworkOptions
	air *air

	mu      sync.Mutex
	ledger  []Entry
	changed chan struct{}      // closed at the next entry; nil while nobody waits
	reports Reports            // in force
	phones  map[string]Receive // by ICCID
	numbers map[string]string  // subscriber's number to ICCID
	sends   map[string]uint64  // of Submit, by ICCID
	ways    map[string]*way    // by ICCID
}

// way is the way to one card: its parcels keep their order.
type way struct {
	mu    sync.Mutex // held while a parcel is handed over
	queue []parcel   // what the card could not take yet; under Network.mu
}

// parcel is a TPDU on its way to a card.
type parcel struct {
	pdu    []byte
	report bool
}

// NewNetwork makes a network. Close it.
func NewNetwork(o NetworkOptions) *Network {
	if o.Operator == "" {
		o.Operator = "Simnet"
	}
	if o.PLMN == "" {
		o.PLMN = "74899"
	}
	if o.SMSC == "" {
		o.SMSC = "+59899000000"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Network{
		o: o, reports: o.Reports, air: newAir(),
		phones: map[string]Receive{}, numbers: map[string]string{}, ways: map[string]*way{},
		sends: map[string]uint64{},
	}
}

// Close forgets what is still on its way and waits for the network's goroutine.
func (n *Network) Close() error {
	n.air.close()
	return nil
}

// SetReports says what becomes of the reports of submissions from now on.
func (n *Network) SetReports(r Reports) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reports = r
}

// Restore begins the ledger with what went on the air in an earlier life of the
// network. Nobody hears of it: neither OnEntry nor a report.
func (n *Network) Restore(es []Entry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ledger = append(slices.Clone(es), n.ledger...)
}

// Submit puts one segment on the air: the way of simulators that are no Modem. At,
// Total and Seq are filled in where they are zero. When the entry asks for a
// report, reported is called with its TP-ST as SetReports says: before Submit returns
// for early ones, from another goroutine otherwise; nil = nobody listens.
func (n *Network) Submit(e Entry, reported func(st uint8)) {
	if e.Total == 0 {
		e.Total, e.Seq = 1, 1
	}
	if e.At.IsZero() {
		e.At = n.o.Now()
	}
	n.enter(e)
	if reported == nil {
		return
	}
	n.mu.Lock()
	n.sends[e.SIM]++
	send := n.sends[e.SIM]
	n.mu.Unlock()
	r, copies := n.report(&e, send)
	for range copies {
		if r.Early {
			reported(r.Status)
			continue
		}
		n.air.after(r.Delay, func() { reported(r.Status) })
	}
}

// enter writes an entry down, without what its text no longer needs.
func (n *Network) enter(e Entry) {
	e.octets = nil
	if e.Total <= 1 {
		e.septets = nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ledger = append(n.ledger, e)
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
	if n.o.OnEntry != nil {
		n.o.OnEntry(e)
	}
}

// Changed gives a channel that is closed at the next entry.
func (n *Network) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.changed
}

// Len gives the number of entries.
func (n *Network) Len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.ledger)
}

// Entries gives a copy of the ledger, oldest first.
func (n *Network) Entries() []Entry {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.ledger)
}

// Messages gives what is complete at the handsets, in the order in which it became so.
func (n *Network) Messages() []Message { return join(n.Entries()).done }

// Unpaired gives the segments whose message is not complete at the handset.
func (n *Network) Unpaired() []Entry { return join(n.Entries()).unpaired() }

// Copies counts how many times each message went on the air complete.
func (n *Network) Copies() map[Copy]int {
	copies := map[Copy]int{}
	for _, m := range n.Messages() {
		copies[Copy{m.To, m.Text}]++
	}
	return copies
}

// PerSIM counts the segments that each card sent.
func (n *Network) PerSIM() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	counts := map[string]int{}
	for i := range n.ledger {
		counts[n.ledger[i].SIM]++
	}
	return counts
}

// Deliver sends a message to a card. It returns when the segments are with the
// card's modem, or wait in the network because the card cannot take them.
func (n *Network) Deliver(in Incoming) error {
	if in.At.IsZero() {
		in.At = n.o.Now()
	}
	pdus, err := in.pdus(n.o.SMSC)
	if err != nil {
		return err
	}
	for _, pdu := range pdus {
		if err := n.DeliverTPDU(in.To, pdu); err != nil {
			return err
		}
	}
	return nil
}

// DeliverTPDU sends a TPDU with its SMSC to a card, by ICCID or number, as it is.
func (n *Network) DeliverTPDU(to string, pdu []byte) error {
	if len(pdu) < 1 || len(pdu) < 4+int(pdu[0]) {
		return gateway.Invalid("pdu", "has %d octets, too few for a TPDU behind its SMSC", len(pdu))
	}
	n.mu.Lock()
	iccid, ok := n.numbers[to]
	if !ok {
		iccid = to
	}
	_, known := n.phones[iccid]
	n.mu.Unlock()
	if !known {
		return gateway.Errorf(gateway.KindNotFound, "no card of the network has the number or ICCID %s", to)
	}
	n.carry(iccid, parcel{pdu, false})
	return nil
}

// relay brings a segment to the card that it is addressed to, where the network has it.
func (n *Network) relay(e *Entry, from string) {
	n.mu.Lock()
	iccid, ours := n.numbers[e.To]
	n.mu.Unlock()
	if ours {
		n.carry(iccid, parcel{e.delivered(from, n.o.SMSC), false})
	}
}

// carry hands a parcel to a card's modem, behind those that wait already.
func (n *Network) carry(iccid string, p parcel) {
	n.mu.Lock()
	w := n.way(iccid)
	w.queue = append(w.queue, p)
	n.mu.Unlock()
	n.Flush(iccid)
}

// way gives the way to a card. The caller holds the lock.
func (n *Network) way(iccid string) *way {
	w := n.ways[iccid]
	if w == nil {
		w = &way{}
		n.ways[iccid] = w
	}
	return w
}

// Flush hands over what waits for a card, in order, until it takes no more.
func (n *Network) Flush(iccid string) {
	n.mu.Lock()
	w := n.way(iccid)
	empty := len(w.queue) == 0
	n.mu.Unlock()
	if empty {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n.mu.Lock()
		ph := n.phones[iccid]
		if len(w.queue) == 0 || ph == nil {
			n.mu.Unlock()
			return
		}
		p := w.queue[0]
		n.mu.Unlock()
		if !ph(p.pdu, p.report) {
			return
		}
		n.mu.Lock()
		w.queue = w.queue[1:]
		n.mu.Unlock()
	}
}

// giveBack puts a parcel that a card took, but whose driver never acknowledged
// it, back at the head of its queue.
func (n *Network) giveBack(iccid string, p parcel) {
	n.mu.Lock()
	w := n.way(iccid)
	n.mu.Unlock()
	w.mu.Lock() // Flush takes its parcel off the head when it is handed over
	defer w.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	w.queue = slices.Insert(w.queue, 0, p)
}

// Waiting gives how many TPDUs wait in the network for a card.
func (n *Network) Waiting(iccid string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.way(iccid).queue)
}

// Attach makes a device the place of a card: its messages go to receive from now
// on. Flush tells the network that the card can take messages again.
func (n *Network) Attach(iccid, number string, receive Receive) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.phones[iccid] = receive
	if number != "" {
		n.numbers[number] = iccid
	}
}

// report plans the reports of an entry: how many, and when.
func (n *Network) report(e *Entry, send uint64) (r Reports, copies int) {
	n.mu.Lock()
	r = n.reports
	n.mu.Unlock()
	switch {
	case !e.Report, chance(n.o.Seed, e.SIM, send, saltLoss) < r.Loss:
		return r, 0
	case chance(n.o.Seed, e.SIM, send, saltTwice) < r.Twice:
		return r, 2
	}
	return r, 1
}
