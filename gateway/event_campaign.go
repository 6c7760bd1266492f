package gateway

// CampaignEvent is the body of EventCampaign: a definition was changed.
type CampaignEvent struct {
	Kind   string `json:"kind"`   // "campaign", "dialer" or "provider"
	Name   string `json:"name"`   //
	Change string `json:"change"` // "created", "changed", "deleted", "started", "stopped", "enabled" or "disabled"
}
