package optout

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxText is how much of a text is read, in bytes; maxWords how many words of it.
	maxText  = 2000
	maxWords = 20
)

// wordsOf cuts a text into its words, folded: letters and digits, in small letters without
// accents. Whatever else is in it only parts them. It gives at most one word above maxWords,
// and all is false where the text has more than maxText bytes: the rest is not read.
func wordsOf(text string) (words []string, all bool) {
	all = len(text) <= maxText
	if !all {
		text = text[:maxText]
	}
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for len(text) > 0 && len(words) <= maxWords {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch {
		case unicode.Is(unicode.Mn, r): // an accent that stands for itself
		case unicode.IsLetter(r), unicode.IsDigit(r):
			word.WriteRune(plain(unicode.ToLower(r)))
		default:
			end()
		}
	}
	end()
	return words, all
}

// plain takes the accent off a small letter.
func plain(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
	case strings.ContainsRune("àáâãäå", r):
		return 'a'
	case strings.ContainsRune("èéêë", r):
		return 'e'
	case strings.ContainsRune("ìíîï", r):
		return 'i'
	case strings.ContainsRune("òóôõö", r):
		return 'o'
	case strings.ContainsRune("ùúûü", r):
		return 'u'
	case r == 'ñ':
		return 'n'
	case r == 'ç':
		return 'c'
	}
	return r
}

// nearly says that one letter more, less or another makes a out of b, or two that changed
// places.
func nearly(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch a, b = a[i:], b[i:]; len(a) - len(b) {
	case 0:
		return len(a) == 0 || a[1:] == b[1:] || len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]
	case 1:
		return a[1:] == b
	}
	return false
}
