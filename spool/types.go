package spool

import (
	"time"

	"fieldpost/gateway"
)

// Added is the answer to an accepted message: it is on disk.
type Added struct {
	IDM      uint64
	Segments int
	Repeated bool // the idempotency key was seen before: nothing was added
}

// Idempotency makes a call repeatable. The same key with the same body gives the
// first answer again; with another body it is a conflict.
type Idempotency struct {
	Scope string   // who calls: keys of two callers never meet
	Key   string   // at most 255 bytes; "" = not asked for
	Body  [32]byte // SHA-256 of what was asked
}

// Query asks for messages, in pages.
type Query struct {
	Campaign string           // "" = all
	Statuses []gateway.Status // none = all; claimed and submitting mean queued rows with an open claim or intent
	Upload   string
	Cursor   string // as Page.Next gave it
	Limit    int    // 1-1000; 0 = 100
	Oldest   bool   // oldest first instead of newest first
}

// Page is one page of messages.
type Page struct {
	Messages []gateway.Message
	Next     string // "" on the last page
}

// Claim asks for the next rows of a campaign's queue, in (priority, idm) order.
type Claim struct {
	Campaign string
	Limit    int // 1-50
	// Skip passes over a row that cannot go now, such as one whose number is in
	// flight. It sees the row and must not keep it. At most MaxSkip rows are passed over.
	Skip func(*gateway.Message) bool
	// Peek never waits for a commit: what the claim would have had to write first is
	// told by Due and Damaged, and Ready writes it.
	Peek bool
	// After gives the rows behind a place only, for a claim that goes on where one
	// ended that passed over MaxSkip rows; zero = from the front.
	After Place
}

// MaxSkip is how many rows one claim may pass over.
const MaxSkip = 1000

// Place is where a row stands in its campaign's queue, or stood. The zero Place is
// before every row.
type Place struct {
	Priority uint16
	IDM      uint64
}

// Before says that p comes first.
func (p Place) Before(o Place) bool {
	return p.Priority < o.Priority || p.Priority == o.Priority && p.IDM < o.IDM
}

// Claimed is the answer to a claim.
type Claimed struct {
	Messages []gateway.Message // their Status is StatusClaimed
	More     bool              // the queue holds more rows behind these
	Next     Place             // of the last row that was looked at: what After takes to go on
	Wake     time.Time         // the earliest NotBefore of a row that waits for its time; zero = none does
	Due      bool              // of a peek: Ready has something to write
	Damaged  uint64            // of a peek: the record, which cannot be read, that ended it; 0 = none
}

// Intent is written before the first byte of a segment reaches a device.
type Intent struct {
	IDM      uint64
	Segment  int    // 1-based; 0 = the whole message
	UserID   uint32 // ours, given to the device
	Provider string
	Channel  string // "provider/port"
	IMEI     string
	SIM      string // gateway.Channel.SIMKey
	Attempt  uint16
	Dialer   string // whose ring cursor moves to Port
	Port     int
	Charge   int  // segments to count on the SIM's quota
	Report   bool // a delivery report is asked for
	Limits   gateway.Limits
	Exempt   bool // it goes although its customer opted out before it was made: a confirmation
	At       time.Time
}

// Outcome closes an intent.
type Outcome struct {
	IDM     uint64
	Segment int
	Kind    gateway.Kind // KindNone: accepted; KindUnknownOutcome: in doubt; anything else: not sent
	Queued  bool         // accepted by the device, not yet by the network: submitted, not sent
	Code    string       // raw code of the wire
	Text    string       // in words
	MR      uint8
	HasMR   bool
	Ref     string
	At      time.Time
	// Retry puts the row back in the queue, not before this; zero = do not try again.
	// Only for outcomes that were not sent.
	Retry time.Time
}

// Drop ends a queued row that no device has seen: blocked, expired, invalid,
// failed or canceled; or puts it off (StatusQueued with NotBefore).
type Drop struct {
	IDM       uint64
	Status    gateway.Status
	NotBefore time.Time
	Kind      gateway.Kind
	Text      string
	At        time.Time
}

// Step is what one turn of the dialer commits at once: the outcomes that it
// learned, the rows that it drops and the intents that it opens next. One sync
// lies between two sends of a channel.
type Step struct {
	Outcomes []Outcome
	Drops    []Drop
	Intents  []Intent
}

// Stepped is the answer to a step.
type Stepped struct {
	Err error // the commit failed: nothing of the step is on disk
	// Gone are intents that were not opened: the row left the queue meanwhile
	// (canceled, deleted, already sent).
	Gone []uint64
}

// Usage is what one SIM sent in the present windows.
type Usage struct {
	Minute, Hour, Day, Month                     uint32 // segments
	Recipients                                   uint32 // different numbers this month
	MinuteStart, HourStart, DayStart, MonthStart time.Time
}

// Upload is one base: a CSV file that was taken, and how far it is loaded.
type Upload struct {
	ID         string    `json:"id"`
	Campaign   string    `json:"campaign"` // default campaign of its rows
	Name       string    `json:"name"`     // of the file, as the caller gave it
	Hash       string    `json:"hash"`     // SHA-256 of the file, hex
	Path       string    `json:"path"`     // where the file waits until it is loaded
	Bytes      int64     `json:"bytes"`
	Offset     int64     `json:"offset"` // bytes loaded
	Line       int       `json:"line"`   // lines loaded
	Accepted   int       `json:"accepted"`
	Invalid    int       `json:"invalid,omitempty"` // of the accepted: rows that are stored and can never be sent
	Rejected   int       `json:"rejected"`
	Duplicates int       `json:"duplicates"`
	Bad        []BadLine `json:"bad,omitempty"` // the first MaxBadLines; Rejected counts all
	Agent      string    `json:"agent,omitempty"`
	State      string    `json:"state"` // "loading", "done" or "failed"
	Error      string    `json:"error,omitempty"`
	Created    time.Time `json:"created"`
	Finished   time.Time `json:"finished,omitzero"`
	Kind       string    `json:"kind"`           // "base" or "blacklist"
	Held       bool      `json:"held,omitempty"` // its rows are stored held
}

// BadLine is a row of a file that was refused.
type BadLine struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// MaxBadLines is how many refused rows of one file are kept with their reason.
const MaxBadLines = 1000

// Listed is one entry of the blacklist.
type Listed struct {
	Number   gateway.Address
	Campaign string // "" = every campaign
	OptOut   bool   // the customer's own wish: it wins over everything
	Source   string // who listed it
	At       time.Time
}

// Hit is one message that the blacklist stopped.
type Hit struct {
	At       time.Time       `json:"at"`
	Number   gateway.Address `json:"number"`
	Campaign string          `json:"campaign"`
	IDM      uint64          `json:"id,string"`
	OptOut   bool            `json:"opt_out"`
}

// Doc is one definition: a campaign, a dialer, a provider, a token.
type Doc struct {
	Kind     string
	Name     string
	Revision uint64 // 1 for a new one; a put must name the revision that it replaces
	Body     []byte // JSON
	Changed  time.Time
}
