package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem/dinstar"
	"fieldpost/modem/sim"
	"fieldpost/spool"
)

// setup says what house a test wants.
type setup struct {
	modems   int // 0 = one
	sim      sim.BankOptions
	storage  string // keys of the storage
	sections string // keys of http, and sections behind it
	provider string // keys of the provider
	listen   string // "" = any port
	now      func() time.Time
	polls    dinstar.Every // how often gateways are asked; zero = as usual
	tick     time.Duration // between two looks at the cards; 0 = as usual
}

// house is a daemon on simulated modems, seen from outside: HTTP, ptys, and the
// ledger of what went on the air.
type house struct {
	*client.Client
	t       testing.TB
	o       setup
	dir     string
	address string // of the API
	token   string // of the verbs on the same box
	bank    *sim.Bank
	http    *http.Client
	log     *journalOf
	app     *App               // nil while it does not run
	cancel  context.CancelFunc // the first signal
	hurry   context.CancelFunc // the second
	ended   chan error
}

// newHouse starts a house; with the test it ends, and its spool is checked.
func newHouse(t testing.TB, o setup) *house {
	t.Helper()
	h := buildHouse(t, o)
	h.start()
	return h
}

// buildHouse makes the modems of a house whose daemon does not run yet.
func buildHouse(t testing.TB, o setup) *house {
	t.Helper()
	if o.modems == 0 {
		o.modems = 1
	}
	o.sim.Modems = o.modems
	bank, err := sim.NewBank(o.sim)
	must(t, err)
	h := &house{t: t, o: o, dir: t.TempDir(), bank: bank, log: &journalOf{}, http: &http.Client{Transport: &http.Transport{}, Timeout: patience}}
	t.Cleanup(h.tearDown)
	return h
}

func (h *house) tearDown() {
	if h.app != nil {
		h.stop()
	}
	h.http.CloseIdleConnections()
	must(h.t, h.bank.Close())
	h.withSpool(func(s *spool.Spool) {
		if err := s.Check(context.Background()); err != nil {
			h.t.Errorf("the spool is not sound: %v", err)
		}
	})
	if h.t.Failed() {
		h.t.Logf("the daemon's log:\n%s", h.log)
	}
}

// withSpool looks into the spool of a daemon that does not run.
func (h *house) withSpool(look func(*spool.Spool)) {
	h.t.Helper()
	if _, err := os.Stat(h.spoolPath()); errors.Is(err, os.ErrNotExist) {
		return
	}
	s, err := spool.Open(spool.Options{Path: h.spoolPath()})
	must(h.t, err)
	look(s)
	must(h.t, s.Close())
}

func (h *house) spoolPath() string { return filepath.Join(h.dir, "spool.db") }

// toml writes the house's configuration.
func (h *house) toml() string {
	var b strings.Builder
	listen := h.o.listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	fmt.Fprintf(&b, `version = 1
[site]
id = "test"
region = "UY"
time_zone = "America/Montevideo"
[storage]
path = %q
%s
[http]
listen = %q
%s
[[provider]]
name = "bank"
type = "GSM"
default = true
%s
`, h.spoolPath(), h.o.storage, listen, h.o.sections, h.o.provider)
	for port := range h.bank.Modems {
		fmt.Fprintf(&b, "[[provider.port]]\nport = %d\ndevice = %q\n", port, h.bank.Device(port))
	}
	return b.String()
}

