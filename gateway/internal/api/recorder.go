package api

import (
	"net/http"
	"runtime/debug"
	"time"

	"fieldpost/gateway"
)

// recorder remembers what was answered. http.ResponseController reaches through it.
type recorder struct {
	http.ResponseWriter
	status int // 0 until something is written
	class  Class
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write writes.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.begin(http.StatusOK)
	}
	return r.ResponseWriter.Write(p)
}

// begin starts the time that the caller has to take the answer.
func (r *recorder) begin(status int) {
	r.status = status
	_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTime)) // A recorder in a test has none.
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ServeHTTP serves one request. A panic ends that request only.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w, class: ClassOther}
	start := time.Now()
	if a.observe != nil {
		defer func() { a.observe(rec.class, max(rec.status, http.StatusOK), time.Since(start)) }()
	}
	defer func() {
		if v := recover(); v != nil {
			a.recovered(rec, r, v)
		}
	}()
	secure(rec.Header())
	pace(w, r)
	if err := a.origin.Check(r); err != nil {
		a.fail(rec, r, gateway.Errorf(gateway.KindForbidden, "a page of another site made this request"))
		return
	}
	a.mux.ServeHTTP(rec, r)
}

// secure says what a browser may make of an answer: nothing but data.
func secure(h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
}

// Shared by all answers, never changed.
var (
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

func (a *API) recovered(rec *recorder, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	// huma panics when an answer cannot be written, because its caller went away too.
	if r.Context().Err() == nil {
		a.log.Error("a request met a panic", "route", r.Pattern, "panic", v, "stack", string(debug.Stack()))
	}
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // Half an answer must not look like a whole one.
	}
	a.fail(rec, r, problemFor(nil))
}
