package gateway

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Test vectors 3 of the product.
func TestP45DialStringsOfTheProduct(t *testing.T) {
	for s, want := range map[string][]int{
		"(0.3)": {0, 1, 2, 3}, "0.3": {0, 1, 2, 3}, "0-3": {0, 1, 2, 3}, "0..3": {0, 1, 2, 3},
		"0,1,2,3": {0, 1, 2, 3}, "(0,1,2,3)": {0, 1, 2, 3}, "3": {3}, "(3)": {3},
		" ( 0 - 3 ) ": {0, 1, 2, 3}, "3, 1,2": {3, 1, 2}, "31": {31}, "0.31": upTo(31), "5-5": {5},
	} {
		got, err := ParseDialString(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", s, got, err, want)
		}
	}
}

func upTo(n int) (ports []int) {
	for p := range n + 1 {
		ports = append(ports, p)
	}
	return ports
}

func TestP45DialStringErrorsTellWhy(t *testing.T) {
	for s, say := range map[string]string{
		"":                       "is empty",
		"()":                     "is empty",
		"  ":                     "is empty",
		"32":                     "ports are 0 to 31",
		"0-32":                   "ports are 0 to 31",
		"3-0":                    "runs backwards",
		"a":                      `has "a" where a port should be`,
		"0,1,1":                  "names port 1 twice",
		"1,01":                   "names port 1 twice",
		"0,":                     "lacks a port",
		"-3":                     "lacks a port",
		"0.":                     "lacks a port",
		"0...3":                  "more than one range",
		"0-1-2":                  "more than one range",
		"0-3,5":                  `has "0-3" where a port should be`,
		"(0.3":                   "parenthesis",
		"0.3)":                   "parenthesis",
		"((0.3))":                "parenthesis",
		")0.3(":                  "parenthesis",
		"+1":                     `has "+1"`,
		"٣":                      "where a port should be",
		"0 1":                    `has "0 1"`,
		"9999999999999999999999": "ports are 0 to 31",
	} {
		ports, err := ParseDialString(s)
		var e *Error
		if ports != nil || !errors.As(err, &e) || e.Kind != KindInvalid || e.Field != "dial_string" || !strings.Contains(e.Text, say) {
			t.Errorf("%q: %v, %v; want an error that says %q", s, ports, err, say)
		}
	}
}

func TestDialStringErrorsStayShort(t *testing.T) {
	for _, s := range []string{strings.Repeat("9", 1<<20), strings.Repeat("x", 1<<20), strings.Repeat("1-", 1<<20)} {
		if _, err := ParseDialString(s); err == nil || len(err.Error()) > 300 {
			t.Errorf("an error of %d bytes for an input of %d", len(err.Error()), len(s))
		}
	}
}

func FuzzParseDialString(f *testing.F) {
	for _, s := range []string{"(0.3)", "0..3", "0,1,2,3", "3-0", "(", "31"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ports, err := ParseDialString(s)
		if err != nil {
			return
		}
		if len(ports) == 0 || len(ports) > MaxPort+1 {
			t.Fatalf("%q gave %d ports", s, len(ports))
		}
		seen := map[int]bool{}
		for _, p := range ports {
			if p < 0 || p > MaxPort || seen[p] {
				t.Fatalf("%q gave %v", s, ports)
			}
			seen[p] = true
		}
	})
}
