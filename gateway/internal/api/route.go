package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"fieldpost/gateway/internal/access"
)

// root is the path of the REST API.
const root = "/api/v1"

// routeKey is where an operation keeps its route.
const routeKey = "route"

// Class is what a request is about: the label of its metrics. The list is closed.
type Class string

// The classes.
const (
	ClassSend    Class = "send"    // messages submitted one by one
	ClassBase    Class = "base"    // files
	ClassControl Class = "control" // changes of definitions, starts and stops
	ClassRead    Class = "read"    // everything that only looks
	ClassEvents  Class = "events"  // event streams
	ClassHealth  Class = "health"  // health, readiness, metrics
	ClassHook    Class = "hook"    // what devices tell by themselves
	ClassOther   Class = "other"   // no such route
)

// Classes lists the classes.
func Classes() []Class {
	return []Class{ClassSend, ClassBase, ClassControl, ClassRead, ClassEvents, ClassHealth, ClassHook, ClassOther}
}

// route is what the API knows of a path besides its types.
type route struct {
	method  string
	path    string // from the root of the server
	id      string // of the operation
	tag     string
	summary string
	text    string // more than the summary
	class   Class
	scope   access.Scope
	public  bool  // needs no caller
	takes   bool  // takes new work: refused while the box shuts down
	status  int   // of success; 0 = 200, or 204 where there is no answer
	errors  []int // statuses besides those that follow from the route's form
}

// operation is the route as huma and the OpenAPI document know it.
func (a *API) operation(rt *route) huma.Operation {
	op := huma.Operation{
		OperationID:     rt.id,
		Method:          rt.method,
		Path:            rt.path,
		Summary:         rt.summary,
		Description:     rt.text,
		Tags:            []string{rt.tag},
		DefaultStatus:   rt.status,
		MaxBodyBytes:    a.maxBody,
		BodyReadTimeout: -1, // pace sets it for every route
		Metadata:        map[string]any{routeKey: rt},
		Responses:       map[string]*huma.Response{},
	}
	if !rt.public {
		op.Security = []map[string][]string{{"token": {}}, {}}
		op.Extensions = map[string]any{"x-scope": rt.scope.Words()[0]}
	}
	for _, status := range rt.statuses() {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + problemName(status)}
	}
	return op
}

// statuses are the problems that a route may answer.
func (r *route) statuses() []int {
	list := []int{http.StatusInternalServerError}
	if !r.public {
		list = append(list, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
			http.StatusServiceUnavailable, http.StatusUnprocessableEntity)
	}
	if strings.Contains(r.path, "{") {
		list = append(list, http.StatusNotFound)
	}
	if r.method == http.MethodPost || r.method == http.MethodPut {
		list = append(list, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return append(list, r.errors...)
}

// answer is how huma wants a body.
type answer[T any] struct{ Body T }

// nothing is an answer without a body: 204.
type nothing struct{}

// handle registers a route whose answer has a body.
func handle[I, T any](a *API, rt route, serve func(context.Context, *I) (T, error)) {
	op := a.operation(&rt)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*answer[T], error) {
		out, err := serve(ctx, in)
		if err != nil {
			return nil, a.told(ctx, &rt, err)
		}
		return &answer[T]{out}, nil
	})
	a.exemplify(&rt, exampleOf[T]())
}

// act registers a route whose answer has none.
func act[I any](a *API, rt route, serve func(context.Context, *I) error) {
	rt.status = http.StatusNoContent
	op := a.operation(&rt)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*nothing, error) {
		if err := serve(ctx, in); err != nil {
			return nil, a.told(ctx, &rt, err)
		}
		return nil, nil
	})
	a.exemplify(&rt, nil)
}

// told is an error as huma passes it on.
func (a *API) told(ctx context.Context, rt *route, err error) error {
	if p, ok := err.(*problem); ok {
		return p
	}
	a.note(ctx, rt.method+" "+rt.path, err)
	return problemFor(err)
}
