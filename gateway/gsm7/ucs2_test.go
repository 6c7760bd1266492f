package gsm7

import (
	"encoding/hex"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestUCS2VectorsOfUnicode(t *testing.T) {
	for text, want := range map[string]string{
		"Acción ñ":   "004100630063006900f3006e002000f1",
		"\U0001F600": "d83dde00",
		"\U00010437": "d801dc37", // Unicode §3.9, table 3-5 and RFC 2781 §2.1 style
		"€":          "20ac",
	} {
		if got := hex.EncodeToString(EncodeUCS2(text)); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
		octets, _ := hex.DecodeString(want)
		if got := DecodeUCS2(octets); got != text {
			t.Errorf("%s reads %q, want %q", want, got, text)
		}
	}
}

// S15: the library gives up on the whole text, or swallows a neighbour.
func TestBrokenUTF16LosesNothingButTheBrokenUnit(t *testing.T) {
	for in, want := range map[string]string{
		"0041d83d":         "A\uFFFD",           // emoji cut at the end
		"0041d83d0042":     "A\uFFFDB",          // high surrogate, then a letter
		"0041de000042":     "A\uFFFDB",          // low surrogate alone
		"d83dd83dde000041": "\uFFFD\U0001F600A", // high, then a whole pair
		"00410042de":       "AB\uFFFD",          // odd length
		"d83dde":           "\uFFFD\uFFFD",
		"00":               "\uFFFD",
		"":                 "",
		"feff0041":         "A", // byte order mark
		"0041feff":         "A\uFEFF",
	} {
		octets, _ := hex.DecodeString(in)
		if got := DecodeUCS2(octets); got != want {
			t.Errorf("%s reads %q, want %q", in, got, want)
		}
	}
}

func TestUCS2RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "x" + rapid.String().Draw(t, "text")
		if got := DecodeUCS2(EncodeUCS2(text)); got != text {
			t.Fatalf("%q came back as %q", text, got)
		}
	})
}

func FuzzDecodeUCS2(f *testing.F) {
	f.Add([]byte{0xD8, 0x3D, 0xDE})
	f.Fuzz(func(t *testing.T, octets []byte) {
		text := DecodeUCS2(octets)
		if !utf8.ValidString(text) {
			t.Fatalf("%X reads as invalid UTF-8", octets)
		}
		if units := len(EncodeUCS2(text)); units > len(octets)+1 || units < len(octets)-2 {
			t.Fatalf("%d octets read as %d", len(octets), units)
		}
	})
}
