package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fieldpost/gateway"
)

// DefaultBaseURL is where the daemon listens unless its configuration says otherwise.
const DefaultBaseURL = "http://127.0.0.1:8080"

// MaxAnswer bounds one answer that is read into memory, in bytes. A page of
// 1,000 messages of ten segments stays far below.
const MaxAnswer = 32 << 20

// prefix is the root of the REST API on the server.
const prefix = "/api/v1"

// Options says where the server is and who calls.
type Options struct {
	BaseURL    string        // "http://host:port", with no path; "" = DefaultBaseURL
	Token      string        // an API token; "" from a trusted address
	HTTPClient *http.Client  // "" = one with sensible limits; its CheckRedirect is replaced
	UserAgent  string        // "" = "fieldpost"
	Timeout    time.Duration // of a call that is neither upload nor stream; 0 = 30 s
}

// Client calls the REST API. Its methods may be called from many goroutines.
type Client struct {
	base    string
	token   string
	agent   string
	timeout time.Duration
	http    *http.Client
}

// New makes a client. It does not call the server. KindInvalid when BaseURL is
// no http or https URL.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, gateway.Invalid("url", "%q is no server: write http://host:port", o.BaseURL)
	}
	c := &Client{
		base:    strings.TrimSuffix(o.BaseURL, "/"),
		token:   o.Token,
		agent:   o.UserAgent,
		timeout: o.Timeout,
		http:    withoutRedirects(o.HTTPClient),
	}
	if c.agent == "" {
		c.agent = "fieldpost"
	}
	if c.timeout == 0 {
		c.timeout = 30 * time.Second
	}
	return c, nil
}

// withoutRedirects copies a client so that it hands redirects back: a token is
// for the host that it was given for.
func withoutRedirects(given *http.Client) *http.Client {
	var h http.Client
	if given != nil {
		h = *given
	} else {
		h.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConnsPerHost:   64,
		}
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ready asks whether the box can send now: a nil error, or KindUnavailable with
// the reason.
func (c *Client) Ready(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodGet, path: "/readyz", bare: true})
}

// call is one request.
type call struct {
	method string
	path   string // below prefix
	bare   bool   // the path is not below prefix, and its answer is no JSON
	query  url.Values
	key    string    // Idempotency-Key; "" = a fresh one for a POST
	in     any       // JSON body; nil = none
	body   io.Reader // or a stream
	size   int64     // of the stream; 0 = not known
	kind   string    // media type of the stream
	accept string    // "" = JSON
	out    any       // where the JSON answer goes; nil = nowhere
	copyTo io.Writer // or where any answer goes as it comes
	long   bool      // may take longer than the client's timeout
}

// do makes a call and reads its answer.
func (c *Client) do(ctx context.Context, q call) error {
	if !q.long {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	resp, err := c.send(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return refusal(resp)
	}
	return read(resp, q)
}

// send makes a call and gives its response, whatever its status.
func (c *Client) send(ctx context.Context, q call) (*http.Response, error) {
	req, err := c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(q, err)
	}
	return resp, nil
}

func (c *Client) request(ctx context.Context, q call) (*http.Request, error) {
	body := q.body
	if q.in != nil {
		b, err := json.Marshal(q.in)
		if err != nil {
			return nil, gateway.Errorf(gateway.KindInvalid, "the request has no JSON form: %w", err)
		}
		body, q.kind = bytes.NewReader(b), "application/json"
	}
	at := c.base + prefix + q.path
	if q.bare {
		at = c.base + q.path
	}
	if len(q.query) > 0 {
		at += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, at, body)
	if err != nil {
		return nil, gateway.Errorf(gateway.KindInvalid, "the request cannot be written: %w", err)
	}
	c.header(req, q)
	return req, nil
}

func (c *Client) header(req *http.Request, q call) {
	h := req.Header
	h.Set("User-Agent", c.agent)
	h.Set("Accept", "application/json, "+ProblemType)
	if q.accept != "" {
		h.Set("Accept", q.accept)
	}
	if q.kind != "" {
		h.Set("Content-Type", q.kind)
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	if q.method == http.MethodPost {
		if q.key == "" {
			q.key = rand.Text()
		}
		h.Set("Idempotency-Key", q.key)
	}
	if q.body != nil {
		// RFC 9110 §10.1.1: a server that will refuse says so before the file travels.
		h.Set("Expect", "100-continue")
		if q.size > 0 {
			req.ContentLength = q.size
		}
	}
}

// unreached says what is known of a call that brought no answer: where the
// server was not even dialled nothing happened, otherwise a call that changes
// something may have done so.
func (c *Client) unreached(q call, err error) error {
	e := &gateway.Error{Kind: lost(q), Err: err}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		e.Kind = gateway.KindUnavailable
	}
	switch {
	case errors.Is(err, context.Canceled):
		e.Text = "the call was broken off"
	case errors.Is(err, context.DeadlineExceeded):
		e.Text = "no answer from " + c.base + " in time"
	default:
		e.Text = "no connection to " + c.base + ": " + reason(err)
	}
	return e
}

// reason is the innermost text of a network error: the outer ones repeat the URL.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// read takes the answer of a call that succeeded.
func read(resp *http.Response, q call) error {
	switch {
	case q.copyTo != nil:
		_, err := io.Copy(q.copyTo, resp.Body)
		if err != nil {
			return gateway.Errorf(gateway.KindUnavailable, "the answer broke off: %w", err)
		}
	case q.out != nil:
		// One byte more than the bound shows that it was passed.
		b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
		if err != nil {
			return gateway.Errorf(lost(q), "the answer broke off: %w", err)
		}
		if len(b) > MaxAnswer {
			return gateway.Errorf(gateway.KindInternal, "the answer is longer than %d bytes", MaxAnswer)
		}
		if err := json.Unmarshal(b, q.out); err != nil {
			return gateway.Errorf(gateway.KindInternal, "the answer is no JSON of this API: %w", err)
		}
	}
	return nil
}

// lost is the kind of a call whose answer got lost.
func lost(q call) gateway.Kind {
	if q.method == http.MethodGet {
		return gateway.KindUnavailable
	}
	return gateway.KindUnknownOutcome
}

func get[T any](ctx context.Context, c *Client, path string, v url.Values) (T, error) {
	var out T
	err := c.do(ctx, call{method: http.MethodGet, path: path, query: v, out: &out})
	return out, err
}

func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var out T
	err := c.do(ctx, call{method: http.MethodPost, path: path, in: in, out: &out})
	return out, err
}

func put[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var out T
	err := c.do(ctx, call{method: http.MethodPut, path: path, in: in, out: &out})
	return out, err
}

// All walks every page of a list. It ends at the first error, which it yields.
//
//	for m, err := range client.All(func(l client.List) (client.Page[client.Message], error) {
//		return c.Messages(ctx, client.MessageQuery{List: l, Campaign: "alerts"})
//	}) { ... }
func All[T any](page func(List) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for l := (List{Limit: 1000}); ; {
			p, err := page(l)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			l.Cursor = p.Next
		}
	}
}

func set(v url.Values, key, value string) {
	if value != "" {
		v.Set(key, value)
	}
}

func boolWord(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
