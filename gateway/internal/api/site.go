package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/gsm7"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/numbers"
)

// Numbers reads numbers as people type them.
type Numbers interface {
	Normalise(typed string) (gateway.Address, error)
	Explain(typed string) numbers.Explanation
}

func (a *API) siteRoutes() {
	handle(a, route{method: http.MethodGet, path: root + "/site", id: "get-site", tag: "site",
		summary: "How the box stands", class: ClassRead, scope: access.Read}, a.site)
	handle(a, route{method: http.MethodPost, path: root + "/segments/plan", id: "plan-segments", tag: "numbers",
		summary: "How a text would travel", class: ClassRead, scope: access.Read}, a.plan)
	handle(a, route{method: http.MethodPost, path: root + "/numbers/explain", id: "explain-number", tag: "numbers",
		summary: "What a typed number becomes, and why", class: ClassRead, scope: access.Read}, a.explainNumber)
}

func (a *API) site(context.Context, *struct{}) (client.Site, error) {
	s := a.Site.Site()
	if a.draining.Load() {
		s.State = "draining"
	}
	return s, nil
}

type planInput struct{ Body client.SegmentRequest }

func (a *API) plan(_ context.Context, in *planInput) (client.SegmentPlan, error) {
	p, err := gsm7.Options{MaxSegments: a.segments}.Plan(in.Body.Text)
	if err != nil {
		return client.SegmentPlan{}, err
	}
	return client.SegmentPlan{
		Encoding: p.Encoding.String(), Segments: p.Segments, Units: p.Units, PerSegment: p.PerSegment, Left: p.Left,
		Forced: mapped(p.Forced, forcedOf),
	}, nil
}

type numberInput struct{ Body client.NumberRequest }

func (a *API) explainNumber(_ context.Context, in *numberInput) (client.NumberExplained, error) {
	x := a.Numbers.Explain(in.Body.Number)
	out := client.NumberExplained{
		Typed: x.Typed, Number: string(x.Address), Form: x.Kind, Region: x.Region,
		Valid: x.Valid, Possible: x.Possible, Reasons: x.Notes,
	}
	if out.Reasons == nil {
		out.Reasons = []string{}
	}
	if x.Address == "" {
		return out, nil
	}
	var err error
	out.Listed, out.OptOut, err = a.Spool.Listed(x.Address, in.Body.Campaign)
	return out, err
}

type tokenInput struct {
	KeyInput
	Body client.Token
}

type tokenID struct {
	ID string `path:"id" maxLength:"32" example:"k3v9q2abcd"`
}

func (a *API) tokenRoutes() {
	const path, tag = root + "/tokens", "tokens"
	handle(a, route{method: http.MethodGet, path: path, id: "list-tokens", tag: tag,
		summary: "List API tokens, without their secrets", class: ClassRead, scope: access.Admin}, a.tokens)
	handle(a, route{method: http.MethodPost, path: path, id: "create-token", tag: tag,
		summary: "Make an API token", text: "The answer holds its secret, this once. Its name must be free.",
		class: ClassControl, scope: access.Admin, status: http.StatusCreated,
		errors: []int{http.StatusConflict}}, a.createToken)
	act(a, route{method: http.MethodDelete, path: path + "/{id}", id: "revoke-token", tag: tag,
		summary: "End a token at once", class: ClassControl, scope: access.Admin}, a.revokeToken)
}

func (a *API) tokens(_ context.Context, in *ListInput) (client.Page[client.Token], error) {
	return pageOf(mapped(a.guard.List(), tokenOf), func(t client.Token) string { return t.ID }, *in), nil
}

// createToken shows the secret once: a repeated key gets the token without it.
func (a *API) createToken(ctx context.Context, in *tokenInput) (client.Token, error) {
	scope, err := access.ParseScopes(in.Body.Scopes)
	if err != nil {
		return client.Token{}, err
	}
	secret := ""
	t, err := once(ctx, a, "token", in.Key, in.Body, func() (client.Token, error) {
		made, s, err := a.guard.Create(ctx, in.Body.Name, scope)
		secret = s
		return tokenOf(made), err
	})
	t.Token = secret
	return t, err
}

func (a *API) revokeToken(ctx context.Context, in *tokenID) error { return a.guard.Revoke(ctx, in.ID) }

func tokenOf(t access.Token) client.Token {
	return client.Token{ID: t.ID, Name: t.Name, Scopes: t.Scope.Words(), Created: when(t.Created), LastUsed: when(t.LastUsed)}
}

func forcedOf(f gsm7.Forced) client.Forced {
	return client.Forced{Char: string(f.Rune), Index: f.Index, Suggestion: f.Suggestion}
}

func idOf(idm uint64) string { return strconv.FormatUint(idm, 10) }

// healthRoutes are outside root, and in no document: they are for machines.
func (a *API) healthRoutes() {
	public := &route{class: ClassHealth, public: true}
	a.mux.HandleFunc("GET /healthz", a.plain(public, alive))
	a.mux.HandleFunc("GET /readyz", a.plain(public, a.ready))
	if a.metrics != nil {
		rt := &route{class: ClassHealth, scope: access.Read}
		a.mux.HandleFunc("GET /metrics", a.plain(rt, func(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
			a.metrics.ServeHTTP(w, r)
			return nil
		}))
	}
}

func alive(w http.ResponseWriter, _ *http.Request, _ access.Caller) error {
	return text(w, http.StatusOK, "ok")
}

// ready says whether the box can send. Why it cannot is for who may read the site.
func (a *API) ready(w http.ResponseWriter, _ *http.Request, _ access.Caller) error {
	if a.draining.Load() {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the box is shutting down", Retry: drainRetry}
	}
	if s := a.Site.Site(); s.State != "ready" {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the box cannot send now: GET " + root + "/site says why"}
	}
	return text(w, http.StatusOK, "ready")
}

// text answers a word. A caller that is gone by then hears nothing more.
func text(w http.ResponseWriter, status int, word string) error {
	w.Header()["Content-Type"] = plainText
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word)
	return nil
}

// plainText is shared by all answers, never changed.
var plainText = []string{"text/plain; charset=utf-8"}
