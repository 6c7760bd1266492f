package numbers

import (
	"strings"
	"unicode"

	"fieldpost/gateway"
)

const (
	maxAlphanumeric = 11 // characters in 10 octets of septets (TS 23.040 §9.1.2.5)
	maxSenderDigits = 20 // in 10 octets of semi-octets
)

// Sender gives the address of an inbound message's sender. Nothing is refused: a
// number is normalised where it can be, a short code is one whatever the options
// say, and anything else is kept as the network wrote it, without control
// characters and within the lengths of the standard.
func (n *Normaliser) Sender(raw string) gateway.Address {
	if a := gateway.Address(raw); a.E164() || a.Short() {
		return a
	}
	if a, err := n.Normalise(raw); err == nil {
		return a
	}
	clean := strings.TrimSpace(strings.Map(printable, raw))
	if digitsOnly(clean) {
		return gateway.Address(clean[:min(len(clean), maxSenderDigits)])
	}
	return gateway.Address(first(clean, maxAlphanumeric))
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

// first gives the first n characters of a text.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "+0123456789") == ""
}