// build makes the daemon, as cmd does.
func (h *house) build() (*App, error) {
	c, err := config.Parse(filepath.Join(h.dir, "fieldpost.toml"), []byte(h.toml()))
	must(h.t, err)
	return New(h.t.Context(), Options{
		Config: c, Version: "test", Now: h.o.now, polls: h.o.polls, tick: h.o.tick,
		Logger: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

// start starts the daemon on the house's spool and modems.
func (h *house) start() {
	h.t.Helper()
	a, err := h.build()
	must(h.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	hurry, now := context.WithCancel(context.Background())
	h.app, h.cancel, h.hurry, h.ended = a, cancel, now, make(chan error, 1)
	ended := h.ended
	go func() { ended <- a.Run(ctx, hurry) }()
	h.connect(a.Addresses()[0])
}

// connect makes a client of a daemon's REST API, with the token of the verbs on
// the same box.
func (h *house) connect(address string) {
	h.t.Helper()
	token, err := os.ReadFile(filepath.Join(h.dir, AdminTokenFile))
	must(h.t, err)
	h.address, h.token = address, strings.TrimSpace(string(token))
	c, err := client.New(client.Options{BaseURL: "http://" + address, Token: h.token, HTTPClient: h.http})
	must(h.t, err)
	h.Client = c
}

// stop stops the daemon, which must not complain.
func (h *house) stop() {
	h.t.Helper()
	h.cancel()
	if err := h.wait(); err != nil {
		h.t.Errorf("the daemon ended with: %v", err)
	}
}

// wait waits for the end of Run.
func (h *house) wait() error {
	h.t.Helper()
	defer h.hurry()
	defer h.cancel()
	select {
	case err := <-h.ended:
		h.app = nil
		h.http.CloseIdleConnections()
		return err
	case <-time.After(patience):
		h.t.Fatal("the daemon does not end")
		return nil
	}
}

func (h *house) url(path string) string { return "http://" + h.address + path }

// answer is what a raw call got.
type answer struct {
	status int
	body   string
	header http.Header
}

// call makes a raw request, as the trusted address that it comes from.
func (h *house) call(method, path, kind string, body io.Reader, header ...string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url(path), body)
	must(h.t, err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w, err := h.http.Do(r)
	must(h.t, err)
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	must(h.t, err)
	return answer{w.StatusCode, string(b), w.Header}
}

// form makes a call of the old web services.
func (h *house) form(name string, v url.Values) answer {
	h.t.Helper()
	return h.call("POST", "/Integra/resources/SMS/"+name, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

// dialer makes a dialer on all modems, not started.
func (h *house) dialer(name string, change ...func(*client.Dialer)) client.Dialer {
	h.t.Helper()
	d := client.Dialer{Name: name, Provider: "bank", DialString: fmt.Sprintf("0-%d", len(h.bank.Modems)-1)}
	for _, c := range change {
		c(&d)
	}
	d, err := h.CreateDialer(h.t.Context(), d)
	must(h.t, err)
	return d
}

// started makes a dialer and starts it.
func (h *house) started(name string, change ...func(*client.Dialer)) {
	h.t.Helper()
	h.dialer(name, change...)
	_, err := h.StartDialer(h.t.Context(), name)
	must(h.t, err)
}

// base uploads a base and waits until its rows are in the spool.
func (h *house) base(campaign, csv string) client.Upload {
	h.t.Helper()
	u, err := h.UploadBase(h.t.Context(), campaign, client.File{Reader: strings.NewReader(csv), Name: "base.csv"})
	must(h.t, err)
	return h.loaded(u)
}

// loaded waits until an upload is done, or has failed.
func (h *house) loaded(u client.Upload) client.Upload {
	h.t.Helper()
	eventually(h.t, "the upload ends", func() bool {
		var err error
		u, err = h.Upload(h.t.Context(), u.Upload)
		must(h.t, err)
		return u.State != "loading"
	})
	return u
}

// submit sends one message over the REST API.
func (h *house) submit(m client.NewMessage) client.Accepted {
	h.t.Helper()
	a, err := h.Send(h.t.Context(), m)
	must(h.t, err)
	return a
}

// message reads one message.
func (h *house) message(id string) client.Message {
	h.t.Helper()
	m, err := h.Message(h.t.Context(), id)
	must(h.t, err)
	return m
}

// becomes waits until a message has one of these statuses.
func (h *house) becomes(id string, statuses ...string) client.Message {
	h.t.Helper()
	var m client.Message
	eventually(h.t, fmt.Sprintf("message %s is %s", id, strings.Join(statuses, " or ")), func() bool {
		m = h.message(id)
		return slices.Contains(statuses, m.Status)
	})
	return m
}

// counters reads the counters of a dialer, which must balance.
func (h *house) counters(name string) client.Counters {
	h.t.Helper()
	c, err := h.DialerCounters(h.t.Context(), name)
	must(h.t, err)
	if !c.Balanced {
		h.t.Errorf("the counters of %s do not balance: %+v", name, c)
	}
	return c
}

// processed waits until nothing of a dialer waits any more.
func (h *house) processed(name string) client.Counters {
	h.t.Helper()
	var c client.Counters
	eventually(h.t, "everything of "+name+" is processed", func() bool {
		c = h.counters(name)
		return c.NotProcessed == 0
	})
	return c
}

// ready waits until so many channels are ready.
func (h *house) ready(n int) {
	h.t.Helper()
	eventually(h.t, fmt.Sprintf("%d channels are ready", n), func() bool {
		s, err := h.Site(h.t.Context())
		must(h.t, err)
		return s.Channels.Ready == n
	})
}

// channel reads the channel of a port.
func (h *house) channel(port int) client.Channel {
	h.t.Helper()
	c, err := h.Channel(h.t.Context(), gateway.ChannelID("bank", port))
	must(h.t, err)
	return c
}

// aired gives the texts on the air, in the order of the ledger.
func (h *house) aired() []string {
	var all []string
	for _, e := range h.bank.Network.Entries() {
		all = append(all, e.Text)
	}
	return all
}
