package modem

import "strings"

// sameDigits is how many last digits make two numbers the same.
const sameDigits = 8

// SameNumber says that two numbers may be one, that a device writes in its own way:
// without the +, with 00, or as it is dialled within its country.
func SameNumber(a, b string) bool {
	a, b = strings.TrimLeft(a, "+0"), strings.TrimLeft(b, "+0")
	n := min(len(a), len(b), sameDigits)
	return n > 0 && a[len(a)-n:] == b[len(b)-n:]
}
