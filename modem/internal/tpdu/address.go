package tpdu

import (
	"strings"

	"fieldpost/gateway/gsm7"
)

// The types of number that are written in another way (TS 23.040 §9.1.2.5).
const (
	tonInternational = 1
	tonAlphanumeric  = 5
)

// address reads an address field: its length in semi-octets, its type, its value
// (TS 23.040 §9.1.2.5). False says that the TPDU ends inside it.
func (o *octets) address() (string, bool) {
	head, ok := o.take(2)
	if !ok {
		return "", false
	}
	semi, toa := int(head[0]), head[1]
	value, ok := o.take((semi + 1) / 2)
	if !ok {
		value, o.left = o.left, nil
		semi = min(semi, 2*len(value))
	}
	if toa>>4&7 == tonAlphanumeric {
		return alphanumeric(value, semi), ok
	}
	return numberOf(toa, value, semi), ok
}

// alphanumeric reads a sender of letters. The extension table is read too (S11):
// the standard does not provide for it here, and "[Bank]" is on the air.
func alphanumeric(value []byte, semi int) string {
	septets := gsm7.Unpack(value, semi*4/7, 0)
	if n := len(septets); n > 0 && n%8 == 0 && septets[n-1] == 0 {
		// S12: an SMSC that rounds the length up makes "Telenor@" of "Telenor".
		septets = septets[:n-1]
	}
	return gsm7.DecodeSeptets(septets)
}

// semiOctets are the digits of an address (TS 24.008 table 10.5.118); 0xF is fill.
const semiOctets = "0123456789*#abc"

// numberOf reads a number of semi digits. The half of the last octet that an odd
// number leaves over may hold anything, and fill may come early (S13).
func numberOf(toa byte, value []byte, semi int) string {
	var b strings.Builder
	if toa>>4&7 == tonInternational {
		b.WriteByte('+')
	}
	for i := range min(semi, 2*len(value)) {
		d := value[i/2] >> (i % 2 * 4) & 0xF
		if d == 0xF {
			break
		}
		b.WriteByte(semiOctets[d])
	}
	if b.String() == "+" {
		return ""
	}
	return b.String()
}
