package gateway

import "time"

// MessageEvent is the body of EventMessage.
type MessageEvent struct {
	ID       string `json:"id"`
	Campaign string `json:"campaign"`
	Status   string `json:"status"`
	To       string `json:"to"`
	Channel  string `json:"channel,omitempty"`
	ICCID    string `json:"iccid,omitempty"` // of the SIM that carried it last
	Segments int    `json:"segments,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	Kind     string `json:"kind,omitempty"`   // why it failed or is in doubt
	Reason   string `json:"reason,omitempty"` // the same in words
	Data     string `json:"data,omitempty"`
}

// InboundEvent is the body of EventInbound. A message that comes again with the
// same id was completed by a late segment, or a person decided what it asks: it
// replaces the first.
type InboundEvent struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	Text       string    `json:"text"`
	Campaign   string    `json:"campaign,omitempty"`
	Channel    string    `json:"channel"`
	ICCID      string    `json:"iccid,omitempty"`
	SentAt     time.Time `json:"sent"`
	ReceivedAt time.Time `json:"received"`
	Segments   int       `json:"segments"`
	Incomplete bool      `json:"incomplete,omitempty"`
	Corrected  bool      `json:"corrected,omitempty"` // an id that was told before
	Undecoded  string    `json:"undecoded,omitempty"`
	Wish       string    `json:"wish,omitempty"` // "stop", "start" or "near"; none = absent
}

// BlacklistEvent is the body of EventBlacklist: one number that was listed or
// unlisted, or a whole list that was imported.
type BlacklistEvent struct {
	Number   string `json:"number,omitempty"` // "" for an imported list
	Campaign string `json:"campaign,omitempty"`
	OptOut   bool   `json:"opt_out,omitempty"`
	Source   string `json:"source,omitempty"`
	Listed   bool   `json:"listed"` // false = taken off
	Imported int    `json:"imported,omitempty"`
}

// UploadEvent is the body of EventUpload: a file was loaded, or given up.
type UploadEvent struct {
	Upload   string `json:"upload"` // its id
	Kind     string `json:"kind"`   // "base" or "blacklist"
	Campaign string `json:"campaign,omitempty"`
	Name     string `json:"name,omitempty"`
	Agent    string `json:"agent,omitempty"`
	State    string `json:"state"` // "done" or "failed"
	Accepted int    `json:"accepted"`
	Invalid  int    `json:"invalid,omitempty"` // of the accepted: rows that can never be sent
	Rejected int    `json:"rejected_total"`
	Error    string `json:"error,omitempty"`
}

// CampaignEvent is the body of EventCampaign: a definition was changed.
type CampaignEvent struct {
	Kind   string `json:"kind"` // "campaign", "dialer" or "provider"
	Name   string `json:"name"`
	Change string `json:"change"` // "created", "changed", "deleted", "started", "stopped", "enabled" or "disabled"
}

// SIMEvent is the body of EventSIM: something happened to a card.
type SIMEvent struct {
	ID      string   `json:"id"`
	ICCID   string   `json:"iccid,omitempty"`
	Channel string   `json:"channel,omitempty"` // where it is
	Change  string   `json:"change"`            // "seen", "moved", "held", "released" or "balance"
	Reason  string   `json:"reason,omitempty"`  // why, in words
	By      string   `json:"by,omitempty"`      // who held or released it; "" = fieldpost
	Amount  *float64 `json:"amount,omitempty"`  // of a balance
}

// AlarmEvent is the body of EventAlarm.
type AlarmEvent struct {
	Reason string `json:"reason"` // what is wrong, in words
}
