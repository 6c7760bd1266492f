package gsm7

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// The table of TS 23.038 §6.2.1, read by column (b7 b6 b5) and row (b4 to b1),
// written by hand from the standard.
func TestDefaultAlphabetIsTheStandards(t *testing.T) {
	want := map[byte]rune{
		0x00: '@', 0x01: '£', 0x02: '$', 0x03: '¥', 0x04: 'è', 0x05: 'é', 0x06: 'ù', 0x07: 'ì',
		0x08: 'ò', 0x09: 'Ç', 0x0A: '\n', 0x0B: 'Ø', 0x0C: 'ø', 0x0D: '\r', 0x0E: 'Å', 0x0F: 'å',
		0x10: 'Δ', 0x11: '_', 0x12: 'Φ', 0x13: 'Γ', 0x14: 'Λ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ',
		0x18: 'Σ', 0x19: 'Θ', 0x1A: 'Ξ', 0x1C: 'Æ', 0x1D: 'æ', 0x1E: 'ß', 0x1F: 'É',
		0x20: ' ', 0x23: '#', 0x24: '¤', 0x25: '%', 0x2F: '/', 0x30: '0', 0x39: '9', 0x3F: '?',
		0x40: '¡', 0x41: 'A', 0x5A: 'Z', 0x5B: 'Ä', 0x5C: 'Ö', 0x5D: 'Ñ', 0x5E: 'Ü', 0x5F: '§',
		0x60: '¿', 0x61: 'a', 0x7A: 'z', 0x7B: 'ä', 0x7C: 'ö', 0x7D: 'ñ', 0x7E: 'ü', 0x7F: 'à',
	}
	for code, r := range want {
		if got := DecodeSeptets([]byte{code}); got != string(r) {
			t.Errorf("code %02X is %q, want %q", code, got, r)
		}
		if got, ok := EncodeSeptets(string(r)); !ok || !bytes.Equal(got, []byte{code}) {
			t.Errorf("%q is %X, want %02X", r, got, code)
		}
	}
	for r := rune(' '); r < 0x7F; r++ { // the codes that ISO 646 shares
		if strings.ContainsRune("$@[\\]^_`{|}~", r) {
			continue
		}
		if got, ok := EncodeSeptets(string(r)); !ok || !bytes.Equal(got, []byte{byte(r)}) {
			t.Errorf("%q is %X, want %02X", r, got, r)
		}
	}
}

// TS 23.038 §6.2.1.1.
func TestExtensionTableIsTheStandards(t *testing.T) {
	for code, r := range map[byte]rune{
		0x0A: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\', 0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€',
	} {
		if got := DecodeSeptets([]byte{0x1B, code}); got != string(r) {
			t.Errorf("1B %02X is %q, want %q", code, got, r)
		}
		if got, ok := EncodeSeptets(string(r)); !ok || !bytes.Equal(got, []byte{0x1B, code}) {
			t.Errorf("%q is %X, want 1B%02X", r, got, code)
		}
	}
}

func TestAlphabetsHoldNothingElse(t *testing.T) {
	n := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if septetCost(r) > 0 {
			n++
		}
	}
	if n != 127+10 {
		t.Errorf("%d characters have a code, want 127 and 10", n)
	}
}

