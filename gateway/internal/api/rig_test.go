package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/intake"
	"fieldpost/gateway/internal/sims"
	"fieldpost/gateway/numbers"
	"fieldpost/modem"
	"fieldpost/spool"
)

// rig is an API on real rooms, but for the hardware.
type rig struct {
	*API
	t     testing.TB
	spool *spool.Spool
	log   *safeBuffer
	bank  *fakeBank
	site  *fakeSite
	now   time.Time
}

// routes gives intake what it must know of a campaign.
type routes struct{ *catalog.Catalog }

func (r routes) Resolve(name string) (intake.Route, error) {
	route, err := r.Catalog.Resolve(name)
	return intake.Route{Policy: route.Policy}, err
}

type fakeBank struct {
	asked modem.CallQuery
	did   string
	ussd  string
	err   error
}

func (b *fakeBank) Channels() []gateway.Channel {
	return []gateway.Channel{{ID: "modems/3", Provider: "modems", Port: 3, State: gateway.ChannelReady, Signal: 21, Registration: gateway.RegHome,
		Stored: 2, Storage: 20, ClockAt: time.Date(2030, 1, 2, 8, 0, 0, 0, time.UTC), Ahead: -1500 * time.Millisecond}}
}

func (b *fakeBank) Channel(id string) (gateway.Channel, error) {
	if id != "modems/3" {
		return gateway.Channel{}, gateway.Errorf(gateway.KindNotFound, "no channel %s", id)
	}
	return b.Channels()[0], nil
}

func (b *fakeBank) Watch() <-chan struct{} { return nil }

func (b *fakeBank) Inspect(_ context.Context, provider string) (modem.Condition, error) {
	if provider != "modems" {
		return modem.Condition{}, gateway.Errorf(gateway.KindNotFound, "no provider %s", provider)
	}
	return modem.Condition{
		At: time.Unix(1000, 0), Serial: "da00", Queue: 2, Queued: true, CPU: 39, Flash: modem.Store{Used: 1, Total: 2}, Memory: modem.Store{Used: 3, Total: 4},
	}, b.err
}

func (b *fakeBank) Calls(_ context.Context, _ string, q modem.CallQuery) (calls []modem.Call, err error) {
	b.asked = q
	for i := range 5 { // two begin at the same time
		calls = append(calls, modem.Call{Port: i, Began: q.Before.Add(time.Duration(-i/2) * time.Minute), Duration: time.Minute})
	}
	return calls, b.err
}

func (b *fakeBank) Control(_ context.Context, id string, c modem.Control, param string) error {
	b.did = id + " " + string(c) + " " + param
	return b.err
}

func (b *fakeBank) Reset(context.Context, string) error { return b.err }

func (b *fakeBank) USSD(context.Context, string, string) (string, error) { return b.ussd, b.err }

func (b *fakeBank) Trace(id string) (modem.Trace, error) {
	if _, err := b.Channel(id); err != nil {
		return modem.Trace{}, err
	}
	return modem.Trace{Lines: []string{"08:00:00.000 > AT"}, Incidents: []modem.Incident{{Cause: "AT+CMGL: no answer", Steps: []string{"AT: it answers again"}}}}, b.err
}

type fakeSender struct{}

func (fakeSender) Explain(uint64) []string { return []string{"dialer test1 is stopped"} }
func (fakeSender) Reasons(string) []string { return []string{"it is stopped"} }

type fakeSite struct{ state string }

