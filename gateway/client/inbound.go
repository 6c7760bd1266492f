package client

import (
	"context"
	"net/url"
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
	Wish       string    `json:"wish,omitempty" enum:"stop,start,near" example:"stop" doc:"The customer wants no more messages, or messages again; near = a person should read it"`
	WishBy     string    `json:"wish_by,omitempty" example:"ana" doc:"Who decided what it asks; absent = its words alone"`
}

// Decision is a person's word on what a received message asks.
type Decision struct {
	Wish string `json:"wish" enum:"stop,start,none" example:"stop" doc:"stop lists the sender for every campaign, start ends that, none leaves it"`
}

// Inbound lists the received messages, newest first.
func (c *Client) Inbound(ctx context.Context, l List) (Page[Inbound], error) {
	return get[Page[Inbound]](ctx, c, "/inbound", l.values())
}

// InboundWithWish lists those with a wish, newest first: "stop", "start", or "near" for
// those that a person should read.
func (c *Client) InboundWithWish(ctx context.Context, wish string, l List) (Page[Inbound], error) {
	v := l.values()
	set(v, "wish", wish)
	return get[Page[Inbound]](ctx, c, "/inbound", v)
}

// DecideOptOut says what a received message asks: "stop", "start" or "none".
// KindConflict when it is decided otherwise already.
func (c *Client) DecideOptOut(ctx context.Context, id, wish string) (Inbound, error) {
	return post[Inbound](ctx, c, "/inbound/"+url.PathEscape(id)+"/opt-out", Decision{Wish: wish})
}
