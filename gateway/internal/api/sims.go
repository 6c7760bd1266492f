package api

import (
	"context"
	"net/http"

	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/sims"
)

// SIMInput names a card in the path.
type SIMInput struct {
	ID string `path:"id" maxLength:"100" example:"8947010000000000003"`
}

type holdInput struct {
	SIMInput
	Body client.SIMReason
}

func (a *API) simRoutes() {
	const path, tag = root + "/sims", "sims"
	conflict := []int{http.StatusConflict}
	handle(a, route{method: http.MethodGet, path: path, id: "list-sims", tag: tag,
		summary: "List the SIM cards that were ever seen", text: "Where each was, and what its balance was before, is in its own path.",
		class: ClassRead, scope: access.Read}, a.sims)
	handle(a, route{method: http.MethodGet, path: path + "/{id}", id: "get-sim", tag: tag,
		summary: "Read a SIM card's passport", class: ClassRead, scope: access.Read}, a.sim)
	handle(a, route{method: http.MethodPost, path: path + "/{id}/hold", id: "hold-sim", tag: tag,
		summary: "Keep a SIM card from sending", class: ClassControl, scope: access.Providers}, a.holdSIM)
	handle(a, route{method: http.MethodPost, path: path + "/{id}/release", id: "release-sim", tag: tag,
		summary: "Let a held SIM card send again", text: "What it sent in vain before counts no more.",
		class: ClassControl, scope: access.Providers, errors: conflict}, a.releaseSIM)
	handle(a, route{method: http.MethodPost, path: path + "/{id}/confirm", id: "confirm-sim", tag: tag,
		summary: "Confirm a SIM card in the slot that it came into", class: ClassControl, scope: access.Providers, errors: conflict}, a.confirmSIM)
	handle(a, route{method: http.MethodPost, path: path + "/{id}/balance", id: "ask-sim-balance", tag: tag,
		summary: "Ask the network for a SIM card's balance now", class: ClassControl, scope: access.Providers,
		errors: []int{http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout}}, a.askBalance)
}

func (a *API) sims(_ context.Context, in *ListInput) (client.Page[client.SIM], error) {
	p := pageOf(a.SIMs.Cards(), func(c sims.Card) string { return c.ID }, *in)
	out := client.Page[client.SIM]{Items: mapped(p.Items, simOf), Next: p.Next}
	for i := range out.Items {
		out.Items[i].Places, out.Items[i].Balances = nil, nil
	}
	return out, nil
}

func (a *API) sim(_ context.Context, in *SIMInput) (client.SIM, error) {
	return passport(a.SIMs.Card(in.ID))
}

func (a *API) holdSIM(ctx context.Context, in *holdInput) (client.SIM, error) {
	if err := printed("reason", in.Body.Reason); err != nil {
		return client.SIM{}, err
	}
	return passport(a.SIMs.Hold(ctx, in.ID, in.Body.Reason, callerOf(ctx).Name))
}

func (a *API) releaseSIM(ctx context.Context, in *SIMInput) (client.SIM, error) {
	return passport(a.SIMs.Release(ctx, in.ID, callerOf(ctx).Name))
}

func (a *API) confirmSIM(ctx context.Context, in *SIMInput) (client.SIM, error) {
	return passport(a.SIMs.Confirm(ctx, in.ID, callerOf(ctx).Name))
}

func (a *API) askBalance(ctx context.Context, in *SIMInput) (client.SIM, error) {
	return passport(a.SIMs.AskBalance(ctx, in.ID))
}

// passport is a card as a caller sees it, or why there is none.
func passport(c sims.Card, err error) (client.SIM, error) {
	if err != nil {
		return client.SIM{}, err
	}
	return simOf(c), nil
}

func simOf(c sims.Card) client.SIM {
	out := client.SIM{
		ID: c.ID, ICCID: c.ICCID, IMSI: c.IMSI, Number: c.Number, Operator: c.Operator, Channel: c.Channel,
		First: when(c.First), Last: when(c.Last), Balance: balanceOf(&c.Balance),
		Places: mapped(c.Places, func(p sims.Place) client.SIMPlace {
			return client.SIMPlace{Channel: p.Channel, IMEI: p.IMEI, Since: when(p.Since)}
		}),
		Balances: mapped(c.Balance.Amounts, func(b sims.Amount) client.SIMBalance {
			return client.SIMBalance{At: when(b.At), Amount: &b.Amount}
		}),
	}
	if h := c.Hold; h != nil {
		out.Held = &client.SIMHold{Since: when(h.Since), Cause: string(h.Cause), Why: h.Why, By: h.By}
	}
	if h := c.Health; h.Known {
		out.Health = &client.SIMHealth{Score: h.Score, Reasons: append([]string{}, h.Reasons...)}
	}
	if c.Left != (sims.Left{}) {
		out.Left = &client.SIMLeft{Segments: c.Left.Segments, Recipients: c.Left.Recipients}
	}
	return out
}

func balanceOf(b *sims.Balance) *client.SIMBalance {
	if b.Answer == nil && b.Error == "" {
		return nil
	}
	out := &client.SIMBalance{Error: b.Error, Low: b.Low}
	if a := b.Answer; a != nil {
		out.At, out.Text = when(a.At), a.Text
		if a.Read {
			out.Amount = &a.Amount
		}
	}
	if days, ok := b.DaysLeft(); ok {
		out.DaysLeft = &days
	}
	return out
}
