package api

import (
	"context"
	"net/http"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
)

type campaignInput struct {
	KeyInput
	Body client.Campaign
}

type campaignChange struct {
	NameInput
	Body client.Campaign
}

func (a *API) campaignRoutes() {
	const path, tag = root + "/campaigns", "campaigns"
	conflict := []int{http.StatusConflict}
	handle(a, route{method: http.MethodGet, path: path, id: "list-campaigns", tag: tag,
		summary: "List campaigns", class: ClassRead, scope: access.Read}, a.campaigns)
	handle(a, route{method: http.MethodPost, path: path, id: "create-campaign", tag: tag,
		summary: "Make a campaign", class: ClassControl, scope: access.Campaigns,
		status: http.StatusCreated, errors: conflict}, a.createCampaign)
	handle(a, route{method: http.MethodGet, path: path + "/{name}", id: "get-campaign", tag: tag,
		summary: "Read a campaign", class: ClassRead, scope: access.Read}, a.campaign)
	handle(a, route{method: http.MethodPut, path: path + "/{name}", id: "update-campaign", tag: tag,
		summary: "Replace a campaign", class: ClassControl, scope: access.Campaigns, errors: conflict}, a.updateCampaign)
	act(a, route{method: http.MethodDelete, path: path + "/{name}", id: "delete-campaign", tag: tag,
		summary: "Delete a campaign that has no waiting rows", class: ClassControl, scope: access.Campaigns,
		errors: conflict}, a.deleteCampaign)
	handle(a, route{method: http.MethodPost, path: path + "/{name}/start", id: "start-campaign", tag: tag,
		summary: "Start a campaign's sending", class: ClassControl, scope: access.Campaigns}, a.startCampaign)
	handle(a, route{method: http.MethodPost, path: path + "/{name}/stop", id: "stop-campaign", tag: tag,
		summary: "Stop a campaign's sending", class: ClassControl, scope: access.Campaigns}, a.stopCampaign)
	handle(a, route{method: http.MethodGet, path: path + "/{name}/counters", id: "get-campaign-counters", tag: tag,
		summary: "Count a campaign's rows", class: ClassRead, scope: access.Read}, a.counters)
	handle(a, route{method: http.MethodDelete, path: path + "/{name}/unprocessed", id: "delete-campaign-unprocessed", tag: tag,
		summary: "Delete the rows that were not sent", class: ClassControl, scope: access.Campaigns}, a.deleteUnprocessed)
}

func (a *API) campaigns(_ context.Context, in *ListInput) (client.Page[client.Campaign], error) {
	return pageOf(mapped(a.Catalog.Campaigns(), a.campaignOf), func(c client.Campaign) string { return c.Name }, *in), nil
}

func (a *API) campaign(_ context.Context, in *NameInput) (client.Campaign, error) {
	c, err := a.Catalog.Campaign(in.Name)
	if err != nil {
		return client.Campaign{}, err
	}
	return a.campaignOf(c), nil
}

func (a *API) createCampaign(ctx context.Context, in *campaignInput) (client.Campaign, error) {
	return once(ctx, a, "campaign", in.Key, in.Body, func() (client.Campaign, error) {
		in.Body.Revision = 0
		return a.putCampaign(ctx, in.Body)
	})
}

func (a *API) updateCampaign(ctx context.Context, in *campaignChange) (client.Campaign, error) {
	if err := sameName(in.Name, in.Body.Name); err != nil {
		return client.Campaign{}, err
	}
	old, err := a.Catalog.Campaign(in.Name)
	if err != nil {
		return client.Campaign{}, err
	}
	if in.Body.Revision == 0 {
		in.Body.Revision = old.Revision
	}
	return a.putCampaign(ctx, in.Body)
}

func (a *API) putCampaign(ctx context.Context, in client.Campaign) (client.Campaign, error) {
	c, err := a.Catalog.PutCampaign(ctx, catalog.Campaign{
		Campaign: gateway.Campaign{
			Name: in.Name, Provider: in.Provider, Enabled: yes(in.Enabled), Zone: in.TimeZone,
			Schedule: in.Schedule, Policy: policyOf(in.Policy),
		},
		Revision: in.Revision,
	})
	if err != nil {
		return client.Campaign{}, err
	}
	return a.campaignOf(c), nil
}

