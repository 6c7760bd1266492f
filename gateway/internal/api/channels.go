package api

import (
	"context"
	"net/http"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

// ChannelInput names a channel: its id, "provider/port", is two segments of the path.
type ChannelInput struct {
	Provider string `path:"provider" maxLength:"64" example:"modems"`
	Port     int    `path:"port" minimum:"0" maximum:"31" example:"3"`
}

func (c *ChannelInput) id() string { return gateway.ChannelID(c.Provider, c.Port) }

type ussdInput struct {
	ChannelInput
	Body client.USSDRequest
}

// The longest that a device may take (TS 27.007 §7.15 sets none).
const (
	ussdTime  = 2 * time.Minute
	resetTime = time.Minute
)

func (a *API) channelRoutes() {
	const path, tag = root + "/channels", "channels"
	device := []int{http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout}
	handle(a, route{method: http.MethodGet, path: path, id: "list-channels", tag: tag,
		summary: "List the channels", class: ClassRead, scope: access.Read}, a.channels)
	handle(a, route{method: http.MethodGet, path: path + "/{provider}/{port}", id: "get-channel", tag: tag,
		summary: "Read a channel", class: ClassRead, scope: access.Read}, a.channel)
	act(a, route{method: http.MethodPost, path: path + "/{provider}/{port}/reset", id: "reset-channel", tag: tag,
		summary: "Restart a channel's device", class: ClassControl, scope: access.Providers, errors: device}, a.reset)
	handle(a, route{method: http.MethodPost, path: path + "/{provider}/{port}/ussd", id: "dial-ussd", tag: tag,
		summary: "Dial a USSD code", class: ClassControl, scope: access.Providers, errors: device}, a.ussd)
	a.traceRoute()
}

func (a *API) channels(context.Context, *struct{}) (client.Page[client.Channel], error) {
	return client.Page[client.Channel]{Items: mapped(a.Bank.Channels(), a.shown)}, nil
}

func (a *API) channel(_ context.Context, in *ChannelInput) (client.Channel, error) {
	c, err := a.Bank.Channel(in.id())
	if err != nil {
		return client.Channel{}, err
	}
	return a.shown(c), nil
}

func (a *API) reset(ctx context.Context, in *ChannelInput) error {
	ctx, cancel := context.WithTimeout(ctx, resetTime)
	defer cancel()
	return a.Bank.Reset(ctx, in.id())
}

func (a *API) ussd(ctx context.Context, in *ussdInput) (client.USSDAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, ussdTime)
	defer cancel()
	text, err := a.Bank.USSD(ctx, in.id(), in.Body.Code)
	return client.USSDAnswer{Text: text}, err
}

// shown is a channel with what is known of the card in it.
func (a *API) shown(c gateway.Channel) client.Channel {
	out := channelOf(c)
	if c.State != gateway.ChannelAbsent {
		out.Held = a.SIMs.Held(c.SIMKey())
	}
	return out
}

func channelOf(c gateway.Channel) client.Channel {
	out := client.Channel{
		ID: c.ID, Provider: c.Provider, Port: c.Port, State: c.State.String(), Reason: c.Reason,
		Since: when(c.Since), Until: when(c.Until), Device: c.Device, Model: c.Model, IMEI: c.IMEI,
		ICCID: c.ICCID, IMSI: c.IMSI, Number: c.Number, SMSC: c.SMSC, Operator: c.Operator,
	}
	if c.State != gateway.ChannelAbsent {
		out.Registration = c.Registration.String()
		if dbm, ok := c.DBm(); ok {
			out.Signal, out.DBm = &c.Signal, &dbm
		}
		if c.Storage > 0 {
			out.Stored, out.Storage = &c.Stored, c.Storage
		}
		if !c.ClockAt.IsZero() {
			ahead := c.Ahead.Seconds()
			out.ClockAt, out.AheadSeconds = &c.ClockAt, &ahead
		}
	}
	return out
}
