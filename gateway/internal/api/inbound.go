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
}

func (a *API) inbound(_ context.Context, in *ListInput) (client.Page[client.Inbound], error) {
	list, next, err := a.Spool.ListInbound(in.Cursor, in.Limit)
	return client.Page[client.Inbound]{Items: mapped(list, inboundOf), Next: next}, err
}

func inboundOf(m gateway.Inbound) client.Inbound {
	out := client.Inbound{
		ID: idOf(m.Seq), From: string(m.From), Text: m.Text, Campaign: m.Campaign, Channel: m.Channel,
		ICCID: m.ICCID, SMSC: m.SMSC, Sent: m.SentAt.UTC(), Received: m.ReceivedAt.UTC(),
		Segments: int(m.Segments), Incomplete: m.Incomplete, Undecoded: m.Undecoded,
	}
	if out.From == "" {
		out.From = m.Typed
	}
	if m.Undecoded != "" {
		out.Raw = m.Raw
	}
	return out
}
