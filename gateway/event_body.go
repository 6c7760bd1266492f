package gateway

import "time"

// InboundEvent is the body of EventInbound. A message that comes again with the
// same id was completed by a late segment: it replaces the first.
type InboundEvent struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	Text       string    `json:"text"`
	Campaign   string    `json:"campaign,omitempty"`
	Channel    string    `json:"channel"`
	SIM        string    `json:"sim,omitempty"`
	SentAt     time.Time `json:"sent_at"`
	ReceivedAt time.Time `json:"received_at"`
	Segments   int       `json:"segments"`
	Incomplete bool      `json:"incomplete,omitempty"`
	Corrected  bool      `json:"corrected,omitempty"` // an id that was told before
	Undecoded  string    `json:"undecoded,omitempty"`
}

// BlacklistEvent is the body of EventBlack: one number that was listed or
// unlisted, or a whole list that was imported.
type BlacklistEvent struct {
	Number   string `json:"number,omitempty"` // "" for an imported list
	Campaign string `json:"campaign,omitempty"`
	OptOut   bool   `json:"opt_out,omitempty"`
	Source   string `json:"source,omitempty"`
	Listed   bool   `json:"listed"` // false = taken off
	Imported int    `json:"imported,omitempty"`
}
