package gateway

import "regexp"

// maxPattern bounds the work of compiling a pattern that comes from outside, in bytes.
const maxPattern = 1000

// CompilePattern makes a provider's number pattern ready to match a whole number.
// "" and "." accept anything and give nil. Matching takes linear time, whatever
// the pattern says (RE2 syntax). The error is of kind invalid.
func CompilePattern(field, pattern string) (*regexp.Regexp, error) {
	if pattern == "" || pattern == "." {
		return nil, nil
	}
	if len(pattern) > maxPattern {
		return nil, Invalid(field, "is longer than %d bytes", maxPattern)
	}
	// Alone first: a pattern such as "a)(b" would be sound inside the anchors only.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, Invalid(field, "is not a regular expression: %v", err)
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, Invalid(field, "is not a regular expression: %v", err)
	}
	return re, nil
}
