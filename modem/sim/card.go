package sim

import (
	"fmt"
	"sync"
)

// CardOptions say what a SIM card is. The zero value of a field is filled in
// from the card's number in its bank.
type CardOptions struct {
	ICCID  string
	IMSI   string
	Number string // of the subscriber, "+" and digits
	PIN    string // asked for at every start; "" = none
	PUK    string // "" = "12345678"
	Spent  bool   // the tries for the PIN are spent: the card asks for the PUK
	Slots  int    // messages that it holds; 0 = 20
	NextMR uint8  // TP-MR of the first submission
}

// The tries that a card gives (TS 51.011 §8.9, §8.13).
const (
	pinTries = 3
	pukTries = 10
)

// Card is a SIM card. It moves from modem to modem with all it knows.
type Card struct {
	o     CardOptions
	store *store

	mu       sync.Mutex
	pin      string
	pinsLeft int
	puksLeft int
	mr       uint8
	sent     uint64 // submissions that went on the air
	sends    uint64 // submissions that were asked for, for chance
}

// NewCard makes a card.
func NewCard(o CardOptions) *Card {
	if o.Slots <= 0 {
		o.Slots = 20
	}
	if o.PUK == "" {
		o.PUK = "12345678"
	}
	c := &Card{o: o, store: newStore(o.Slots), pin: o.PIN, pinsLeft: pinTries, puksLeft: pukTries, mr: o.NextMR}
	if o.Spent {
		c.pinsLeft = 0
	}
	return c
}

// numberedCard fills in what the options leave open, from a number.
func numberedCard(o CardOptions, n int) *Card {
	if o.ICCID == "" {
		o.ICCID = fmt.Sprintf("8959807%012d", n)
	}
	if o.IMSI == "" {
		o.IMSI = fmt.Sprintf("74807%010d", n)
	}
	if o.Number == "" {
		o.Number = fmt.Sprintf("+598980%05d", n)
	}
	return NewCard(o)
}

// ICCID gives the number of the card.
func (c *Card) ICCID() string { return c.o.ICCID }

// Number gives the subscriber's number.
func (c *Card) Number() string { return c.o.Number }

// Tries gives how many tries are left for PIN and PUK.
func (c *Card) Tries() (pin, puk int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pinsLeft, c.puksLeft
}

// Stored gives how many messages the card holds.
func (c *Card) Stored() int { return c.store.used() }

// takeMR gives the TP-MR of the next submission: it counts on the card, modulo
// 256 (TS 23.040 §9.2.3.6).
func (c *Card) takeMR() uint8 {
	c.mu.Lock()
	defer c.mu.Unlock()
	mr := c.mr
	c.mr++
	c.sent++
	return mr
}

// nextSend numbers the sends of a card, from 1.
func (c *Card) nextSend() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sends++
	return c.sends
}

// lock says what the card asks for before it works: "", "SIM PIN", "SIM PUK", or
// "blocked" when it never will again.
func (c *Card) lock() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.puksLeft == 0:
		return "blocked"
	case c.pinsLeft == 0:
		return "SIM PUK"
	case c.pin != "":
		return "SIM PIN"
	}
	return ""
}

// tryPIN tries a PIN.
func (c *Card) tryPIN(pin string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pinsLeft == 0 {
		return false
	}
	if pin == c.pin {
		c.pinsLeft = pinTries
		return true
	}
	c.pinsLeft--
	return false
}

// tryPUK tries a PUK and sets a new PIN.
func (c *Card) tryPUK(puk, pin string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.puksLeft == 0 {
		return false
	}
	if puk == c.o.PUK {
		c.pin, c.pinsLeft, c.puksLeft = pin, pinTries, pukTries
		return true
	}
	c.puksLeft--
	return false
}
