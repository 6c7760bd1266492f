package api

import (
	"context"
	"net/http"

	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/modem"
)

func (a *API) traceRoute() {
	handle(a, route{method: http.MethodGet, path: root + "/channels/{provider}/{port}/trace", id: "get-channel-trace", tag: "channels",
		summary: "Read the last dialogue with a channel's device, and what went wrong with it", class: ClassRead, scope: access.Providers,
		errors: []int{http.StatusServiceUnavailable}}, a.trace)
}

func (a *API) trace(_ context.Context, in *ChannelInput) (client.Trace, error) {
	t, err := a.Bank.Trace(in.id())
	if err != nil {
		return client.Trace{}, err
	}
	return client.Trace{Lines: append([]string{}, t.Lines...), Incidents: mapped(t.Incidents, incidentOf)}, nil
}

func incidentOf(i modem.Incident) client.Incident {
	return client.Incident{At: i.At, Cause: i.Cause, Steps: i.Steps, Lines: i.Lines}
}
