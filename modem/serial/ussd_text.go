package serial

import (
	"encoding/hex"
	"strings"

	"fieldpost/gateway/gsm7"
	"fieldpost/modem/internal/at"
)

// parseUSSD reads <m>[,<str>[,<dcs>]] of TS 27.007 §7.15. A text in UCS2 or of octets comes
// in hex; one in the GSM alphabet does so on modems that pack it.
func parseUSSD(args string, packed bool) (state int, text string) {
	state, _ = at.FirstInt(args)
	open := strings.IndexByte(args, '"')
	end := strings.LastIndexByte(args, '"')
	if open < 0 || end <= open {
		return state, ""
	}
	text = args[open+1 : end]
	dcs, known := at.FirstInt(strings.TrimLeft(args[end+1:], ", "))
	if !known || dcs > 255 {
		dcs = dcsGSM
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return state, withoutLanguage(strings.ToValidUTF8(text, "?"), dcs)
	}
	return state, readUSSD(text, raw, dcs, packed)
}

// dcsGSM is <dcs> of a text in the GSM alphabet, language unspecified.
const dcsGSM = 15

// readUSSD reads a text that came in hex, or that looks as if it had.
func readUSSD(text string, raw []byte, dcs int, packed bool) string {
	switch alphabet(dcs) {
	case ucs2:
		if dcs == 0x11 {
			raw = raw[languageOctets(raw):]
		}
		return gsm7.DecodeUCS2(raw[:len(raw)&^1])
	case octets8:
		return latin(raw)
	}
	switch {
	case packed:
		text = gsm7.DecodeSeptets(gsm7.UnpackUSSD(raw))
	case likeUCS2(raw): // the modem was left with that character set
		return gsm7.DecodeUCS2(raw)
	case strings.ContainsAny(text, "ABCDEFabcdef") && len(raw) >= leastPacked && readable(gsm7.DecodeSeptets(gsm7.UnpackUSSD(raw))):
		text = gsm7.DecodeSeptets(gsm7.UnpackUSSD(raw)) // a maker whose modems pack it, and whom nobody knows
	}
	return withoutLanguage(text, dcs)
}

// withoutLanguage takes off the two letters and CR that come before a text of one <dcs>
// (TS 23.038 §5); the CR was a line's end on the wire.
func withoutLanguage(text string, dcs int) string {
	if dcs == 0x10 && len(text) > 3 && (text[2] == '\r' || text[2] == '\n') {
		return text[3:]
	}
	return text
}

// The alphabets of a <dcs>.
const (
	gsm = iota
	octets8
	ucs2
)

// alphabet reads a cell broadcast data coding scheme, which is that of USSD (TS 23.038 §5).
func alphabet(dcs int) int {
	switch group := dcs >> 4; {
	case dcs == 0x11:
		return ucs2
	case group >= 4 && group <= 7, group == 9:
		return [...]int{gsm, octets8, ucs2, gsm}[dcs>>2&3]
	case group == 15 && dcs&4 != 0:
		return octets8
	}
	return gsm
}

// leastPacked is the length in octets from which on hex in the place of a text is taken for
// packed septets: a shorter one may be a code that an operator tells.
const leastPacked = 8

// likeUCS2 says that octets are plain letters in UCS2.
func likeUCS2(raw []byte) bool {
	if len(raw) < 4 || len(raw)%2 != 0 {
		return false
	}
	for i := 0; i < len(raw); i += 2 {
		if raw[i] != 0 || raw[i+1] < 0x20 && raw[i+1] != '\n' && raw[i+1] != '\r' {
			return false
		}
	}
	return true
}

// readable says that a text is one that a person may have written.
func readable(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\r' || r > 0x7E {
			return false
		}
	}
	return s != ""
}

// languageOctets is how many octets of a text in UCS2 are its language: two letters packed
// into the first two, where they are (TS 23.038 §5).
func languageOctets(raw []byte) int {
	if len(raw) < 4 {
		return 0
	}
	a, b := raw[0]&0x7F, raw[0]>>7|raw[1]<<1&0x7F
	if a >= 'a' && a <= 'z' && b >= 'a' && b <= 'z' {
		return 2
	}
	return 0
}

// latin shows octets whose meaning nobody told.
func latin(raw []byte) string {
	var b strings.Builder
	for _, c := range raw {
		if c < 0x20 && c != '\n' && c != '\r' || c >= 0x7F && c < 0xA0 {
			c = '?'
		}
		b.WriteRune(rune(c))
	}
	return b.String()
}
