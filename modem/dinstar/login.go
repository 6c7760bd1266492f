package dinstar

import (
	"net/http"
	"strings"
	"time"

	"github.com/icholy/digest"

	"fieldpost/gateway"
)

// login signs requests. One request at a time uses it: see client.turn. The digest
// transport caches a challenge by host name alone, so each gateway has its own.
type login struct {
	o      *Options
	base   *http.Transport
	digest *digest.Transport
	basic  bool // that is what the gateway asks for
}

func newLogin(o *Options, base *http.Transport) *login {
	l := &login{o: o, base: base, basic: o.Auth == AuthBasic}
	l.forget()
	return l
}

// forget forgets the challenge: a try with an old one would count as two wrong logins.
func (l *login) forget() {
	// Probe stays off: an empty first POST hangs some firmware (T2).
	l.digest = &digest.Transport{Username: l.o.User, Password: string(l.o.Password), Transport: l.base}
}

// RoundTrip signs as the gateway wants it.
func (l *login) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.basic {
		res, err := l.plain(req)
		if err == nil && res.StatusCode == http.StatusUnauthorized && names(res, "digest") && l.o.Auth == AuthAuto {
			l.basic = false // its next try
		}
		return res, err
	}
	res, err := l.digest.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusUnauthorized || l.o.Auth != AuthAuto || names(res, "digest") || !names(res, "basic") {
		return res, err
	}
	_ = res.Body.Close() // drained already
	l.basic = true
	return l.plain(req)
}

// plain sends user and password as they are (RFC 7617).
func (l *login) plain(req *http.Request) (*http.Response, error) {
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	again.SetBasicAuth(l.o.User, string(l.o.Password))
	return l.base.RoundTrip(again)
}

// names says that a 401 asks for a scheme.
func names(res *http.Response, scheme string) bool {
	for _, h := range res.Header.Values("WWW-Authenticate") {
		if word, _, _ := strings.Cut(strings.TrimSpace(h), " "); strings.EqualFold(word, scheme) {
			return true
		}
	}
	return false
}

// maxLockOut is the longest wait after a refused login.
const maxLockOut = time.Hour

// breaker keeps requests back after a refused login: the gateway bans an address
// that goes on (T3). It outlives a run of the driver. One request at a time uses it.
type breaker struct {
	first time.Duration
	wait  time.Duration // of the present lock-out; 0 = closed
	until time.Time
}

// check refuses while the breaker is open. When its time has come, the request is
// the probe.
func (b *breaker) check() error {
	if left := time.Until(b.until); b.wait > 0 && left > 0 {
		return &gateway.Error{Kind: gateway.KindUnauthorized, Retry: left,
			Text: "the gateway refuses this user and password, and bans who goes on: mend them, or wait for the next try"}
	}
	return nil
}

// trip opens the breaker, for longer each time in a row.
func (b *breaker) trip() error {
	b.wait = min(max(b.first, 2*b.wait), max(maxLockOut, b.first))
	b.until = time.Now().Add(b.wait)
	return b.check()
}

// close forgets the refusals: a login was accepted.
func (b *breaker) close() { b.wait = 0 }
