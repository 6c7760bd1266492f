package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

// listen serves the rig on a real socket and gives a client of it.
func (r *rig) listen() *client.Client {
	r.t.Helper()
	guard, err := access.Open(access.Options{Store: r.spool, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	must(r.t, err)
	r.guard = guard
	srv := httptest.NewServer(r)
	r.t.Cleanup(srv.Close)
	r.t.Cleanup(func() { r.API.Close() })
	c, err := client.New(client.Options{BaseURL: srv.URL})
	must(r.t, err)
	r.t.Cleanup(c.Close)
	return c
}

// takeEvents reads n events of one kind.
func takeEvents(t *testing.T, c *client.Client, after uint64, kind string, n int) (got []client.Event) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for e, err := range c.Events(ctx, after) {
		must(t, err)
		if e.Kind == kind {
			got = append(got, e)
		}
		if len(got) == n {
			break
		}
	}
	return got
}

func TestEventsAreStreamedFromAnyPlaceAndAsTheyHappen(t *testing.T) {
	r := newRig(t)
	c := r.listen()
	happen := func() {
		m, err := c.Send(t.Context(), client.NewMessage{To: "098344484", Text: "Hi", Campaign: "test1"})
		must(t, err)
		_, err = c.Cancel(t.Context(), m.ID)
		must(t, err)
	}
	for range 3 {
		happen()
	}
	last, _ := r.spool.Tail()
	first := takeEvents(t, c, 0, gateway.EventMessage, 3)
	var m gateway.MessageEvent
	must(t, json.Unmarshal(first[2].Body, &m))
	if m.ID == "" || m.Status == "" || first[2].Seq > last {
		t.Errorf("got %+v, event %d of %d", m, first[2].Seq, last)
	}
	if rest := takeEvents(t, c, first[1].Seq, gateway.EventMessage, 1); rest[0].Seq != first[2].Seq {
		t.Errorf("after %d came %d", first[1].Seq, rest[0].Seq)
	}
	live := make(chan client.Event)
	go func() { live <- takeEvents(t, c, last, gateway.EventMessage, 1)[0] }()
	happen()
	if e := <-live; e.Seq <= last {
		t.Errorf("live: %d after %d", e.Seq, last)
	}
}

func TestDroppedEventsAreToldAsAGap(t *testing.T) {
	r := newRig(t)
	last, _ := r.spool.Tail()
	for name, id := range map[string]string{
		"not yet happened": idOf(last + 100),
		"another epoch":    "zz-1",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		req := httptest.NewRequest("GET", "http://192.0.2.9/api/v1/events", nil).WithContext(ctx)
		req.Header.Set("Last-Event-ID", id)
		req.RemoteAddr = trusted
		w := &until{ResponseRecorder: httptest.NewRecorder(), want: "event: gap", found: cancel}
		r.ServeHTTP(w, req)
		cancel()
		want := fmt.Sprintf(`"next":%d`, last+1)
		if got := w.Body.String(); !strings.Contains(got, want) || !strings.HasPrefix(got, "retry: 2000\n\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// until is a reader that goes away once it has read something.
type until struct {
	*httptest.ResponseRecorder
	want  string
	found func()
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.ResponseRecorder.Write(p)
	if bytes.Contains(p, []byte(u.want)) {
		u.found()
	}
	return n, err
}

func (u *until) SetWriteDeadline(time.Time) error { return nil }

func TestCloseEndsTheStreams(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest("GET", "/api/v1/events", nil)
	req.RemoteAddr = trusted
	w := &until{ResponseRecorder: httptest.NewRecorder(), want: "retry:", found: func() { r.API.Close() }}
	r.ServeHTTP(w, req) // returns only because of Close
	if n := r.streams.Load(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}

func TestEventStreamsAreBounded(t *testing.T) {
	r := newRig(t)
	r.streams.Store(maxStreams)
	if p := r.problem(call{method: "GET", path: "/api/v1/events"}); p.Status != 429 || p.Retry == 0 {
		t.Errorf("got %+v", p)
	}
}

// The Go client and the server over a real socket: what goes in comes out, and an
// error is the same on both sides.
func TestTheClientSaysWhatTheServerSays(t *testing.T) {
	r := newRig(t)
	c := r.listen()
	ctx := t.Context()
	_, err := c.Send(ctx, client.NewMessage{To: "098344484", Text: "Hi", Campaign: "nobody"})
	_, want := r.Catalog.Resolve("nobody")
	if e, ok := err.(*gateway.Error); !ok || e.Kind != gateway.KindInvalid || e.Field != "campaign" || e.Error() != want.Error() {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	var sent int64
	u, err := c.UploadBase(ctx, "test1", client.File{
		Reader: strings.NewReader("test1;091111111;Hi;1\n"), Name: "n.csv", Progress: func(n int64) { sent = n }})
	if err != nil || u.Accepted != 1 || sent != 21 || u.Name != "n.csv" {
		t.Errorf("got %+v, %v, %d bytes", u, err, sent)
	}
	n := 0
	for m, err := range client.All(func(l client.List) (client.Page[client.Message], error) {
		l.Limit = 1
		return c.Messages(ctx, client.MessageQuery{List: l, Statuses: []string{"queued", "held"}})
	}) {
		must(t, err)
		n++
		_ = m
	}
	if n != 1 {
		t.Errorf("%d messages", n)
	}
	var out bytes.Buffer
	must(t, c.MessageReport(ctx, client.ReportQuery{}, &out))
	if !strings.HasPrefix(out.String(), "id;campaign;") {
		t.Errorf("got %q", out.String())
	}
	must(t, c.Ready(ctx))
	r.site.state = "degraded"
	if err := c.Ready(ctx); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("not ready: %v", err)
	}
	if _, err := c.CreateToken(ctx, client.Token{Name: "x", Scopes: []string{"read"}}); gateway.KindOf(err) != gateway.KindForbidden {
		t.Errorf("a trusted address made a token: %v", err)
	}
}
