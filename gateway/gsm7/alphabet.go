package gsm7

// escape is the code that leads to the extension table (TS 23.038 §6.2.1 note 1).
const escape = 0x1B

// basic is the default alphabet in the order of its codes (TS 23.038 §6.2.1).
const basic = "@£$¥èéùìòÇ\nØø\rÅå" +
	"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
	" !\"#¤%&'()*+,-./" +
	"0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmno" +
	"pqrstuvwxyzäöñüà"

// extended is the character behind an escape (TS 23.038 §6.2.1.1).
func extended(code byte) (rune, bool) {
	switch code {
	case 0x0A:
		return '\f', true // page break
	case 0x14:
		return '^', true
	case 0x28:
		return '{', true
	case 0x29:
		return '}', true
	case 0x2F:
		return '\\', true
	case 0x3C:
		return '[', true
	case 0x3D:
		return '~', true
	case 0x3E:
		return ']', true
	case 0x40:
		return '|', true
	case 0x65:
		return '€', true
	}
	return 0, false
}

const (
	absent   = 0xFF // no code in either table
	extFlag  = 0x80 // the low seven bits stand behind an escape
	codeMask = 0x7F
)

// decoding and latin are written once, here, and only read afterwards.
var (
	decoding = decodingTable()
	latin    = latinTable()
)

func decodingTable() (t [128]rune) {
	i := 0
	for _, r := range basic {
		t[i] = r
		i++
	}
	return t
}

// latinTable maps the characters below U+0100 to their codes.
func latinTable() (t [256]byte) {
	for r := range t {
		t[r] = absent
	}
	for code, r := range decodingTable() {
		if r < 256 && code != escape { // S9: an escape is never a character
			t[r] = byte(code)
		}
	}
	for code := range byte(128) {
		if r, ok := extended(code); ok && r < 256 {
			t[r] = code | extFlag
		}
	}
	return t
}

// lookup gives a character's code, with extFlag for the extension table, or absent.
func lookup(r rune) byte {
	if r < 256 {
		return latin[r]
	}
	switch r {
	case 'Δ':
		return 0x10
	case 'Φ':
		return 0x12
	case 'Γ':
		return 0x13
	case 'Λ':
		return 0x14
	case 'Ω':
		return 0x15
	case 'Π':
		return 0x16
	case 'Ψ':
		return 0x17
	case 'Σ':
		return 0x18
	case 'Θ':
		return 0x19
	case 'Ξ':
		return 0x1A
	case '€':
		return 0x65 | extFlag
	}
	return absent
}

// septetCost gives how many septets a character takes: 1, 2, or 0 where the
// alphabet does not have it.
func septetCost(r rune) int {
	switch code := lookup(r); {
	case code == absent:
		return 0
	case code&extFlag != 0:
		return 2
	}
	return 1
}

// unitCost gives how many UTF-16 units a character takes: 1, or 2 for a
// surrogate pair.
func unitCost(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}
