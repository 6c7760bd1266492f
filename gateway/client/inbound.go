package client

import (
	"context"
	"time"
)

// Inbound is one message that a modem received.
type Inbound struct {
	ID         string    `json:"id" example:"7"`
	From       string    `json:"from" example:"+4791234567" doc:"Sender: its number, or its name as the network wrote it"`
	Text       string    `json:"text" example:"STOP"`
	Campaign   string    `json:"campaign,omitempty" example:"alerts" doc:"Campaign that the number belongs to; absent where none does"`
	Channel    string    `json:"channel" example:"modems/3" doc:"Channel that it came in on"`
	ICCID      string    `json:"iccid,omitempty" example:"8947000000000000001" doc:"SIM that it came in on"`
	SMSC       string    `json:"smsc,omitempty" example:"+4790002100"`
	Sent       time.Time `json:"sent" example:"2030-01-02T08:00:00Z" doc:"When the network took it"`
	Received   time.Time `json:"received" example:"2030-01-02T08:00:03Z" doc:"When the box had it"`
	Segments   int       `json:"segments" example:"1"`
	Incomplete bool      `json:"incomplete,omitempty" doc:"Some segments have not come"`
	Undecoded  string    `json:"undecoded,omitempty" doc:"Why it could not be read; raw holds what came"`
	Raw        []string  `json:"raw,omitempty" doc:"TPDUs in hex, where it could not be read"`
}

// Inbound lists the received messages, newest first.
func (c *Client) Inbound(ctx context.Context, l List) (Page[Inbound], error) {
	return get[Page[Inbound]](ctx, c, "/inbound", l.values())
}
