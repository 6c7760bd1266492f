package access

import (
	"slices"
	"strings"

	"fieldpost/gateway"
)

// Scope is a set of things that a caller may do.
type Scope uint16

// The scopes. Admin holds all others.
const (
	Read      Scope = 1 << iota // look at everything but tokens
	Send                        // messages and bases: submit, cancel, resolve
	Campaigns                   // campaigns and dialers: change, start, stop, delete rows
	Blacklist                   // the blacklist: list and unlist
	Providers                   // providers and channels: change, reset, USSD
	Admin                       // tokens, and everything else
)

// None is the scope of nobody.
const None Scope = 0

// all is every scope there is.
const all = Read | Send | Campaigns | Blacklist | Providers | Admin

var scopeWords = [...]string{"read", "send", "campaigns", "blacklist", "providers", "admin"}

// Words lists every scope's word, in order.
func Words() []string { return slices.Clone(scopeWords[:]) }

// ParseScopes reads scopes by their words. KindInvalid names the first unknown one.
func ParseScopes(words []string) (Scope, error) {
	var s Scope
	for _, w := range words {
		i := slices.Index(scopeWords[:], w)
		if i < 0 {
			return None, gateway.Invalid("scopes", "%q is no scope: one of %s", w, strings.Join(scopeWords[:], ", "))
		}
		s |= 1 << i
	}
	if s == None {
		return None, gateway.Invalid("scopes", "at least one of %s", strings.Join(scopeWords[:], ", "))
	}
	return s, nil
}

// Words gives the scope's words, in order.
func (s Scope) Words() []string {
	words := make([]string, 0, len(scopeWords))
	for i, w := range scopeWords {
		if s&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return words
}

// Caller is who makes a request.
type Caller struct {
	ID      string // of the token; "trusted" for an address without one, "local" for the box's own verbs
	Name    string // of the token, for the record
	Scope   Scope
	Trusted bool // comes from a trusted address, with or without a token
}

// May says whether the caller may do what a scope allows.
func (c Caller) May(s Scope) bool { return c.Scope&Admin != 0 || c.Scope&s == s }
