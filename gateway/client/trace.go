package client

import (
	"context"
	"time"
)

// Trace is the evidence of a channel: the last dialogue with its device, without texts
// and PINs, and of numbers the last three digits.
type Trace struct {
	Lines     []string   `json:"lines" doc:"Oldest first: the time in UTC, < from the device or > to it, and what was said"`
	Incidents []Incident `json:"incidents" doc:"The last times that the device had to be brought back, oldest first"`
}

// Incident is one time that a device had to be brought back.
type Incident struct {
	At    time.Time `json:"at" example:"2030-01-02T08:00:00Z"`
	Cause string    `json:"cause" example:"AT+CMGL: no answer"`
	Steps []string  `json:"steps" doc:"What was tried, with its result and time"`
	Lines []string  `json:"lines" doc:"The dialogue until then"`
}

// ChannelTrace gives the evidence of a channel.
func (c *Client) ChannelTrace(ctx context.Context, id string) (Trace, error) {
	path, err := channelPath(id)
	if err != nil {
		return Trace{}, err
	}
	return get[Trace](ctx, c, path+"/trace", nil)
}
