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

// The kinds of event. The body of each is JSON, of the type named here; a fact has
// the key that the REST API gives it.
const (
	EventMessage   = "message"   // an outbound message reached a status: MessageEvent
	EventInbound   = "inbound"   // an inbound message was stored: InboundEvent
	EventUpload    = "upload"    // a file was loaded, or given up: UploadEvent
	EventCampaign  = "campaign"  // a campaign, dialer or provider was changed, started or stopped: CampaignEvent
	EventBlacklist = "blacklist" // a number was listed or unlisted, or a list imported: BlacklistEvent
	EventChannel   = "channel"   // a channel changed its state: what the REST API says of it, in part
	EventSIM       = "sim"       // a SIM was seen, moved, held or released, or its balance read: SIMEvent
	EventAlarm     = "alarm"     // an operator should look: AlarmEvent
)
