package gsm7

import "strings"

// suggest gives what could stand for a character that the default alphabet does
// not have, and whether that reads the same.
func suggest(r rune) (s string, safe, known bool) {
	if s, ok := typographic(r); ok {
		return s, true, true
	}
	if s, ok := plain(r); ok {
		return s, false, true
	}
	return "", false, invisible(r)
}

// invisible says that a character prints nothing by itself: a combining accent
// that no letter of the alphabet takes, a joiner, a direction mark, a variation
// selector. Leaving one out may change how its neighbours look.
func invisible(r rune) bool {
	switch {
	case r >= 0x0300 && r <= 0x036F, // combining diacritical marks
		r >= 0x200C && r <= 0x200F, // joiners and direction marks
		r >= 0x202A && r <= 0x202E,
		r >= 0x2066 && r <= 0x2069,
		r >= 0xFE00 && r <= 0xFE0F: // variation selectors
		return true
	}
	return false
}

// typographic gives the plain form of a quote, dash, space or sign: the text
// reads the same.
func typographic(r rune) (string, bool) {
	switch r {
	case '\u0060', '\u00b4', '\u2018', '\u2019', '\u201a', '\u201b', '\u2032', '\u2035', '\u2039', '\u203a', '\u02b9', '\u02bb', '\u02bc', '\u02c8', '\uff07':
		return "'", true
	case '\u201c', '\u201d', '\u201e', '\u201f', '\u2033', '\u2036', '\u00ab', '\u00bb', '\u02ba', '\uff02':
		return "\"", true
	case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2212', '\u2043':
		return "-", true
	case '\u2026':
		return "...", true
	case '\u0009', '\u00a0', '\u2000', '\u2001', '\u2002', '\u2003', '\u2004', '\u2005', '\u2006', '\u2007', '\u2008', '\u2009', '\u200a', '\u202f', '\u205f', '\u3000':
		return " ", true
	case '\u2028', '\u2029':
		return "\n", true
	case '\u00ad', '\u200b', '\u2060', '\ufeff':
		return "", true
	case '\u2022', '\u2023', '\u25cf', '\u25aa':
		return "*", true
	case '\u00b7', '\u2219', '\u2024':
		return ".", true
	case '™':
		return "TM", true
	case '©':
		return "(C)", true
	case '®':
		return "(R)", true
	case '×':
		return "x", true
	case '÷':
		return "/", true
	case '⁄':
		return "/", true
	case '¦':
		return "|", true
	case '₤':
		return "£", true
	case '½':
		return "1/2", true
	case '¼':
		return "1/4", true
	case '¾':
		return "3/4", true
	case '±':
		return "+/-", true
	case '№':
		return "No.", true
	case '→':
		return "->", true
	case '←':
		return "<-", true
	case '≤':
		return "<=", true
	case '≥':
		return ">=", true
	case '\ufb00':
		return "ff", true
	case '\ufb01':
		return "fi", true
	case '\ufb02':
		return "fl", true
	case '\ufb03':
		return "ffi", true
	case '\ufb04':
		return "ffl", true
	case 'Α':
		return "A", true
	case 'Β':
		return "B", true
	case 'Ε':
		return "E", true
	case 'Ζ':
		return "Z", true
	case 'Η':
		return "H", true
	case 'Ι':
		return "I", true
	case 'Κ':
		return "K", true
	case 'Μ':
		return "M", true
	case 'Ν':
		return "N", true
	case 'Ο':
		return "O", true
	case 'Ρ':
		return "P", true
	case 'Τ':
		return "T", true
	case 'Υ':
		return "Y", true
	case 'Χ':
		return "X", true
	case '\u2126': // ohm sign
		return "Ω", true
	case '\u2206': // increment
		return "Δ", true
	case '\u212b': // angstrom sign
		return "Å", true
	}
	return "", false
}

// compose joins a letter and a combining accent to a character of the alphabet:
// the two spell the same (Unicode §3.11), and macOS writes the second way.
func compose(letter, mark rune) (rune, bool) {
	switch mark {
	case 0x0300:
		return pick(letter, "aeiou", "àèìòù")
	case 0x0301:
		return pick(letter, "eE", "éÉ")
	case 0x0303:
		return pick(letter, "nN", "ñÑ")
	case 0x0308:
		return pick(letter, "aouAOU", "äöüÄÖÜ")
	case 0x030A:
		return pick(letter, "aA", "åÅ")
	case 0x0327:
		return pick(letter, "C", "Ç")
	}
	return 0, false
}

// pick gives the character of whole at the place of letter in letters.
func pick(letter rune, letters, whole string) (rune, bool) {
	place := strings.IndexRune(letters, letter)
	if place < 0 {
		return 0, false
	}
	for _, r := range whole {
		if place == 0 {
			return r, true
		}
		place--
	}
	return 0, false
}
