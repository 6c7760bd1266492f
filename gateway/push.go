package gateway

import (
	"net/netip"
	"net/url"
	"strings"
)

// Bounds of the secret in the address that a gateway pushes to.
const (
	minPushSecret  = 16
	maxPushSecret  = 128
	minPushLetters = 5 // different characters: fewer are a key that somebody leaned on
)

// Pushes says that the provider's gateway tells us by itself when something happens.
func (p *Provider) Pushes() bool { return p.Type == TypeDinstarWebPush }

// CheckPushSecret says whether a secret can stand in the address that the provider's gateway
// pushes to: 16 to 128 characters of A-Z, a-z, 0-9, _ and -, which no address needs to escape.
// A push is signed by nothing else. Other types take none.
func (p *Provider) CheckPushSecret(secret Secret) *Error {
	const advice = `make one with "openssl rand -hex 16"`
	s := string(secret)
	switch {
	case !p.Pushes() && s != "":
		return Invalid("push_secret", "a %s provider has no push_secret", p.Type)
	case !p.Pushes():
		return nil
	case s == "":
		return Invalid("push_secret", "is missing: it is part of the address that the gateway pushes to; %s", advice)
	case len(s) < minPushSecret || len(s) > maxPushSecret:
		return Invalid("push_secret", "has %d characters and must have %d to %d: %s", len(s), minPushSecret, maxPushSecret, advice)
	case strings.ContainsFunc(s, notInPushSecret):
		return Invalid("push_secret", "may hold letters, digits, _ and - only: %s", advice)
	case different(s) < minPushLetters:
		return Invalid("push_secret", "is too easy to guess: %s", advice)
	}
	return nil
}

func notInPushSecret(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
}

func different(s string) int {
	seen := map[rune]struct{}{}
	for _, r := range s {
		seen[r] = struct{}{}
	}
	return len(seen)
}

// PushNetworks gives the networks that the provider's pushes may come from: PushFrom, or else
// the address in URL. None when that is a name, which Check refuses.
func (p *Provider) PushNetworks() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range p.PushFrom {
		if n, err := ParseNetwork(s); err == nil {
			all = append(all, n)
		}
	}
	if len(p.PushFrom) > 0 {
		return all
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil
	}
	if n, err := ParseNetwork(u.Hostname()); err == nil {
		all = append(all, n)
	}
	return all
}

// checkPush holds that it is known from where a provider's gateway pushes.
func (p *Provider) checkPush(c *checks) {
	if p.Pushes() && len(p.PushFrom) == 0 && len(p.PushNetworks()) == 0 {
		c.invalid("push_from", "is missing: url names the gateway by a name, so write the address that it pushes from, such as 192.0.2.20")
	}
}
