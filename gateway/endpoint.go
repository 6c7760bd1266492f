package gateway

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxListenLogin is the longest user or password of a gateway that dials in, in bytes:
// the fields of its login have no room for more.
const MaxListenLogin = 16

// ListenAddress reads the URL of a provider whose gateway dials in: tcp://host:port, where
// this machine listens. The host is an IP address of this machine; without one, as in
// tcp://:10003, it is every one. The port may be 0: any that is free.
func ListenAddress(raw string) (string, error) {
	bad := func(why string) error {
		return Invalid("url", "%s: it is where this machine listens, such as tcp://192.0.2.2:10003, and the gateway's SMS server settings must point there", why)
	}
	if raw == "" {
		return "", bad("is missing")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "tcp" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return "", bad("must have the form tcp://host:port")
	}
	if host := u.Hostname(); host != "" {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", bad("the host must be an IP address of this machine")
		}
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || strconv.FormatUint(n, 10) != u.Port() {
		return "", bad("the port must be a number up to 65535")
	}
	return net.JoinHostPort(u.Hostname(), u.Port()), nil
}

// CheckPassword says whether a gateway that dials in can log in with a password: 1 to 16
// printable ASCII characters. Other types take any, or none.
func (p *Provider) CheckPassword(password Secret) *Error {
	if p.Type != TypeDinstar {
		return nil
	}
	return checkListenLogin("password", string(password))
}

func checkListenLogin(field, s string) *Error {
	switch {
	case s == "":
		return Invalid(field, "is missing: the gateway logs in with it")
	case len(s) > MaxListenLogin:
		return Invalid(field, "has %d bytes: the gateway's login has room for %d", len(s), MaxListenLogin)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }):
		return Invalid(field, "must be printable ASCII: the gateway's login takes nothing else")
	}
	return nil
}

// Endpoint is the one thing that two providers of gateways cannot share, written the
// same way whatever the URL's spelling: the gateway's address, or where it dials in, with *
// for every address of this machine. "" = the type has none.
func (p *Provider) Endpoint() string {
	switch p.Type {
	case TypeDinstar:
		address, err := ListenAddress(p.URL)
		if err != nil {
			return ""
		}
		host, port, _ := net.SplitHostPort(address)
		if ip, err := netip.ParseAddr(host); err != nil || ip.IsUnspecified() {
			host = "*"
		}
		return "tcp://" + net.JoinHostPort(host, port)
	case TypeDinstarWeb, TypeDinstarWebPush:
		return webEndpoint(p.URL)
	}
	return ""
}

// webEndpoint writes an address as RFC 3986 §6.2.3 makes equal ones equal.
func webEndpoint(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	for scheme, port := range map[string]string{"http": ":80", "https": ":443"} {
		if u.Scheme == scheme {
			host = strings.TrimSuffix(host, port)
		}
	}
	return u.Scheme + "://" + host + strings.TrimSuffix(u.Path, "/")
}

// Shares says that two providers have one gateway, or listen in one place: only one
// of them can work.
func (p *Provider) Shares(o *Provider) bool {
	a, b := p.Endpoint(), o.Endpoint()
	if a == "" || b == "" {
		return false
	}
	return a == b || everywhere(a) == b || a == everywhere(b) || bare(a) == bare(b)
}

// bare gives an endpoint without http or https: a gateway that serves both at their own ports
// is one.
func bare(endpoint string) string {
	for _, scheme := range []string{"http://", "https://"} {
		rest, web := strings.CutPrefix(endpoint, scheme)
		host, _, _ := strings.Cut(rest, "/")
		if web && strings.LastIndexByte(host, ':') <= strings.LastIndexByte(host, ']') { // no port
			return rest
		}
	}
	return endpoint
}

// everywhere gives the endpoint of every address of this machine that takes the
// endpoint's place; "" for a gateway that we call.
func everywhere(endpoint string) string {
	address, listens := strings.CutPrefix(endpoint, "tcp://")
	if !listens {
		return ""
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "0" {
		return ""
	}
	return "tcp://" + net.JoinHostPort("*", port)
}
