package api

import (
	"context"
	"net/http"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

func (a *API) inboundRoutes() {
	handle(a, route{method: http.MethodGet, path: root + "/inbound", id: "list-inbound", tag: "messages",
		summary: "List received messages, newest first", class: ClassRead, scope: access.Read}, a.inbound)
	handle(a, route{method: http.MethodPost, path: root + "/inbound/{id}/opt-out", id: "decide-opt-out", tag: "blacklist",
		summary: "Say whether a received message asks for no more messages",
		text:    "Does what the word alone would have done: lists the sender for every campaign, or ends that, and confirms it to the customer. The entry names the message and who decided.",
		class:   ClassControl, scope: access.Blacklist, errors: []int{http.StatusConflict}}, a.decide)
}

type inboundQuery struct {
	ListInput
	Wish string `query:"wish" enum:"stop,start,near" example:"near" doc:"Only messages that ask so; near = a person should read them"`
}

func (a *API) inbound(_ context.Context, in *inboundQuery) (client.Page[client.Inbound], error) {
	if wish, _ := gateway.ParseWish(in.Wish); wish != gateway.WishNone {
		list, next, err := a.Spool.ListWishes(wish, in.Cursor, in.Limit)
		return client.Page[client.Inbound]{Items: mapped(list, inboundOf), Next: next}, err
	}
	list, next, err := a.Spool.ListInbound(in.Cursor, in.Limit)
	return client.Page[client.Inbound]{Items: mapped(list, inboundOf), Next: next}, err
}

type decideInput struct {
	IDInput
	Body client.Decision
}

func (a *API) decide(ctx context.Context, in *decideInput) (client.Inbound, error) {
	seq, err := in.idm()
	if err != nil {
		return client.Inbound{}, err
	}
	wish, _ := gateway.ParseWish(in.Body.Wish) // The document allows three words only.
	m, err := a.Spool.Decide(ctx, seq, wish, callerOf(ctx).Name)
	if err != nil {
		return client.Inbound{}, err
	}
	return inboundOf(m), nil
}

func inboundOf(m gateway.Inbound) client.Inbound {
	out := client.Inbound{
		ID: idOf(m.Seq), From: string(m.From), Text: m.Text, Campaign: m.Campaign, Channel: m.Channel,
		ICCID: m.ICCID, SMSC: m.SMSC, Sent: m.SentAt.UTC(), Received: m.ReceivedAt.UTC(),
		Segments: int(m.Segments), Incomplete: m.Incomplete, Undecoded: m.Undecoded, WishBy: m.WishBy,
	}
	if m.Wish != gateway.WishNone {
		out.Wish = m.Wish.String()
	}
	if out.From == "" {
		out.From = m.Typed
	}
	if m.Undecoded != "" {
		out.Raw = m.Raw
	}
	return out
}
