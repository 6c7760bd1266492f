package api

import (
	"context"
	"net/http"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
)

type dialerInput struct {
	KeyInput
	Body client.Dialer
}

type dialerChange struct {
	NameInput
	Body client.Dialer
}

type dialerList struct {
	ListInput
	Active string `query:"active" enum:"true,false" example:"true" doc:"Only those that are active, or are not; absent = all"`
}

func (a *API) dialerRoutes() {
	const path, tag = root + "/dialers", "dialers"
	conflict := []int{http.StatusConflict}
	handle(a, route{method: http.MethodGet, path: path, id: "list-dialers", tag: tag,
		summary: "List dialers", class: ClassRead, scope: access.Read}, a.dialers)
	handle(a, route{method: http.MethodPost, path: path, id: "create-dialer", tag: tag,
		summary: "Make a dialer", text: "A new dialer is stopped.", class: ClassControl, scope: access.Campaigns,
		status: http.StatusCreated, errors: conflict}, a.createDialer)
	handle(a, route{method: http.MethodGet, path: path + "/{name}", id: "get-dialer", tag: tag,
		summary: "Read a dialer", class: ClassRead, scope: access.Read}, a.dialer)
	handle(a, route{method: http.MethodPut, path: path + "/{name}", id: "update-dialer", tag: tag,
		summary: "Replace a dialer", text: "It neither starts nor stops it.", class: ClassControl,
		scope: access.Campaigns, errors: conflict}, a.updateDialer)
	act(a, route{method: http.MethodDelete, path: path + "/{name}", id: "delete-dialer", tag: tag,
		summary: "Delete a dialer that has no waiting rows", class: ClassControl, scope: access.Campaigns,
		errors: conflict}, a.deleteDialer)
	handle(a, route{method: http.MethodPost, path: path + "/{name}/start", id: "start-dialer", tag: tag,
		summary: "Start a dialer", class: ClassControl, scope: access.Campaigns}, a.startDialer)
	handle(a, route{method: http.MethodPost, path: path + "/{name}/stop", id: "stop-dialer", tag: tag,
		summary: "Stop a dialer", class: ClassControl, scope: access.Campaigns}, a.stopDialer)
	handle(a, route{method: http.MethodGet, path: path + "/{name}/counters", id: "get-dialer-counters", tag: tag,
		summary: "Count a dialer's rows", class: ClassRead, scope: access.Read}, a.counters)
	handle(a, route{method: http.MethodDelete, path: path + "/{name}/unprocessed", id: "delete-dialer-unprocessed", tag: tag,
		summary: "Delete the rows that were not sent", class: ClassControl, scope: access.Campaigns}, a.deleteUnprocessed)
}

func (a *API) dialers(_ context.Context, in *dialerList) (client.Page[client.Dialer], error) {
	all := []client.Dialer{}
	for _, d := range a.Catalog.Dialers() {
		out := a.dialerOf(d)
		if in.Active == "" || out.Active == (in.Active == "true") {
			all = append(all, out)
		}
	}
	return pageOf(all, func(d client.Dialer) string { return d.Name }, in.ListInput), nil
}

func (a *API) dialer(_ context.Context, in *NameInput) (client.Dialer, error) {
	d, err := a.Catalog.Dialer(in.Name)
	if err != nil {
		return client.Dialer{}, err
	}
	return a.dialerOf(d), nil
}

func (a *API) createDialer(ctx context.Context, in *dialerInput) (client.Dialer, error) {
	return once(ctx, a, "dialer", in.Key, in.Body, func() (client.Dialer, error) {
		in.Body.Revision = 0
		return a.putDialer(ctx, in.Body)
	})
}

func (a *API) updateDialer(ctx context.Context, in *dialerChange) (client.Dialer, error) {
	if err := sameName(in.Name, in.Body.Name); err != nil {
		return client.Dialer{}, err
	}
	old, err := a.Catalog.Dialer(in.Name)
	if err != nil {
		return client.Dialer{}, err
	}
	if in.Body.Revision == 0 {
		in.Body.Revision = old.Revision
	}
	return a.putDialer(ctx, in.Body)
}

func (a *API) putDialer(ctx context.Context, in client.Dialer) (client.Dialer, error) {
	d, err := a.Catalog.PutDialer(ctx, catalog.Dialer{
		Dialer: gateway.Dialer{
			Name: in.Name, Provider: in.Provider, Enabled: yes(in.Enabled), DialString: in.DialString,
			Interval: time.Duration(in.IntervalMS) * time.Millisecond, Schedule: in.Schedule, Zone: in.TimeZone,
			DNCR: in.DNCR, Batch: in.Batch, Policy: policyOf(in.Policy),
		},
		Revision: in.Revision,
	})
	if err != nil {
		return client.Dialer{}, renamed(err, "interval", "interval_ms")
	}
	return a.dialerOf(d), nil
}

func (a *API) deleteDialer(ctx context.Context, in *NameInput) error {
	return a.Catalog.DeleteDialer(ctx, in.Name)
}

func (a *API) startDialer(ctx context.Context, in *NameInput) (client.Dialer, error) {
	return a.switchDialer(ctx, in, a.Catalog.Start)
}

func (a *API) stopDialer(ctx context.Context, in *NameInput) (client.Dialer, error) {
	return a.switchDialer(ctx, in, a.Catalog.Stop)
}

func (a *API) switchDialer(ctx context.Context, in *NameInput, turn func(context.Context, string) error) (client.Dialer, error) {
	if _, err := a.Catalog.Dialer(in.Name); err != nil {
		return client.Dialer{}, err
	}
	if err := turn(ctx, in.Name); err != nil {
		return client.Dialer{}, err
	}
	out, err := a.dialer(ctx, in)
	out.Reasons = nil // the sender has not looked since: they are of before
	return out, err
}

func (a *API) dialerOf(d catalog.Dialer) client.Dialer {
	active, onSchedule := a.running(d.Name)
	return client.Dialer{
		Name: d.Name, Provider: d.Provider, Enabled: &d.Enabled, DialString: d.DialString,
		IntervalMS: d.Interval.Milliseconds(), Schedule: d.Schedule, TimeZone: d.Zone, DNCR: d.DNCR,
		Batch: d.Batch, Policy: policyWord(d.Policy), Revision: d.Revision,
		Started: d.Started, Active: active, OnSchedule: onSchedule, Reasons: a.Sender.Reasons(d.Name),
	}
}
