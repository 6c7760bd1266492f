package gateway

// UploadEvent is the body of EventUpload: a file was loaded, or given up.
type UploadEvent struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // "base" or "blacklist"
	Campaign string `json:"campaign,omitempty"`
	Name     string `json:"name,omitempty"`
	Agent    string `json:"agent,omitempty"`
	State    string `json:"state"` // "done" or "failed"
	Accepted int    `json:"accepted"`
	Invalid  int    `json:"invalid,omitempty"` // of the accepted: rows that can never be sent
	Rejected int    `json:"rejected"`
	Error    string `json:"error,omitempty"`
}
