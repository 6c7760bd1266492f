package client

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Device is what the device of a provider says of itself. What it does not tell is absent.
type Device struct {
	Provider string    `json:"provider" example:"rack"`
	Serial   string    `json:"serial,omitempty" example:"da00-0000-0000-0001"`
	At       time.Time `json:"at" example:"2030-01-02T08:00:00Z" doc:"When it said so"`
	Queue    *int      `json:"queue,omitempty" example:"2" doc:"Messages that wait in the device, whoever sent them"`
	CPU      *int      `json:"cpu,omitempty" example:"39" doc:"Percent in use"`
	Flash    *Memory   `json:"flash,omitempty"`
	Memory   *Memory   `json:"memory,omitempty"`
	Ports    []Channel `json:"ports" nullable:"false"`
}

// Memory is how full a memory is, in bytes.
type Memory struct {
	Used  uint64 `json:"used" example:"17846272"`
	Total uint64 `json:"total" example:"28311552"`
}

// Call is a call that a device carried, in the words of the device.
type Call struct {
	Port      int        `json:"port" example:"3"`
	Began     *time.Time `json:"began,omitempty" example:"2030-01-02T08:00:00Z"`
	Answered  *time.Time `json:"answered,omitempty" doc:"Absent = it was not"`
	Seconds   int        `json:"seconds" example:"61"`
	From      string     `json:"from,omitempty" example:"1001"`
	To        string     `json:"to,omitempty" example:"+4790000003"`
	Direction string     `json:"direction,omitempty" example:"ip->gsm"`
	Hangup    string     `json:"hangup,omitempty" example:"called" doc:"Who ended it"`
	Code      int        `json:"code,omitempty" example:"16" doc:"The network's cause"`
	IP        string     `json:"ip,omitempty"`
	Codec     string     `json:"codec,omitempty" example:"PCMU"`
	Cell      string     `json:"cell,omitempty" doc:"BCCH"`
}

// CallQuery says which calls, newest first.
type CallQuery struct {
	List
	Port   *int       // nil = all
	After  *time.Time // began after it; nil = 24 h before the end
	Before *time.Time // began before it; nil = now
}

// Control is something to do to a port.
type Control struct {
	Action string `json:"action" enum:"power_off,power_on,slot,block,unblock" example:"power_off" doc:"block: the device sends nothing more over the port"`
	Param  string `json:"param,omitempty" maxLength:"16" example:"" doc:"Of slot: its number, 0 to 3"`
}

// Device asks the device of a provider how it is; KindInvalid where it cannot tell.
func (c *Client) Device(ctx context.Context, provider string) (Device, error) {
	var out Device
	err := c.do(ctx, call{method: http.MethodGet, path: providerPath(provider) + "/device", out: &out, long: true})
	return out, err
}

// Calls lists the calls that the device of a provider carried; KindInvalid where it
// keeps no list.
func (c *Client) Calls(ctx context.Context, provider string, q CallQuery) (Page[Call], error) {
	v := q.values()
	if q.Port != nil {
		v.Set("port", strconv.Itoa(*q.Port))
	}
	for key, at := range map[string]*time.Time{"after": q.After, "before": q.Before} {
		if at != nil {
			v.Set(key, at.UTC().Format(time.RFC3339))
		}
	}
	return get[Page[Call]](ctx, c, providerPath(provider)+"/calls", v)
}

// ControlChannel does something to a port at its device. KindForbidden unless its
// provider has port_control; KindConflict while a send or a USSD request is on its way.
func (c *Client) ControlChannel(ctx context.Context, id string, in Control) error {
	path, err := channelPath(id)
	if err != nil {
		return err
	}
	return c.do(ctx, call{method: http.MethodPost, path: path + "/control", in: in, long: true})
}
