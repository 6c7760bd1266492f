package api

import (
	"context"
	"net/http"

	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/spool"
)

type blacklistQuery struct {
	ListInput
	Prefix string `query:"prefix" maxLength:"16" example:"+4791" doc:"Beginning of the number; absent = all"`
}

type listedInput struct {
	KeyInput
	Body client.Listed
}

type unlistInput struct {
	Number   string `path:"number" maxLength:"64" example:"+4791234567"`
	Campaign string `query:"campaign" maxLength:"64" example:"alerts" doc:"Absent or * = the list of every campaign"`
	OptIn    bool   `query:"opt_in" doc:"End the customer's opt-out, at the customer's own wish"`
}

func (a *API) blacklistRoutes() {
	const path, tag = root + "/blacklist", "blacklist"
	handle(a, route{method: http.MethodGet, path: path, id: "list-blacklist", tag: tag,
		summary: "List the blacklist in the order of its numbers", class: ClassRead, scope: access.Read}, a.blacklist)
	handle(a, route{method: http.MethodPost, path: path, id: "add-blacklist", tag: tag,
		summary: "List a number", text: "Listing it again changes nothing.", class: ClassControl,
		scope: access.Blacklist, status: http.StatusCreated}, a.list)
	act(a, route{method: http.MethodDelete, path: path + "/{number}", id: "remove-blacklist", tag: tag,
		summary: "Take a number off the blacklist, or end an opt-out",
		text:    "An opt-out stays, and the answer is 409, unless opt_in says that the customer wishes to have messages again.", class: ClassControl, scope: access.Blacklist}, a.unlist)
	handle(a, route{method: http.MethodGet, path: path + "/history", id: "list-blacklist-history", tag: tag,
		summary: "List the messages that the blacklist stopped, newest first", class: ClassRead, scope: access.Read}, a.hits)
}

func (a *API) blacklist(_ context.Context, in *blacklistQuery) (client.Page[client.Listed], error) {
	list, next, err := a.Spool.ListBlacklist(in.Prefix, in.Cursor, in.Limit)
	return client.Page[client.Listed]{Items: mapped(list, listedOf), Next: next}, err
}

func (a *API) list(ctx context.Context, in *listedInput) (client.Listed, error) {
	number, err := a.Numbers.Normalise(in.Body.Number)
	if err != nil {
		return client.Listed{}, renamed(err, "to", "number")
	}
	if err := printed("source", in.Body.Source); err != nil {
		return client.Listed{}, err
	}
	campaign, err := a.scopeOfList(in.Body.Campaign)
	if err != nil {
		return client.Listed{}, err
	}
	l := spool.Listed{Number: number, Campaign: campaign, OptOut: in.Body.OptOut, Source: in.Body.Source, At: a.now()}
	if l.Source == "" {
		l.Source = callerOf(ctx).Name
	}
	if err := a.Spool.Blacklist(ctx, l); err != nil {
		return client.Listed{}, err
	}
	return listedOf(l), nil
}

func (a *API) unlist(ctx context.Context, in *unlistInput) error {
	number, err := a.Numbers.Normalise(in.Number)
	if err != nil {
		return renamed(err, "to", "number")
	}
	campaign := in.Campaign
	if campaign == "*" {
		campaign = ""
	}
	who := callerOf(ctx).Name
	if in.OptIn {
		return a.Spool.OptIn(ctx, number, campaign, who)
	}
	return a.Spool.Unlist(ctx, number, campaign, who)
}

// scopeOfList reads the campaign of an entry: "" and * are all of them. A list for
// a campaign that there is not would block nothing, unseen.
func (a *API) scopeOfList(campaign string) (string, error) {
	if campaign == "" || campaign == "*" {
		return "", nil
	}
	_, err := a.Catalog.Resolve(campaign)
	return campaign, err
}

func (a *API) hits(_ context.Context, in *ListInput) (client.Page[client.Hit], error) {
	hits, next, err := a.Spool.Hits(in.Cursor, in.Limit)
	return client.Page[client.Hit]{Items: mapped(hits, hitOf), Next: next}, err
}

func listedOf(l spool.Listed) client.Listed {
	return client.Listed{Number: string(l.Number), Campaign: l.Campaign, OptOut: l.OptOut, Source: l.Source, At: when(l.At)}
}

func hitOf(h spool.Hit) client.Hit {
	return client.Hit{At: h.At.UTC(), Number: string(h.Number), Campaign: h.Campaign, ID: idOf(h.IDM), OptOut: h.OptOut}
}
