package gsm7

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodeUCS2 gives the text as UTF-16, big endian, which phones read for UCS2
// (TS 23.038 §6.2.3).
func EncodeUCS2(text string) []byte {
	octets := make([]byte, 0, 2*len(text))
	for _, r := range text {
		if hi, lo := utf16.EncodeRune(r); r >= 0x10000 {
			octets = append(octets, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
			continue
		}
		octets = append(octets, byte(r>>8), byte(r))
	}
	return octets
}

// DecodeUCS2 reads UTF-16, big endian. A surrogate without its other half, and an
// octet left over at the end, become U+FFFD; nothing else is lost (S15). A byte
// order mark at the beginning is dropped.
func DecodeUCS2(octets []byte) string {
	var b strings.Builder
	b.Grow(len(octets))
	for i := 0; i+1 < len(octets); i += 2 {
		r := unit(octets, i)
		if utf16.IsSurrogate(r) {
			r = utf16.DecodeRune(r, unit(octets, i+2))
			if r != utf8.RuneError {
				i += 2
			}
		}
		if i > 0 || r != 0xFEFF {
			b.WriteRune(r)
		}
	}
	if len(octets)%2 == 1 {
		b.WriteRune(utf8.RuneError)
	}
	return b.String()
}

// unit gives the UTF-16 unit at i, or 0 past the end.
func unit(octets []byte, i int) rune {
	if i+1 >= len(octets) {
		return 0
	}
	return rune(octets[i])<<8 | rune(octets[i+1])
}