func (s *fakeSite) Site() client.Site { return client.Site{Site: "test-1", State: s.state} }

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newRig makes one with the provider "modems", the dialers "test1" and "bulk" and
// the campaign "alerts". Callers of 192.0.2.0/24, from where httptest calls, are trusted.
func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, log: &safeBuffer{}, bank: &fakeBank{ussd: "Balance: 10.00"}, site: &fakeSite{state: "ready"},
		now: time.Date(2030, 1, 2, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s, err := spool.Open(spool.Options{Path: filepath.Join(dir, "spool.db")})
	must(t, err)
	r.spool = s
	cat, err := catalog.Open(catalog.Options{Store: s})
	must(t, err)
	define(t, cat)
	num, err := numbers.New(numbers.Options{Region: "UY"})
	must(t, err)
	in, err := intake.New(intake.Options{Store: s, Blacklist: s, Catalog: routes{cat}, Numbers: num, Dir: filepath.Join(dir, "uploads"), MaxBase: 1 << 20})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	loaded := make(chan error, 1)
	go func() { loaded <- in.RunLoader(ctx) }()
	log := slog.New(slog.NewTextHandler(r.log, nil))
	started := r.now // a test moves its own clock while they run
	cards, err := sims.Open(sims.Options{Bank: r.bank, Store: s, Meter: s, Now: func() time.Time { return started }, Site: sims.Site{
		Operators: []gateway.Operator{{Name: "Simnet", Networks: []string{"74899"}, Balance: gateway.Balance{Code: "*100#", Pattern: "Balance: ([0-9.]+)"}}},
	}})
	must(t, err)
	watched := make(chan error, 1)
	go func() { watched <- cards.Run(ctx) }()
	guard, err := access.Open(access.Options{Store: s, Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Logger: log})
	must(t, err)
	o := Options{
		Rooms:   Rooms{Spool: s, Catalog: cat, Intake: in, Numbers: num, Bank: r.bank, Devices: r.bank, SIMs: cards, Sender: fakeSender{}, Site: r.site},
		Guard:   guard,
		Version: "0.0.0",
		Dir:     dir,
		MaxBase: 1 << 20,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fieldpost_up 1\n") }),
		Now:     func() time.Time { return r.now },
		Logger:  log,
	}
	for _, f := range change {
		f(&o)
	}
	r.API, err = New(o)
	must(t, err)
	t.Cleanup(func() {
		cancel()
		<-loaded
		must(t, <-watched)
		r.API.Close()
		if err := s.Check(context.Background()); err != nil {
			t.Errorf("the spool does not check: %v", err)
		}
		must(t, s.Close())
	})
	return r
}

func define(t testing.TB, c *catalog.Catalog) {
	ctx := context.Background()
	_, err := c.PutProvider(ctx, catalog.Provider{Provider: gateway.Provider{
		Name: "modems", Type: gateway.TypeGSM,
		Ports: []gateway.Port{{Port: 0, Device: "/dev/ttyUSB0", PIN: "4711"}},
	}})
	must(t, err)
	for _, name := range []string{"test1", "bulk"} {
		_, err = c.PutDialer(ctx, catalog.Dialer{Dialer: gateway.Dialer{Name: name, Provider: "modems", Enabled: true, DialString: "(0.3)", DNCR: true}})
		must(t, err)
	}
	_, err = c.PutCampaign(ctx, catalog.Campaign{Campaign: gateway.Campaign{Name: "alerts", Provider: "modems", Enabled: true}})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// trusted and stranger are addresses that requests come from.
const (
	trusted  = "192.0.2.1:1234"
	stranger = "203.0.113.9:1234"
)

// call is one request to the rig.
type call struct {
	method, path string
	kind, body   string
	token        string
	from         string // "" = trusted
	header       map[string]string
}

// do makes a call and gives the status and the body of its answer.
func (r *rig) do(c call) (int, string) {
	w := r.serve(c)
	return w.Code, w.Body.String()
}

func (r *rig) serve(c call) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	req.RemoteAddr, req.Host = trusted, "192.0.2.9"
	if c.from != "" {
		req.RemoteAddr = c.from
	}
	if c.kind == "" && c.body != "" {
		c.kind = "application/json"
	}
	if c.kind != "" {
		req.Header.Set("Content-Type", c.kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	return r.record(req)
}

func (r *rig) record(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// token makes a token with some scopes.
func (r *rig) token(words ...string) string {
	r.t.Helper()
	scope, err := access.ParseScopes(words)
	must(r.t, err)
	_, secret, err := r.guard.Create(context.Background(), fmt.Sprint("test", len(r.guard.List())), scope)
	must(r.t, err)
	return secret
}

// problem makes a call that must fail and gives its problem.
func (r *rig) problem(c call) client.Problem {
	r.t.Helper()
	w := r.serve(c)
	if got := w.Header().Get("Content-Type"); got != client.ProblemType {
		r.t.Fatalf("%s %s: status %d, type %q instead of a problem: %s", c.method, c.path, w.Code, got, w.Body)
	}
	var p client.Problem
	must(r.t, json.Unmarshal(w.Body.Bytes(), &p))
	if p.Status != w.Code {
		r.t.Errorf("%s %s: problem says %d, the answer %d", c.method, c.path, p.Status, w.Code)
	}
	return p
}

// json makes a call that must succeed and reads its answer.
func (r *rig) json(c call, out any) {
	r.t.Helper()
	w := r.serve(c)
	if w.Code < 200 || w.Code > 299 {
		r.t.Fatalf("%s %s: status %d: %s", c.method, c.path, w.Code, w.Body)
	}
	if out != nil {
		must(r.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}
