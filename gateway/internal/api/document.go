package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

// routes registers everything.
func (a *API) routes() {
	a.components()
	a.messageRoutes()
	a.campaignRoutes()
	a.dialerRoutes()
	a.baseRoutes()
	a.heldRoutes()
	a.inboundRoutes()
	a.blacklistRoutes()
	a.providerRoutes()
	a.channelRoutes()
	a.deviceRoutes()
	a.simRoutes()
	a.siteRoutes()
	a.tokenRoutes()
	a.reportRoutes()
	a.eventRoutes()
	a.legacyRoutes()
	a.healthRoutes()
	a.hookRoutes()
	rt := &route{class: ClassRead, public: true}
	a.mux.HandleFunc("GET "+root+"/openapi.json", a.plain(rt, a.openapi))
}

// document freezes the OpenAPI document: it is made once, from the routes.
func (a *API) document() error {
	b, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return gateway.Errorf(gateway.KindInternal, "the OpenAPI document: %w", err)
	}
	a.spec = b
	return nil
}

// Document gives the OpenAPI 3.1 document.
func (a *API) Document() []byte { return a.spec }

func (a *API) openapi(w http.ResponseWriter, _ *http.Request, _ access.Caller) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.spec) // A caller that is gone hears nothing more.
	return nil
}

// problems are the statuses that routes answer besides success, with an example each.
func problems() map[int]*problem {
	kind := func(k gateway.Kind, field, text string) *problem {
		return problemFor(&gateway.Error{Kind: k, Field: field, Text: text})
	}
	exact := func(status int, text string) *problem {
		return withStatus(status, &gateway.Error{Kind: gateway.KindInvalid, Text: text})
	}
	again := problemFor(&gateway.Error{Kind: gateway.KindThrottled, Text: "too many requests from this address", Retry: time.Second})
	down := problemFor(&gateway.Error{Kind: gateway.KindUnavailable, Text: "the box is shutting down and takes nothing new", Retry: drainRetry})
	return map[int]*problem{
		400: exact(400, "the body is not UTF-8"),
		401: kind(gateway.KindUnauthorized, "", "a token is needed: Authorization: Bearer <token>"),
		403: kind(gateway.KindForbidden, "", "this needs the scope campaigns"),
		404: kind(gateway.KindNotFound, "", "no such message"),
		409: kind(gateway.KindConflict, "name", "is taken"),
		413: exact(413, "the body has more than 1048576 bytes"),
		415: exact(415, "the body must be application/json"),
		422: kind(gateway.KindInvalid, "campaign", `no campaign or dialer is named "alert"`),
		429: again,
		500: problemFor(nil),
		502: kind(gateway.KindRefused, "", "the network refused the code"),
		503: down,
		504: kind(gateway.KindUnknownOutcome, "", "the device did not answer in time"),
	}
}

func problemName(status int) string { return "Problem" + strconv.Itoa(status) }

// components describe what the routes share.
func (a *API) components() {
	c := a.huma.OpenAPI().Components
	c.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {
		Type: "http", Scheme: "bearer",
		Description: "An API token. Callers on a trusted address need none to read and to send.",
	}}
	c.Responses = map[string]*huma.Response{}
	schema := a.schema(client.Problem{})
	for status, p := range problems() {
		c.Responses[problemName(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{client.ProblemType: {Schema: schema, Example: p.Problem}},
		}
	}
}

// schema gives the schema of a value's type, shared by all who ask for it.
func (a *API) schema(v any) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// exemplify puts examples into the operation of a route that huma serves.
func (a *API) exemplify(rt *route, answer any) {
	op := a.documented(rt)
	if r := op.Responses[strconv.Itoa(successOf(rt, op))]; r != nil && r.Content["application/json"] != nil {
		r.Content["application/json"].Example = answer
	}
	if op.RequestBody == nil {
		return
	}
	if body := op.RequestBody.Content["application/json"]; body != nil {
		t := a.huma.OpenAPI().Components.Schemas.TypeFromRef(body.Schema.Ref)
		body.Example = example(t)
	}
}

func successOf(rt *route, op *huma.Operation) int {
	if rt.status != 0 {
		return rt.status
	}
	return op.DefaultStatus
}

func (a *API) documented(rt *route) *huma.Operation {
	item := a.huma.OpenAPI().Paths[rt.path]
	switch rt.method {
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	case http.MethodDelete:
		return item.Delete
	}
	return item.Get
}

// described is what the document says of a plain route besides its route.
type described struct {
	params []*huma.Param
	body   *huma.RequestBody
	answer map[string]*huma.MediaType
}

// describe adds a plain route to the document.
func (a *API) describe(rt *route, d described) {
	op := a.operation(rt)
	op.Parameters, op.RequestBody = d.params, d.body
	status := rt.status
	if status == 0 {
		status = http.StatusOK
	}
	op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: d.answer}
	a.huma.OpenAPI().AddOperation(&op)
}

// query describes a parameter of text.
func query(name, in, text, example string) *huma.Param {
	return &huma.Param{Name: name, In: in, Description: text, Example: example, Required: in == "path", Schema: &huma.Schema{Type: huma.TypeString}}
}

func stream(*route) described {
	return described{
		params: []*huma.Param{
			query("after", "query", "Number of the last event that is known", "41"),
			query("Last-Event-ID", "header", "Id of the last event that is known", "1-41"),
		},
		answer: map[string]*huma.MediaType{"text/event-stream": {
			Schema:  &huma.Schema{Type: huma.TypeString},
			Example: "id: 1-42\nevent: message\ndata: {\"seq\":42,\"kind\":\"message\",\"at\":\"2030-01-02T08:00:00Z\",\"body\":{}}\n\n",
		}},
	}
}
