package dwgwire

import (
	"bytes"

	"fieldpost/gateway"
)

const (
	numberSize = 24 // of a number, filled up with zero bytes
	loginSize  = 16 // of a user or a password
)

// appendField writes a text of fixed size.
func appendField(b []byte, name, s string, size int) ([]byte, error) {
	if s == "" || len(s) > size {
		return nil, gateway.Invalid(name, "has %d bytes: between 1 and %d", len(s), size)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return nil, gateway.Invalid(name, "must be printable ASCII")
		}
	}
	b = append(b, s...)
	return append(b, make([]byte, size-len(s))...), nil
}

// field reads a text of fixed size, up to its first zero byte.
func field(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(bytes.ToValidUTF8(bytes.TrimSpace(b), []byte("?")))
}

// short says that a body ends before its fields do.
func short(what string, has, needs int) error {
	return gateway.Invalid("body", "%s has %d bytes, and needs %d", what, has, needs)
}
