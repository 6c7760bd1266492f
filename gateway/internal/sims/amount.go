package sims

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// amountIn reads the amount that a pattern's first group finds in an answer.
func amountIn(pattern *regexp.Regexp, text string) (float64, bool) {
	m := pattern.FindStringSubmatch(text)
	if len(m) < 2 {
		return 0, false
	}
	return parseAmount(m[1])
}

// maxDigits keeps an amount within what a float64 holds exactly.
const maxDigits = 15

// parseAmount reads an amount as people write it: 120, 1.234,56, 1,234.56, 1 234,56
// or 1'234.56, with a sign where it is a debt. Of two marks the last is the decimal
// one. One mark alone, behind one to three digits and before three, separates
// thousands: 1.234 is 1234, and 0.234 is not. A space separates nothing but thousands:
// 120 30 are two amounts, and none is read. Arabic and Persian digits are read too.
func parseAmount(s string) (float64, bool) {
	s = plain(s)
	digits, debt := strings.CutPrefix(s, "-")
	if !debt {
		digits = strings.TrimPrefix(s, "+")
	}
	whole, part := split(strings.TrimLeft(digits, " "))
	if whole == "" && part == "" || len(whole)+len(part) > maxDigits || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	if whole == "" {
		whole = "0"
	}
	v, err := strconv.ParseFloat(whole+"."+part+"0", 64)
	if debt && v != 0 {
		v = -v
	}
	return v, err == nil
}

// plain writes an amount with ASCII digits, and a space for each mark that separates
// nothing but thousands.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\'', r == '’', r == '٬':
			return ' '
		case r == '٫': // Arabic decimal separator
			return ','
		case r == '−':
			return '-'
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r >= '۰' && r <= '۹':
			return '0' + r - '۰'
		}
		return r
	}, strings.TrimLeftFunc(strings.TrimRightFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '.' || r == ',' // the end of a sentence
	}), unicode.IsSpace))
}

// split takes an amount apart at its decimal mark, and its thousands together. What
// is not well formed keeps its marks, which are no digits.
func split(s string) (whole, part string) {
	at := strings.LastIndexAny(s, ".,")
	if at < 0 {
		return thousands(s, " "), ""
	}
	mark := s[at : at+1]
	other := map[string]string{".": ",", ",": "."}[mark]
	switch {
	case strings.Contains(s, other):
		if strings.Count(s, mark) > 1 {
			return s, ""
		}
		return thousands(s[:at], other), s[at+1:]
	case strings.Contains(s, " "):
		return thousands(s[:at], " "), s[at+1:]
	case strings.Count(s, mark) > 1 || len(s)-at == 4 && at <= 3 && strings.Trim(s[:at], "0") != "":
		return thousands(s, mark), ""
	}
	return s[:at], s[at+1:]
}

// thousands joins groups of three digits, the first of one to three.
func thousands(s, mark string) string {
	groups := strings.Split(s, mark)
	if len(groups) == 1 {
		return s
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3) {
			return s
		}
	}
	return strings.Join(groups, "")
}
