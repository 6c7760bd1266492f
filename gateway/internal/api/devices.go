package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/modem"
)

// Devices are the devices behind the channels, as far as they tell of themselves.
type Devices interface {
	Inspect(ctx context.Context, provider string) (modem.Condition, error)
	Calls(ctx context.Context, provider string, q modem.CallQuery) ([]modem.Call, error)
	Control(ctx context.Context, id string, c modem.Control, param string) error
}

type controlInput struct {
	ChannelInput
	Body client.Control
}

type callsInput struct {
	NameInput
	ListInput
	Port   int       `query:"port" minimum:"-1" maximum:"31" default:"-1" doc:"Absent = all"`
	After  time.Time `query:"after" example:"2030-01-01T00:00:00Z" doc:"Began after it; absent = 24 h before the end"`
	Before time.Time `query:"before" example:"2030-01-02T00:00:00Z" doc:"Began before it; absent = now"`
}

// deviceTime is the longest that a device may take to tell of itself.
const deviceTime = time.Minute

// callSpan is how far back calls are listed where nobody says.
const callSpan = 24 * time.Hour

func (a *API) deviceRoutes() {
	device := []int{http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout}
	handle(a, route{method: http.MethodGet, path: root + "/providers/{name}/device", id: "get-device", tag: "providers",
		summary: "Ask a provider's device how it is", text: "Its load, its queue and its ports. The device is asked: a device that cannot tell is 422.",
		class: ClassRead, scope: access.Read, errors: device}, a.device)
	handle(a, route{method: http.MethodGet, path: root + "/providers/{name}/calls", id: "list-calls", tag: "providers",
		summary: "List the calls that a provider's device carried", text: "Newest first. The device is asked for the whole span: a shorter one is quicker.",
		class: ClassRead, scope: access.Read, errors: device}, a.calls)
	act(a, route{method: http.MethodPost, path: root + "/channels/{provider}/{port}/control", id: "control-channel", tag: "channels",
		summary: "Switch, block or re-slot a port",
		text:    "Only where the provider has port_control, and never while a send or a USSD request is on its way.",
		class:   ClassControl, scope: access.Providers, errors: device}, a.control)
}

func (a *API) device(ctx context.Context, in *NameInput) (client.Device, error) {
	ctx, cancel := context.WithTimeout(ctx, deviceTime)
	defer cancel()
	c, err := a.Devices.Inspect(ctx, in.Name)
	if err != nil {
		return client.Device{}, err
	}
	out := client.Device{
		Provider: in.Name, Serial: c.Serial, At: c.At.UTC(), Flash: memoryOf(c.Flash), Memory: memoryOf(c.Memory), Ports: []client.Channel{},
	}
	if c.Queued {
		out.Queue = &c.Queue
	}
	if c.Memory.Total > 0 { // told together
		out.CPU = &c.CPU
	}
	for _, ch := range a.Bank.Channels() {
		if ch.Provider == in.Name {
			out.Ports = append(out.Ports, channelOf(ch))
		}
	}
	return out, nil
}

func memoryOf(s modem.Store) *client.Memory {
	if s.Total == 0 {
		return nil
	}
	m := client.Memory(s)
	return &m
}

func (a *API) calls(ctx context.Context, in *callsInput) (client.Page[client.Call], error) {
	ctx, cancel := context.WithTimeout(ctx, deviceTime)
	defer cancel()
	if in.Before.IsZero() {
		in.Before = a.now()
	}
	if in.After.IsZero() {
		in.After = in.Before.Add(-callSpan)
	}
	if !in.After.Before(in.Before) {
		return client.Page[client.Call]{}, gateway.Invalid("after", "must be before the end of the span")
	}
	calls, err := a.Devices.Calls(ctx, in.Name, modem.CallQuery{Port: in.Port, After: in.After, Before: in.Before})
	if err != nil {
		return client.Page[client.Call]{}, err
	}
	return callPage(calls, in.ListInput), nil
}

// callPage cuts one page out of a list of calls, newest first. A call is named by when it
// began, and by its place among those that began with it.
func callPage(calls []modem.Call, in ListInput) client.Page[client.Call] {
	type named struct {
		modem.Call
		name string
	}
	slices.SortStableFunc(calls, func(x, y modem.Call) int { return y.Began.Compare(x.Began) })
	all := make([]named, len(calls))
	for i, nth := 0, 0; i < len(calls); i, nth = i+1, nth+1 {
		if i > 0 && !calls[i].Began.Equal(calls[i-1].Began) {
			nth = 0
		}
		all[i] = named{calls[i], fmt.Sprintf("%019d-%06d", math.MaxInt64-max(0, calls[i].Began.UnixMilli()), nth)}
	}
	p := pageOf(all, func(n named) string { return n.name }, in)
	return client.Page[client.Call]{Items: mapped(p.Items, func(n named) client.Call { return callOf(n.Call) }), Next: p.Next}
}

func callOf(c modem.Call) client.Call {
	return client.Call{
		Port: c.Port, Began: when(c.Began), Answered: when(c.Answered), Seconds: int(c.Duration / time.Second), From: c.From, To: c.To,
		Direction: c.Direction, Hangup: c.Hangup, Code: c.Code, IP: c.IP, Codec: c.Codec, Cell: c.Cell,
	}
}

func (a *API) control(ctx context.Context, in *controlInput) error {
	p, err := a.Catalog.Provider(in.Provider)
	if err != nil {
		return err
	}
	if !p.PortControl {
		return gateway.Errorf(gateway.KindForbidden, "the ports of %q may not be controlled: set port_control = true for this provider", in.Provider)
	}
	ctx, cancel := context.WithTimeout(ctx, resetTime)
	defer cancel()
	return a.Devices.Control(ctx, in.id(), modem.Control(in.Body.Action), in.Body.Param)
}
