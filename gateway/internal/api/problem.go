package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// Bounds of what a problem says back: the names of unknown fields are the
// caller's own words.
const (
	maxFaults = 20 // fields in one problem
	maxWord   = 64 // bytes of a field's name
)

// problem is a client.Problem that huma writes: it knows its status, its media
// type and its headers.
type problem struct{ client.Problem }

// Error gives the detail.
func (p *problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457 §3, whatever was negotiated.
func (p *problem) ContentType(string) string { return client.ProblemType }

// GetHeaders gives what goes with the status: RFC 9110 §11.6.1 and §10.2.3.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if p.Retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(p.Retry, 10))
	}
	return h
}

// problemFor says an error to the caller. What an error without a kind says is
// for the log only: it may hold a path, a query, a secret.
func problemFor(err error) *problem {
	var e *gateway.Error
	if !errors.As(err, &e) {
		e = &gateway.Error{Kind: gateway.KindInternal}
	}
	status := client.StatusOf(e.Kind)
	p := &problem{client.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: e.Text, Code: e.Kind.String(), Field: e.Field, Wire: e.Code,
		Retry: int64(math.Ceil(e.Retry.Seconds())),
	}}
	switch {
	case e.Kind == gateway.KindInternal || e.Kind == gateway.KindNone:
		p.Status, p.Title = http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)
		p.Code, p.Field, p.Wire = gateway.KindInternal.String(), "", ""
		p.Detail = "a fault of the box: its log says more"
	case p.Detail == "":
		p.Detail = strings.ReplaceAll(e.Kind.String(), "_", " ")
	}
	return p
}

// withStatus is a problem whose status is more exact than its kind's: 405, 413, 415.
func withStatus(status int, e *gateway.Error) *problem {
	p := problemFor(e)
	p.Status, p.Title = status, http.StatusText(status)
	return p
}

// fromModel turns an error of huma's own into a problem: the values that it
// would show back (they may be secrets) and the texts of plain errors stay here.
func fromModel(m *huma.ErrorModel) *problem {
	kind := client.KindOfStatus(m.Status)
	p := withStatus(m.Status, &gateway.Error{Kind: kind, Text: lower(m.Detail)})
	if kind == gateway.KindInternal {
		return p
	}
	for _, d := range m.Errors {
		if d == nil || len(p.Errors) == maxFaults {
			continue
		}
		p.Errors = append(p.Errors, faultOf(d))
	}
	if len(p.Errors) > 0 {
		p.Field, p.Detail = p.Errors[0].Field, p.Errors[0].Detail
	}
	return p
}

// fieldOf gives the field of a place such as "body.ports[1].baud".
func fieldOf(location string) string {
	where, field, ok := strings.Cut(location, ".")
	if !ok {
		return ""
	}
	switch where {
	case "body", "query", "path", "header", "form":
	default:
		field = location
	}
	if len(field) > maxWord {
		field = strings.ToValidUTF8(field[:maxWord], "") + "..."
	}
	return field
}

// faultOf says what is wrong with a field, in the words of the house.
func faultOf(d *huma.ErrorDetail) client.FieldProblem {
	f := client.FieldProblem{Field: fieldOf(d.Location), Detail: lower(d.Message)}
	if d.Message == "unexpected property" {
		f.Detail = "no such field"
	}
	if d.Message == "unknown query parameter" {
		f.Detail = "no such parameter"
	}
	if _, rest, ok := strings.Cut(d.Message, "expected required property "); ok {
		name, _, _ := strings.Cut(rest, " ")
		f = client.FieldProblem{Field: fieldOf(d.Location + "." + name), Detail: "is missing"}
	}
	// encoding/json speaks of Go types: "json: cannot unmarshal number 4294967296 into
	// Go struct field Limits.per_day of type uint32".
	if _, rest, ok := strings.Cut(d.Message, " Go struct field "); ok {
		_, path, _ := strings.Cut(rest, ".")
		name, _, _ := strings.Cut(path, " ")
		f = client.FieldProblem{Field: fieldOf("body." + name), Detail: "does not fit: too large, or of another type"}
	}
	return f
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// transform puts our problem in the place of huma's (which is decided by package
// variables there, and here by what this API was made with).
func transform(_ huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		return fromModel(m), nil
	}
	return v, nil
}

// fail writes an error as a problem, and to the log when it is a fault of ours.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		a.note(r.Context(), r.Pattern, err)
		p = problemFor(err)
	}
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", client.ProblemType)
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p.Problem) // A caller that is gone hears nothing more.
	}
}

// note logs what the caller is not told. A caller that went away is no fault.
func (a *API) note(ctx context.Context, route string, err error) {
	if gateway.KindOf(err) == gateway.KindInternal && ctx.Err() == nil {
		a.log.Error("a request met a fault", "route", route, "error", err)
	}
}

// throttled says when to come again.
func throttled(wait time.Duration, text string) error {
	return &gateway.Error{Kind: gateway.KindThrottled, Text: text, Retry: wait}
}
