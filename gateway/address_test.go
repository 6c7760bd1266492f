package gateway

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAddressForms(t *testing.T) {
	for a, want := range map[Address]struct{ e164, short bool }{
		"+59899123456":      {e164: true},
		"+1234567":          {e164: true},
		"+123456789012345":  {e164: true},
		"+123456":           {}, // 6 digits
		"+1234567890123456": {}, // 16
		"+0598991234":       {}, // no country begins with 0
		"59899123456":       {},
		"+5989912345a":      {},
		"+":                 {},
		"":                  {},
		"1":                 {},
		"12":                {short: true},
		"091234":            {short: true},
		"1234567":           {},
		"BANCO":             {},
		"12a":               {},
	} {
		if a.E164() != want.e164 || a.Short() != want.short {
			t.Errorf("%q: E.164 %v, short %v", a, a.E164(), a.Short())
		}
	}
}

func TestAddressUnpackUndoesPacked(t *testing.T) {
	e164 := rapid.StringMatching(`\+[1-9][0-9]{6,14}`)
	short := rapid.StringMatching(`[0-9]{2,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.OneOf(e164, short).Draw(t, "address"))
		b := Address(rapid.OneOf(e164, short).Draw(t, "other"))
		n, ok := a.Packed()
		if !ok || Unpack(n) != a {
			t.Fatalf("%q packs to %x (%v) and comes back as %q", a, n, ok, Unpack(n))
		}
		if m, _ := b.Packed(); (n == m) != (a == b) {
			t.Fatalf("%q and %q pack to %x and %x", a, b, n, m)
		}
	})
}

func TestAddressOfLettersHasNoPackedForm(t *testing.T) {
	for _, a := range []Address{"BANCO", "", "+", "1", "+0123456789"} {
		if n, ok := a.Packed(); ok || n != 0 {
			t.Errorf("%q packs to %x", a, n)
		}
	}
}

func TestAddressMaskedKeepsThreeAtMost(t *testing.T) {
	for a, want := range map[Address]string{"+59899123456": "*********456", "113": "***", "1": "*", "": "", "BANCO": "**NCO"} {
		if got := a.Masked(); got != want {
			t.Errorf("%q is masked as %q, want %q", a, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`\+[1-9][0-9]{6,14}`).Draw(t, "address")
		if m := Address(a).Masked(); len(m) != len(a) || strings.Trim(m[:len(m)-3], "*") != "" {
			t.Fatalf("%q is masked as %q", a, m)
		}
	})
}
