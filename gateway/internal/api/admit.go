package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/access"
)

// drainRetry is when a caller should come again while the box shuts down.
const drainRetry = 10 * time.Second

// admit decides whether a request may go on: who calls, how often, with which
// scope, and whether the box still takes work.
func (a *API) admit(w http.ResponseWriter, r *http.Request, rt *route) (access.Caller, error) {
	if rec, ok := w.(*recorder); ok {
		rec.class = rt.class
	}
	if rt.public {
		return access.Caller{}, nil
	}
	c, err := a.guard.Identify(r)
	if a.throttle != nil && !c.Trusted {
		if wait := a.throttle.Take(access.Remote(r)); wait > 0 {
			return c, throttled(wait, "too many requests from this address")
		}
	}
	if err != nil {
		return c, err
	}
	if !c.May(rt.scope) {
		return c, gateway.Errorf(gateway.KindForbidden, "this needs the scope %s", rt.scope.Words()[0])
	}
	if rt.takes && a.draining.Load() {
		return c, &gateway.Error{Kind: gateway.KindUnavailable, Text: "the box is shutting down and takes nothing new", Retry: drainRetry}
	}
	return c, unambiguous(r)
}

// callerKey is the key of the caller in a request's context.
type callerKey struct{}

// callerOf gives who makes the request that a context belongs to.
func callerOf(ctx context.Context) access.Caller {
	c, _ := ctx.Value(callerKey{}).(access.Caller)
	return c
}

// gate is admit for the routes that huma serves.
func (a *API) gate(ctx huma.Context, next func(huma.Context)) {
	rt := ctx.Operation().Metadata[routeKey].(*route)
	r, w := humago.Unwrap(ctx)
	c, err := a.admit(w, r, rt)
	if err == nil && ctx.Operation().RequestBody != nil {
		err = a.readBody(w, r)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

// plain serves a route that huma does not: a stream, a form, a file.
func (a *API) plain(rt *route, serve func(http.ResponseWriter, *http.Request, access.Caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := a.admit(w, r, rt)
		if err == nil {
			err = serve(w, r, c)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	}
}

// onlyQuery refuses parameters that a route does not know: a misspelt filter
// must not look like no filter.
func onlyQuery(r *http.Request, known ...string) error {
next:
	for name := range r.URL.Query() {
		for _, k := range known {
			if name == k {
				continue next
			}
		}
		return gateway.Invalid(fieldOf("query."+name), "no such parameter")
	}
	return nil
}
