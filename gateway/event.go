package gateway

import "time"

// Event is something that happened and that the hub, a screen or a webhook may
// want to hear of. It is stored with the change that it tells, in one commit.
type Event struct {
	Seq  uint64    `json:"seq"` // contiguous within an epoch, from 1
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
	Body []byte    `json:"body"` // JSON
}

// The kinds of event.
const (
	EventMessage   = "message"  // an outbound message reached a status; body: MessageEvent
	EventInbound   = "inbound"  // an inbound message was stored
	EventUpload    = "upload"   // a base was loaded
	EventCampaign  = "campaign" // a campaign or dialer was changed, started or stopped
	EventBlacklist = "blacklist"
	EventChannel   = "channel" // a channel changed its state
	EventAlarm     = "alarm"   // an operator should look
)

// MessageEvent is the body of EventMessage.
type MessageEvent struct {
	ID       string `json:"id"`
	Campaign string `json:"campaign"`
	Status   string `json:"status"`
	To       string `json:"to"`
	Channel  string `json:"channel,omitempty"`
	SIM      string `json:"sim,omitempty"`
	Segments int    `json:"segments,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Data     string `json:"data,omitempty"`
}
