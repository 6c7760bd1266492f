package numbers

import (
	"strings"

	"fieldpost/gateway"
)

// maxTyped is the longest input that is looked at, in bytes: 15 digits with a
// separator of three bytes after each.
const maxTyped = 64

// typedNumber is a number without its ornaments.
type typedNumber struct {
	digits string
	plus   bool // it began with "+"
	trunk  bool // it has "(0)"
}

func read(typed string) (typedNumber, error) {
	if len(typed) > maxTyped {
		return typedNumber{}, gateway.Invalid(Field, "is longer than %d bytes", maxTyped)
	}
	var t typedNumber
	digits := make([]byte, 0, maxTyped)
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case r == '+' && !t.plus && len(digits) == 0:
			t.plus = true
		case separator(r):
		default:
			return typedNumber{}, stranger(r)
		}
	}
	if len(digits) == 0 {
		return typedNumber{}, gateway.Invalid(Field, "is empty: write it with + and the country code, or as it is dialled here")
	}
	t.digits = string(digits)
	t.trunk = strings.Contains(typed, "(0)")
	return t, nil
}

// separator says that a character stands between digits without a meaning: what
// people type, and the invisible marks that come along when a contact is copied.
func separator(r rune) bool {
	switch r {
	case ' ', '\t', '-', '.', '(', ')', '/', '\u00a0', '\u202f', '\ufeff':
		return true
	}
	return r >= '\u2000' && r <= '\u2015' || // spaces, direction marks, dashes
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

func stranger(r rune) error {
	switch {
	case r == '+':
		return gateway.Invalid(Field, "has a + that is not at its beginning")
	case r == '\ufffd':
		return gateway.Invalid(Field, "has a character that cannot be read")
	}
	return gateway.Invalid(Field, "has %q; a number has digits, spaces, dashes, dots and parentheses only", r)
}
