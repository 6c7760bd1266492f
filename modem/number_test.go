package modem

import "testing"

func TestANumberIsTheSameHoweverADeviceWritesIt(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"+59899123456", "59899123456", true},
		{"+59899123456", "0059899123456", true},
		{"+59899123456", "099123456", true},
		{"+5971234567", "1234567", true},
		{"+59899123456", "+59899123457", false},
		{"+59899123456", "456", false}, // a short code is nobody's number
		{"456", "456", true},
		{"+59899123456", "", false},
		{"", "", false},
		{"*123#", "*124#", false},
	} {
		if got := SameNumber(c.a, c.b); got != c.want || SameNumber(c.b, c.a) != c.want {
			t.Errorf("%q and %q: %v, want %v both ways", c.a, c.b, got, c.want)
		}
	}
}

// FuzzSameNumber holds that a number is the same both ways, and nothing like an empty one.
func FuzzSameNumber(f *testing.F) {
	f.Add("+59899123456", "099123456")
	f.Add("+", "000")
	f.Fuzz(func(t *testing.T, a, b string) {
		if SameNumber(a, b) != SameNumber(b, a) || SameNumber(a, "") || SameNumber("", b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
