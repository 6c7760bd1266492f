package gsm7

import (
	"strings"
	"unicode/utf8"
)

// Forced is a character that the default alphabet does not have, and that so
// moves the whole text to UCS2.
type Forced struct {
	Rune       rune
	Index      int    // where it begins, in characters (code points) from 0
	Width      int    // how many characters Suggestion replaces: 2 for a letter and its combining accent
	Suggestion string // what could stand there; "" = leave it out, when Known
	Known      bool   // there is a suggestion
	Safe       bool   // it reads the same, and Substitute applies it
}

// Substitute puts the safe suggestions in place - straight quotes, plain dashes
// and spaces, "..." - and gives the text as it was where it would need UCS2 all
// the same, since then nothing is won.
func Substitute(text string) string { return replace(text, true) }

// Transliterate puts every suggestion in place, those too that change the
// spelling ("á" to "a"), and gives the text as it was where that does not do.
func Transliterate(text string) string { return replace(text, false) }

// StripControls takes out the control characters that Plan refuses.
func StripControls(text string) string {
	return strings.Map(func(r rune) rune {
		if control(r) {
			return -1
		}
		return r
	}, text)
}

func replace(text string, safeOnly bool) string {
	if Fits(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	fits := true
	walk(text, func(f Forced, raw string) {
		switch {
		case f.Width == 0:
			b.WriteString(raw)
		case f.Known && (f.Safe || !safeOnly):
			b.WriteString(f.Suggestion)
		default:
			fits = false
		}
	})
	if !fits {
		return text
	}
	return b.String()
}

func forced(text string) []Forced {
	var all []Forced
	walk(text, func(f Forced, _ string) {
		if f.Width > 0 {
			all = append(all, f)
		}
	})
	return all
}

// walk visits the text character by character, a letter with its combining accent
// as one. The Forced has no width for what the alphabet holds.
func walk(text string, visit func(f Forced, raw string)) {
	index := 0
	for i := 0; i < len(text); {
		f, n := at(text[i:])
		f.Index = index
		visit(f, text[i:i+n])
		i += n
		index += max(1, f.Width)
	}
}

// at looks at the first character of a text and gives its length in bytes.
func at(text string) (Forced, int) {
	r, n := utf8.DecodeRuneInString(text)
	if mark, m := utf8.DecodeRuneInString(text[n:]); m > 0 {
		if whole, ok := compose(r, mark); ok {
			return Forced{Rune: mark, Width: 2, Suggestion: string(whole), Known: true, Safe: true}, n + m
		}
	}
	if septetCost(r) > 0 {
		return Forced{}, n
	}
	s, safe, known := suggest(r)
	return Forced{Rune: r, Width: 1, Suggestion: s, Known: known, Safe: safe}, n
}
