package app

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem/dinstar"
)

// hooks is the listener that gateways push to: POST /hooks/dinstar/<provider>/<push_secret>.
//
// A push is signed by nothing, so three things are asked of it, in this order. The secret in
// the path: a wrong one and a provider that is not there are one answer, 404 after much the
// same work, and whoever guesses learns neither. The address that it comes from: 403, since only who
// has the secret gets that far, and an installer behind a NAT must learn what is wrong. The
// serial number: 403 where it is another gateway's than the one that we ask.
type hooks struct {
	hooksOptions // set once

	mu      sync.Mutex
	drivers map[string]*dinstar.Driver // by provider: the last that was made
	told    map[string]time.Time       // when a refusal was last logged, by what it was
}

// hooksOptions are what hooks need.
type hooksOptions struct {
	catalog *catalog.Catalog
	log     *slog.Logger
	alarm   func(reason string)
	now     func() time.Time
}

// tellHookEvery is how often the same refusal is told to the log, at most.
const tellHookEvery = time.Minute

func newHooks(o hooksOptions) *hooks {
	return &hooks{hooksOptions: o, drivers: map[string]*dinstar.Driver{}, told: map[string]time.Time{}}
}

// connect has the pushes of a provider's gateway reach a driver, and forgets those of
// providers that are gone.
func (h *hooks) connect(provider string, d *dinstar.Driver) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.drivers, func(name string, _ *dinstar.Driver) bool {
		_, err := h.catalog.Provider(name)
		return err != nil
	})
	h.drivers[provider] = d
}

func (h *hooks) driver(provider string) *dinstar.Driver {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.drivers[provider]
}

// ServeHTTP answers a push once it is noted. The driver asks the gateway in its own time.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events, err := h.take(r)
	if err != nil {
		status := client.StatusOf(gateway.KindOf(err))
		reply(w, status, strings.ToLower(http.StatusText(status)))
		return
	}
	h.log.Debug("a gateway pushed", "events", strings.Join(events, " "))
	reply(w, http.StatusOK, "ok")
}

// reply is short: a small device reads it.
func reply(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word) // A gateway that is gone hears nothing more.
}

// take finds out whose push it is and hands it to that driver.
func (h *hooks) take(r *http.Request) (events []string, err error) {
	name, secret := hookPath(r.URL.Path)
	origin := access.Remote(r)
	p, ok := h.known(name, secret)
	if !ok {
		h.refused("unknown", "", origin, "a push has no provider and secret that are known")
		return nil, gateway.Errorf(gateway.KindNotFound, "no such hook")
	}
	if !within(p.PushNetworks(), origin) {
		h.refused("address", name, origin, "a push has the right secret and comes from an address that is not in push_from")
		return nil, gateway.Errorf(gateway.KindForbidden, "not from this address")
	}
	body, err := io.ReadAll(r.Body) // the API's door bounds it, in length and time
	if err != nil {
		h.refused("cut", name, origin, "a push did not come whole: "+err.Error())
		return nil, &gateway.Error{Kind: gateway.KindInvalid, Text: "cut", Err: err}
	}
	d := h.driver(name)
	if d == nil { // it is not made yet, and begins with a look at everything
		return nil, nil
	}
	if events, err = d.Hear(body); err != nil {
		h.refused(gateway.KindOf(err).String(), name, origin, err.Error())
	}
	return events, err
}

// hookPath reads the path of a push; empty words for another path.
func hookPath(path string) (provider, secret string) {
	rest, _ := strings.CutPrefix(path, "/hooks/dinstar/")
	provider, secret, _ = strings.Cut(rest, "/")
	return provider, secret
}

// known gives the provider that a push is for, if it has the provider's secret. A provider that is
// not there, is off, or takes no pushes costs as much time as one with another secret.
func (h *hooks) known(name, secret string) (catalog.Provider, bool) {
	p, err := h.catalog.Provider(name)
	takes := err == nil && p.Pushes() && !p.Disabled() && p.PushSecret != ""
	given, right := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(p.PushSecret))
	return p, subtle.ConstantTimeCompare(given[:], right[:]) == 1 && takes
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// refused tells of a push that is not taken, the same thing once a minute. One that has the
// secret is an alarm: either the gateway is set up wrong or somebody else knows it. Without the
// secret it is a line of the log, and what it says of itself is not repeated: anybody can write it.
func (h *hooks) refused(what, provider string, from netip.Addr, why string) {
	key, now := what+" "+provider, h.now()
	h.mu.Lock()
	quiet := now.Sub(h.told[key]) < tellHookEvery
	if !quiet {
		h.told[key] = now
	}
	h.mu.Unlock()
	switch {
	case quiet:
	case provider == "":
		h.log.Warn("a push is refused", "from", from, "reason", why)
	default:
		h.alarm(fmt.Sprintf("provider %s: a push from %s is refused: %s", provider, from, why))
	}
}