func TestDecodingAForeignEscapeShowsSomething(t *testing.T) {
	for in, want := range map[string]string{
		"\x1bA":                 "A",    // §6.2.1.1 note 3: the default alphabet's character
		"a\x1b":                 "a ",   // nothing behind it
		"a\x1b\x1bb":            "a b",  // note 1: a table that nobody defined
		"a\x1b\x0db":            "a\rb", // CR2
		"\xe1":                  "a",    // the top bit is nobody's
		"":                      "",
		"\x1b\x65\x1b\x3c\x00z": "€[@z",
	} {
		if got := DecodeSeptets([]byte(in)); got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}

// Packed strings that are widely published, "hellohello" of the GSM 03.38 primer
// among them, and the "Hola" of a modem.
func TestPackingMatchesPublishedVectors(t *testing.T) {
	for text, packed := range map[string]string{
		"hellohello":   "E8329BFD4697D9EC37",
		"Hola":         "C8373B0C",
		"How are you?": "C8F71D14969741F977FD07",
		"test":         "F4F29C0E",
	} {
		septets, _ := EncodeSeptets(text)
		if got := hex.EncodeToString(Pack(septets, 0)); !strings.EqualFold(got, packed) {
			t.Errorf("%q packs to %s, want %s", text, got, packed)
		}
		octets, _ := hex.DecodeString(packed)
		if got := DecodeSeptets(Unpack(octets, len(septets), 0)); got != text {
			t.Errorf("%s unpacks to %q, want %q", packed, got, text)
		}
	}
}

func TestUnpackUndoesPack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		septets := rapid.SliceOfN(rapid.ByteRange(0, 127), 0, 160).Draw(t, "septets")
		fill := rapid.IntRange(0, 6).Draw(t, "fill")
		if got := Unpack(Pack(septets, fill), len(septets), fill); !bytes.Equal(got, septets) {
			t.Fatalf("%X came back as %X", septets, got)
		}
	})
}

func TestUnpackGivesFewerWhereTheOctetsEnd(t *testing.T) {
	if got := Unpack([]byte{0xFF}, 160, 0); len(got) != 1 {
		t.Errorf("one octet gave %d septets, want 1", len(got))
	}
	if got := Unpack(nil, 5, 6); len(got) != 0 {
		t.Errorf("no octets gave %d septets", len(got))
	}
}

// S8: the library sends "*1345c" for "*1345#", and every code of 6 or 14
// characters fails with it. The vectors are codes as handsets send them.
func TestUSSDCodesKeepTheirLastCharacter(t *testing.T) {
	for text, packed := range map[string]string{
		"*100#":   "AA180C3602",
		"*101#":   "AA182C3602",
		"*102#":   "AA184C3602",
		"*#06#":   "AA11CC3602",
		"*123456": "AA986C46ABD91A", // 7 septets: a carriage return fills the spare bits (§6.1.2.3.1)
	} {
		septets, _ := EncodeSeptets(text)
		if got := hex.EncodeToString(PackUSSD(septets)); !strings.EqualFold(got, packed) {
			t.Errorf("%q packs to %s, want %s", text, got, packed)
		}
	}
	for n := 1; n <= 182; n++ {
		for _, last := range "#c@0\x11" {
			text := "*" + strings.Repeat("1", n-1) + string(last)
			septets, ok := EncodeSeptets(text)
			if !ok {
				continue
			}
			if got := DecodeSeptets(UnpackUSSD(PackUSSD(septets))); got != text {
				t.Fatalf("%q came back as %q", text, got)
			}
		}
	}
}

func TestUSSDCarriageReturnOnTheBorderIsDoubled(t *testing.T) {
	septets := []byte("1234567\r")
	if got := PackUSSD(septets); len(got) != 8 {
		t.Errorf("packs to %d octets, want 8: §6.1.2.3.1", len(got))
	}
	if got := UnpackUSSD(PackUSSD([]byte("1234567"))); string(got) != "1234567" {
		t.Errorf("padding came back as text: %q", got)
	}
	if string(septets) != "1234567\r" {
		t.Error("the caller's septets were changed")
	}
}

func FuzzDecodeSeptets(f *testing.F) {
	f.Add([]byte("\x1be\x1b"))
	f.Fuzz(func(t *testing.T, septets []byte) {
		text := DecodeSeptets(septets)
		if !utf8.ValidString(text) {
			t.Fatalf("%X reads as invalid UTF-8", septets)
		}
		if _, ok := EncodeSeptets(text); !ok {
			t.Fatalf("%X reads as %q, which the alphabet does not hold", septets, text)
		}
	})
}
