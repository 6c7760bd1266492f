package sims

import "time"

// Card is the passport of one SIM. A Card that was given out is never changed.
type Card struct {
	ID       string    `json:"-"` // see gateway.Channel.SIMKey
	ICCID    string    `json:"iccid,omitempty"`
	IMSI     string    `json:"imsi,omitempty"`
	Number   string    `json:"number,omitempty"`
	Operator string    `json:"operator,omitempty"` // as the site names it, or as the network does
	Places   []Place   `json:"places,omitempty"`   // newest first, at most 20
	First    time.Time `json:"first"`              // when it was first seen
	Last     time.Time `json:"last"`               // and last

	Hold    *Hold   `json:"hold,omitempty"` // nil = it may send
	Pardon  *Pardon `json:"pardon,omitempty"`
	Doubt   bool    `json:"doubt,omitempty"` // it sends in vain, and it may be the reports
	Balance Balance `json:"balance"`
	Signal  Signal  `json:"signal"`

	Channel string `json:"-"` // where it is now; "" = nowhere
	Health  Health `json:"-"`
	Left    Left   `json:"-"`
}

// Place is where a card was.
type Place struct {
	Channel string    `json:"channel"`
	IMEI    string    `json:"imei,omitempty"`
	Since   time.Time `json:"since"`
}

// Cause is why a card is held.
type Cause string

// The causes of a hold.
const (
	CausePerson  Cause = "person"  // somebody holds it by hand
	CauseSwap    Cause = "swap"    // it came into the slot of another card, and nobody has confirmed it
	CauseReports Cause = "reports" // it sends, and nothing is delivered
)

// Hold says why a card sends nothing.
type Hold struct {
	Since time.Time `json:"since"`
	Cause Cause     `json:"cause"`
	Why   string    `json:"why"`
	By    string    `json:"by,omitempty"` // who holds it; "" = fieldpost
}

// Pardon is the last release, or the end of a doubt: what the card had sent in vain by then counts no more.
type Pardon struct {
	At     time.Time `json:"at"`
	Streak uint32    `json:"streak"`
}

// Balance is what is known of a card's balance.
type Balance struct {
	Asked   time.Time `json:"asked,omitzero"`
	Answer  *Answer   `json:"answer,omitempty"`
	Amounts []Amount  `json:"amounts,omitempty"` // newest first, at most 100
	Low     bool      `json:"low,omitempty"`     // below what raises an alarm
	Error   string    `json:"error,omitempty"`   // why the last try brought no answer
}

// Answer is what the network said last.
type Answer struct {
	At     time.Time `json:"at"`
	Read   bool      `json:"read"` // Amount is what it says
	Amount float64   `json:"amount"`
	Text   string    `json:"text,omitempty"` // as it came, where no amount can be read in it
}

// Amount is one balance.
type Amount struct {
	At     time.Time `json:"at"`
	Amount float64   `json:"amount"`
}

// Signal is what is usual of a card, in steps of AT+CSQ.
type Signal struct {
	Usual   float64 `json:"usual,omitempty"`
	Samples int     `json:"samples,omitempty"`
}

// Health is how a card fares, against its own past.
type Health struct {
	Known   bool     // false until it was looked at, or while the clock is not trusted
	Score   int      // 0 to 100
	Reasons []string // for what is missing to 100, in words
}

// Left is what a card may still send; nil = no limit, or not known yet.
type Left struct {
	Segments   *uint32 // of its day or its billing month, whichever ends first
	Recipients *uint32 // different numbers, of its billing month
}

// anonymous says that the device does not tell which card it is: see gateway.Channel.SIMKey.
func (c *Card) anonymous() bool { return c.ICCID == "" && c.IMSI == "" }

// knows says that the card was in a slot before.
func (c *Card) knows(channel string) bool {
	for _, p := range c.Places {
		if p.Channel == channel {
			return true
		}
	}
	return false
}
