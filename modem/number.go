package modem

import "strings"

const (
	sameDigits  = 8 // how many last digits make two numbers the same
	shortDigits = 5 // a number that is no longer has one spelling, as a short code has
)

// SameNumber says that two numbers may be one, that a device writes in its own way:
// without the +, with 00, or as it is dialled within its country.
func SameNumber(a, b string) bool {
	a, b = strings.TrimLeft(a, "+0"), strings.TrimLeft(b, "+0")
	n := min(len(a), len(b), sameDigits)
	if n <= shortDigits {
		return a == b && n > 0
	}
	return a[len(a)-n:] == b[len(b)-n:]
}
