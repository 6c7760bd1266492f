package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/access"
)

// Limits of the server, unless Options say otherwise.
const (
	headerTime  = 5 * time.Second // to send the headers of a request
	idleTime    = 2 * time.Minute // of a connection between two requests
	maxHeader   = 32 << 10        // bytes of the headers of a request
	defaultBody = 1 << 20         // bytes of a body that is no file
	defaultBase = 1 << 30         // bytes of a file
)

// build makes the mux, the huma API on it, and every route.
func (a *API) build(version string) error {
	a.mux = http.NewServeMux()
	a.origin = http.NewCrossOriginProtection()
	a.huma = humago.New(a.mux, config(version))
	a.huma.UseMiddleware(a.gate)
	a.mux.HandleFunc("/", a.nowhere)
	a.routes()
	return a.document()
}

// config is huma without what we do not want of it: no documentation page (it
// loads scripts from the net), no $schema fields, no schema routes, no document
// route (it builds the document on the first request, unlocked).
func config(version string) huma.Config {
	c := huma.DefaultConfig("fieldpost", version)
	c.DocsPath, c.SchemasPath, c.OpenAPIPath = "", "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{transform}
	f := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	c.Formats = map[string]huma.Format{"application/json": f, "json": f} // "json" is every type that ends in +json
	c.DefaultFormat = "application/json"
	c.Info.Description = "The REST API of a fieldpost box: JSON, problems as RFC 9457, times in UTC."
	c.Servers = []*huma.Server{{URL: "/"}}
	return c
}

func writeJSON(w io.Writer, v any) error {
	if p, ok := v.(*problem); ok {
		v = p.Problem
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// nowhere answers a path that there is not, or not with this method.
func (a *API) nowhere(w http.ResponseWriter, r *http.Request) {
	allowed := ""
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = m
		if _, pattern := a.mux.Handler(try); pattern != "/" && pattern != "" {
			if allowed != "" {
				allowed += ", "
			}
			allowed += m
		}
	}
	if allowed == "" {
		a.fail(w, r, gateway.Errorf(gateway.KindNotFound, "no such path"))
		return
	}
	w.Header().Set("Allow", allowed) // RFC 9110 §15.5.6
	a.fail(w, r, withStatus(http.StatusMethodNotAllowed,
		&gateway.Error{Kind: gateway.KindInvalid, Text: "this path takes " + allowed}))
}

// Server gives an HTTP server with the limits of this API. Whoever listens
// serves it, and shuts it down after Close.
func (a *API) Server() *http.Server {
	return &http.Server{
		Handler:           a,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// Drain refuses new work from now on, with Retry-After; what is asked about the
// work that is there is still answered.
func (a *API) Drain() { a.draining.Store(true) }

// Close ends the event streams, which would otherwise hold up the server's
// shutdown. It may be called again.
func (a *API) Close() error {
	a.once.Do(func() { close(a.done) })
	return nil
}

// API is the HTTP face of the box. It is an http.Handler.
type API struct {
	Rooms // set once

	// Set once.
	mux      *http.ServeMux
	huma     huma.API
	origin   *http.CrossOriginProtection
	guard    *access.Guard
	throttle *access.Throttle // nil = no limit
	observe  func(Class, int, time.Duration)
	log      *slog.Logger
	now      func() time.Time
	zone     *time.Location
	maxBody  int64
	maxBase  int64
	dir      string
	segments int
	metrics  http.Handler
	hooks    http.Handler // nil = none
	spec     []byte       // the OpenAPI document

	draining atomic.Bool
	streams  atomic.Int32 // event streams that are open
	files    atomic.Int32 // files that are on their way
	once     sync.Once
	done     chan struct{} // closed by Close
	made     replies
}