func (a *API) deleteCampaign(ctx context.Context, in *NameInput) error {
	return a.Catalog.DeleteCampaign(ctx, in.Name)
}

func (a *API) startCampaign(ctx context.Context, in *NameInput) (client.Campaign, error) {
	return a.switchCampaign(ctx, in, a.Catalog.Start)
}

func (a *API) stopCampaign(ctx context.Context, in *NameInput) (client.Campaign, error) {
	return a.switchCampaign(ctx, in, a.Catalog.Stop)
}

func (a *API) switchCampaign(ctx context.Context, in *NameInput, turn func(context.Context, string) error) (client.Campaign, error) {
	if _, err := a.Catalog.Campaign(in.Name); err != nil {
		return client.Campaign{}, err
	}
	if err := turn(ctx, in.Name); err != nil {
		return client.Campaign{}, err
	}
	return a.campaign(ctx, in)
}

func (a *API) counters(_ context.Context, in *NameInput) (client.Counters, error) {
	if _, err := a.Catalog.Resolve(in.Name); err != nil {
		return client.Counters{}, gateway.Errorf(gateway.KindNotFound, "no campaign or dialer has this name")
	}
	c, err := a.Spool.Counters(in.Name)
	if err != nil {
		return client.Counters{}, err
	}
	return countersOf(in.Name, c), nil
}

func (a *API) deleteUnprocessed(ctx context.Context, in *NameInput) (client.Deleted, error) {
	if _, err := a.Catalog.Resolve(in.Name); err != nil {
		return client.Deleted{}, gateway.Errorf(gateway.KindNotFound, "no campaign or dialer has this name")
	}
	n, err := a.Spool.DeleteUnprocessed(ctx, in.Name)
	return client.Deleted{Deleted: n}, err
}

func (a *API) campaignOf(c catalog.Campaign) client.Campaign {
	active, onSchedule := a.running(c.Name)
	return client.Campaign{
		Name: c.Name, Provider: c.Provider, Enabled: &c.Enabled, TimeZone: c.Zone, Schedule: c.Schedule,
		Policy: policyWord(c.Policy), Revision: c.Revision, Active: active, OnSchedule: onSchedule,
	}
}

// running tells the two facts of a lane apart (P136, P137): somebody lets it run,
// and its hours allow it.
func (a *API) running(name string) (active, onSchedule bool) {
	l, err := a.Catalog.Lane(name)
	if err != nil {
		return false, false // It was deleted since it was read.
	}
	return l.Enabled && l.Started, l.Schedule.On(a.now(), l.Zone)
}

func countersOf(name string, c gateway.Counters) client.Counters {
	out := client.Counters{
		Campaign: name, Uploaded: c.Uploaded, Processed: c.Processed(), NotProcessed: c.NotProcessed(),
		Blocked: c.Blocked(), Other: c.Other(), Deleted: c.Deleted, Balanced: c.Balanced(),
		ByStatus: map[string]uint64{},
	}
	for _, s := range gateway.Statuses() {
		if n := c.ByStatus[s]; n > 0 {
			out.ByStatus[s.String()] = n
		}
	}
	return out
}

// sameName holds that a definition is not renamed by the way: rows name it.
func sameName(path, body string) error {
	if path != body {
		return gateway.Invalid("name", "is another than in the path: a definition cannot be renamed")
	}
	return nil
}

func yes(given *bool) bool { return given == nil || *given }

// policyOf reads a policy that the document has checked.
func policyOf(word string) gateway.UnknownPolicy {
	if word == "resend" {
		return gateway.UnknownResend
	}
	return gateway.UnknownHold
}

func policyWord(p gateway.UnknownPolicy) string {
	if p == gateway.UnknownResend {
		return "resend"
	}
	return "hold"
}
