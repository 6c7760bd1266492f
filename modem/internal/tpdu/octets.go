package tpdu

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// notes gathers what was mended on the way.
type notes []string

func (n *notes) add(format string, args ...any) { *n = append(*n, fmt.Sprintf(format, args...)) }

// octets is a TPDU that is being read.
type octets struct {
	left  []byte
	notes *notes
}

// take gives the next n octets; false, and nothing, where fewer are left.
func (o *octets) take(n int) ([]byte, bool) {
	if n > len(o.left) {
		return nil, false
	}
	taken := o.left[:n]
	o.left = o.left[n:]
	return taken, true
}

func (o *octets) octet() (byte, bool) {
	b, ok := o.take(1)
	if !ok {
		return 0, false
	}
	return b[0], true
}

// maxHex bounds what is looked at: an SMSC of 12 octets and a TPDU of 178 take
// less, and a line of noise may be longer.
const maxHex = 1024

// open reads the hex of a line and parts it into the SMSC and the TPDU. length is
// the <length> that the modem announced, 0 when it is not known.
func open(line string, length int, n *notes) (smsc string, o octets, why string) {
	b := unhex(line, n)
	o.notes = n
	if len(b) == 0 {
		return "", o, "it has no hexadecimal digit"
	}
	if sca := int(b[0]); length > 0 && len(b) == length && 1+sca+length != len(b) {
		n.add("the SMSC is missing")
	} else {
		if 1+sca > len(b) {
			return "", o, "it ends inside the SMSC"
		}
		if sca > 1 { // the length counts the type of address too (TS 27.005 §4.3, TS 24.011 §8.2.5.1)
			smsc = numberOf(b[1], b[2:1+sca], 2*(sca-1))
		}
		b = b[1+sca:]
	}
	switch {
	case length > 0 && len(b) > length:
		n.add("%d octets behind the announced length were cut off", len(b)-length) // S14
		b = b[:length]
	case len(b) < length:
		n.add("it is %d octets shorter than announced", length-len(b))
	}
	o.left = b
	return smsc, o, ""
}

// unhex reads as many octets as the line begins with.
func unhex(line string, n *notes) []byte {
	line = strings.TrimSpace(line)
	if len(line) > maxHex {
		n.add("only the first %d digits were read", maxHex)
		line = line[:maxHex]
	}
	good := len(line) - len(strings.TrimLeft(line, "0123456789abcdefABCDEF"))
	if good < len(line) {
		n.add("it is not hexadecimal behind digit %d", good)
	}
	if good%2 == 1 {
		n.add("the last octet is half missing")
		good--
	}
	b, _ := hex.DecodeString(line[:good]) // nothing but pairs of digits is left
	return b
}
