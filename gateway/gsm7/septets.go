package gsm7

import "strings"

// Fits says that the default alphabet and its extension table hold every
// character of the text.
func Fits(text string) bool {
	for _, r := range text {
		if septetCost(r) == 0 {
			return false
		}
	}
	return true
}

// EncodeSeptets gives the text as unpacked septets, one a byte, the extension
// characters as escape pairs. It is false, and gives nothing, for a text that the
// alphabet does not hold.
func EncodeSeptets(text string) ([]byte, bool) {
	septets := make([]byte, 0, len(text))
	for _, r := range text {
		code := lookup(r)
		if code == absent {
			return nil, false
		}
		if code&extFlag != 0 {
			septets = append(septets, escape)
		}
		septets = append(septets, code&codeMask)
	}
	return septets, true
}

// DecodeSeptets reads unpacked septets, one a byte; the top bit is ignored. An
// escape before a code that the extension table does not have shows the character
// of the default alphabet, and one before another escape or at the end a space
// (TS 23.038 §6.2.1 note 1, §6.2.1.1 notes 1 and 3).
//
// The septets of all segments of a message belong in one call: phones exist that
// split an escape pair over two segments.
func DecodeSeptets(septets []byte) string {
	var b strings.Builder
	b.Grow(len(septets))
	for i := 0; i < len(septets); i++ {
		code := septets[i] & codeMask
		if code != escape {
			b.WriteRune(decoding[code])
			continue
		}
		if i+1 == len(septets) {
			b.WriteByte(' ')
			break
		}
		i++
		b.WriteRune(escaped(septets[i] & codeMask))
	}
	return b.String()
}

func escaped(code byte) rune {
	if code == escape {
		return ' '
	}
	if r, ok := extended(code); ok {
		return r
	}
	return decoding[code]
}

// Pack packs septets into octets, low bits first (TS 23.038 §6.1.2.1), after fill
// bits of zero (0 to 6) that follow a header (TS 23.040 §9.2.3.24).
func Pack(septets []byte, fill int) []byte {
	octets := make([]byte, (len(septets)*7+fill+7)/8)
	bit := fill
	for _, s := range septets {
		s &= codeMask
		octets[bit/8] |= s << (bit % 8)
		if bit%8 > 1 {
			octets[bit/8+1] |= s >> (8 - bit%8)
		}
		bit += 7
	}
	return octets
}

// Unpack gives up to n septets of octets, after fill bits (0 to 6): fewer where
// the octets end first.
func Unpack(octets []byte, n, fill int) []byte {
	n = max(0, min(n, (len(octets)*8-fill)/7))
	septets := make([]byte, n)
	bit := fill
	for i := range septets {
		s := octets[bit/8] >> (bit % 8)
		if bit%8 > 1 {
			s |= octets[bit/8+1] << (8 - bit%8)
		}
		septets[i] = s & codeMask
		bit += 7
	}
	return septets
}

// carriageReturn fills the spare septet of a USSD string.
const carriageReturn = 0x0D

// PackUSSD packs the septets of a USSD string. Seven spare bits at the end hold a
// carriage return, so that they are not read as '@', and a string that ends in
// one on an octet border gets another (TS 23.038 §6.1.2.3.1).
//
// It stands in for the library's packer, which changes codes of 6 or 14
// characters (S8).
func PackUSSD(septets []byte) []byte {
	n := len(septets)
	switch {
	case n%8 == 7:
		septets = append(septets[:n:n], carriageReturn)
	case n > 0 && n%8 == 0 && septets[n-1] == carriageReturn:
		septets = append(septets[:n:n], carriageReturn)
	}
	return Pack(septets, 0)
}

// UnpackUSSD undoes PackUSSD, but for a carriage return that it doubled: reading
// it twice does no harm (§6.1.2.3.1). No real last character is lost (S8).
func UnpackUSSD(octets []byte) []byte {
	septets := Unpack(octets, len(octets)*8/7, 0)
	if n := len(septets); n > 0 && n%8 == 0 && septets[n-1] == carriageReturn {
		return septets[:n-1]
	}
	return septets
}
