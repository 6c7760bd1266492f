package gateway

import (
	"errors"
	"strings"
	"testing"
)

func TestNamesThatPathsAndMetricsCanHold(t *testing.T) {
	for _, name := range []string{"a", "AutomatedSMSDialer", "branch-12", "x_1", strings.Repeat("n", 64)} {
		if err := CheckName("name", name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, say := range map[string]string{
		"":                      "is empty",
		strings.Repeat("n", 65): "longer than 64",
		"a/b":                   `has '/' at position 2`,
		"..":                    `has '.' at position 1`,
		"año":                   `has 'ñ' at position 2`,
		"a b":                   `has ' ' at position 2`,
		"a\n":                   `has '\n' at position 2`,
		"\xff":                  "at position 1",
	} {
		err := CheckName("campaign", name)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindInvalid || e.Field != "campaign" || !strings.Contains(e.Text, say) {
			t.Errorf("%q: %v, want an error that says %q", name, err, say)
		}
	}
}

func TestPatternMatchesTheWholeNumber(t *testing.T) {
	for _, c := range []struct {
		pattern, number string
		want            bool
	}{
		{`\+59899\d{6}`, "+59899123456", true},
		{`\+59899\d{6}`, "+598991234567", false},
		{`99`, "+59899123456", false},
		{`\+598.*|\+54.*`, "+5411", true},
		{`\+598|\+54`, "+5411", false}, // the anchors hold the whole choice
		{`(?i)banco`, "BANCO", true},
		{`^\+598\d+$`, "+59899123456", true},
	} {
		re, err := CompilePattern("pattern", c.pattern)
		if err != nil || re.MatchString(c.number) != c.want {
			t.Errorf("%s on %s: want %v, %v", c.pattern, c.number, c.want, err)
		}
	}
}

func TestPatternThatAcceptsAnything(t *testing.T) {
	for _, p := range []string{"", "."} {
		if re, err := CompilePattern("pattern", p); re != nil || err != nil {
			t.Errorf("%q: %v, %v", p, re, err)
		}
	}
}

func TestBadPatternsAreRefused(t *testing.T) {
	for _, p := range []string{"(", "a)(b", "[", "x{2000}", `(?=a)`, strings.Repeat("a", maxPattern+1)} {
		re, err := CompilePattern("pattern", p)
		var e *Error
		if re != nil || !errors.As(err, &e) || e.Kind != KindInvalid || e.Field != "pattern" {
			t.Errorf("%.20q: %v, %v", p, re, err)
		}
	}
}
