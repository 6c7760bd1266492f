package dinstar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
)

// client asks a gateway, one request at a time.
//
// The kinds of its errors say what the gateway may have done: unknown_outcome that it
// may have taken the request, every other kind that it did not.
type client struct {
	base  *url.URL
	times *Times
	turn  chan struct{} // held by the request that is on its way

	// Owned by who holds the turn.
	http    *http.Client
	login   *login
	wire    *http.Transport
	breaker breaker
}

func newClient(o *Options, base *url.URL, pin []byte) *client {
	wire := &http.Transport{
		TLSClientConfig:        secured(pin),
		DialContext:            (&net.Dialer{Timeout: o.Times.Connect}).DialContext,
		TLSHandshakeTimeout:    o.Times.Connect,
		MaxConnsPerHost:        1,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	l := newLogin(o, wire)
	return &client{
		base: base, times: &o.Times, turn: make(chan struct{}, 1), wire: wire, login: l,
		http: &http.Client{
			Transport:     l,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		breaker: breaker{first: o.Times.LockOut},
	}
}

// get asks with a query. Encode writes a comma as %2C, which is also what the digest
// signs (T1).
func (c *client) get(ctx context.Context, verb string, query url.Values) (answer, error) {
	u := *c.base
	u.Path += "/api/" + verb
	u.RawQuery = query.Encode()
	return c.ask(ctx, c.times.Query, http.MethodGet, u.String(), nil)
}

// post asks with a body.
func (c *client) post(ctx context.Context, limit time.Duration, verb string, body any) (answer, error) {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false) // a parser in a small device may not know what was never needed
	if err := e.Encode(body); err != nil {
		return answer{}, &gateway.Error{Kind: gateway.KindInternal, Text: err.Error(), Err: err}
	}
	u := *c.base
	u.Path += "/api/" + verb
	return c.ask(ctx, limit, http.MethodPost, u.String(), raw.Bytes())
}

// ask waits for its turn, no longer than limit, and asks, no longer than that again.
func (c *client) ask(ctx context.Context, limit time.Duration, method, target string, body []byte) (answer, error) {
	if err := c.take(ctx, limit); err != nil {
		return answer{}, err
	}
	defer func() { <-c.turn }()
	if err := c.breaker.check(); err != nil {
		return answer{}, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	got, err := c.once(ctx, method, target, body)
	if got.refused() && !got.banned() { // T8: now and then on a connection that is used again
		c.wire.CloseIdleConnections()
		c.login.forget()
		if !wait(ctx, c.times.Fresh) {
			return answer{}, givenUp(ctx)
		}
		got, err = c.once(ctx, method, target, body)
	}
	switch {
	case err != nil:
		return answer{}, err
	case got.status == http.StatusForbidden && !got.banned() && optional(target):
		return answer{}, &gateway.Error{Kind: gateway.KindNotFound, Text: "the gateway's firmware does not offer this", Code: "HTTP 403"}
	case got.refused():
		return answer{}, c.breaker.trip()
	}
	c.breaker.close()
	a, err := got.answer()
	a.took = time.Since(began)
	return a, err
}

// optional says that not every firmware knows a request. Some answer 403 to what they do
// not know (T4): that says nothing of the login, which the others go on with.
func optional(target string) bool {
	for _, verb := range []string{"get_status", "get_cdr", "query_sms_in_queue"} {
		if strings.Contains(target, "/api/"+verb) {
			return true
		}
	}
	return false
}

// take takes the turn. A gateway that hangs holds up each request for its limit, and not
// for those of all that wait before it.
func (c *client) take(ctx context.Context, limit time.Duration) error {
	if ctx.Err() != nil {
		return givenUp(ctx)
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return givenUp(ctx)
	case <-t.C:
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway is too slow: other requests wait for it"}
	}
}

// httpReply is an answer as it came.
type httpReply struct {
	status int
	body   []byte
}

// once sends one request, signed.
func (c *client) once(ctx context.Context, method, target string, body []byte) (httpReply, error) {
	var wrote atomic.Bool // something may have reached the gateway
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return httpReply{}, &gateway.Error{Kind: gateway.KindInternal, Text: err.Error(), Err: err}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return httpReply{}, lost(err, wrote.Load())
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil && res.StatusCode == http.StatusOK:
		return httpReply{}, lost(err, true)
	case len(raw) > maxBody:
		return httpReply{}, &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: fmt.Sprintf("the gateway's answer has more than %d bytes", maxBody)}
	}
	return httpReply{status: res.StatusCode, body: raw}, nil
}

// refused says that the login was not accepted.
func (r httpReply) refused() bool {
	return r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
}

// banned says that the gateway wants no other try (T3).
func (r httpReply) banned() bool { return bytes.Contains(r.body, []byte("forbid to try again")) }

// answer reads a reply. An error_code counts more than the HTTP status beside it,
// which differs from firmware to firmware.
func (r httpReply) answer() (answer, error) {
	a, err := parse(r.body)
	switch {
	case err == nil:
		return a, codeError(a.Code.n)
	case r.status == http.StatusNotFound:
		return a, &gateway.Error{Kind: gateway.KindNotFound, Code: codeNoAPI,
			Text: "the gateway has no such API: set Mobile Configuration, Basic Configuration, API to New Version"}
	case r.status >= 300 && r.status < 500:
		return a, &gateway.Error{Kind: gateway.KindUnavailable, Code: fmt.Sprintf("HTTP %d", r.status),
			Text: "the gateway does not take the request: is this its address?"}
	case r.status != http.StatusOK:
		return a, &gateway.Error{Kind: gateway.KindUnknownOutcome, Code: fmt.Sprintf("HTTP %d", r.status), Text: "the gateway has a fault of its own"}
	}
	return a, err
}

// lost says what it means that no answer came.
func lost(err error, wrote bool) error {
	text := "the gateway does not answer"
	var u *url.Error
	if errors.As(err, &u) { // without the method and the address
		err = u.Err
	}
	var n net.Error
	switch {
	case errors.Is(err, context.Canceled):
		text = "the request was given up"
	case errors.As(err, &n) && n.Timeout():
		text += " in time"
	case !wrote && distrust(err) != "":
		text = "the gateway is not believed: " + distrust(err)
	case !wrote:
		text = "the gateway cannot be reached: " + err.Error()
	}
	kind := gateway.KindUnavailable
	if wrote {
		kind = gateway.KindUnknownOutcome
	}
	return &gateway.Error{Kind: kind, Text: text, Err: err}
}

// givenUp says that a request was given up before it began.
func givenUp(ctx context.Context) error {
	return &gateway.Error{Kind: gateway.KindUnavailable, Text: "it was given up before the gateway was asked", Err: ctx.Err()}
}

// wait waits for a time; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
