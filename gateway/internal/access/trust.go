package access

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"fieldpost/gateway"
)

// maxHeader is the longest Authorization header that is looked at, in bytes.
const maxHeader = 1024

// Remote gives the address that a request came from, as the socket knows it: no
// header is believed. The zero Addr when it has none.
func Remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// masked makes prefixes comparable: 10.1.2.3/8 means 10.0.0.0/8.
func masked(given []netip.Prefix) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(given))
	for _, p := range given {
		if p.IsValid() {
			list = append(list, p.Masked())
		}
	}
	return list
}

func (g *Guard) trusts(a netip.Addr) bool {
	for _, p := range g.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// passedOn are the headers of a request that a proxy passed on (RFC 7239, RFC
// 9110 §7.6.3): the address is then the proxy's, not the caller's.
var passedOn = [...]string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"}

// direct says that whoever sits at the address made the request: no proxy, and
// no page in a browser there, which any website can make send requests.
func direct(h http.Header) bool {
	for _, name := range passedOn {
		if _, ok := h[name]; ok {
			return false
		}
	}
	if _, ok := h["Origin"]; ok {
		return false
	}
	site := h.Get("Sec-Fetch-Site") // Fetch Metadata: "none" is a person at the address bar
	return site == "" || site == "none"
}

// looks says that a request only looks. A browser puts an Origin on every other one.
func looks(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// named says that a request calls the box by an address, or by a name that only its
// own network gives: its host name, alone or with .local, or one without a dot. Any
// other name may be a website's, which had it point at a trusted address to have a
// browser there read for it (DNS rebinding): no Origin tells such a GET apart.
func (g *Guard) named(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	short, _, _ := strings.Cut(g.host, ".")
	return !strings.Contains(host, ".") || host == g.host || host == short+".local" || strings.HasSuffix(host, ".localhost")
}

// bearer gives the token of a request; "" when it brings none. Bearer is RFC 6750;
// under Basic the old clients send the bare token, and others user:password in
// base64 with the token as password (RFC 7617).
func bearer(h http.Header) (string, error) {
	given := h.Get("Authorization")
	if given == "" {
		return "", nil
	}
	scheme, rest, _ := strings.Cut(given, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case len(given) > maxHeader || rest == "":
	case strings.EqualFold(scheme, "Bearer"):
		return rest, nil
	case strings.EqualFold(scheme, "Basic"):
		return basic(rest), nil
	}
	return "", gateway.Errorf(gateway.KindUnauthorized, "the Authorization header must be Bearer <token> or Basic <token>")
}

func basic(rest string) string {
	if idOf(rest) != "" {
		return rest
	}
	b, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return rest
	}
	user, password, _ := strings.Cut(string(b), ":")
	if password == "" {
		return user
	}
	return password
}
