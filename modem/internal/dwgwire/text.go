package dwgwire

import (
	"encoding/hex"
	"unicode"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
)

// Encoding is how a content is written.
type Encoding uint8

// The encodings.
const (
	ASCII Encoding = 0
	UCS2  Encoding = 1 // big-endian
)

// EncodeText writes a text in ASCII where it can be, and in UCS2 otherwise.
func EncodeText(text string) (Encoding, []byte) {
	for i := range len(text) {
		if text[i] > '~' || text[i] == '`' { // the grave accent is not in the GSM alphabet (TS 23.038 §6.2.1)
			return UCS2, gsm7.EncodeUCS2(text)
		}
	}
	return ASCII, []byte(text)
}

// DecodeText reads a content. What cannot be read is a best guess with an error.
func DecodeText(e Encoding, content []byte) (string, error) {
	switch e {
	case ASCII:
		return latin(content)
	case UCS2:
		text := gsm7.DecodeUCS2(content)
		if len(content)%2 != 0 {
			return text, gateway.Invalid("content", "has %d bytes of UCS2, which is not a whole number of characters", len(content))
		}
		return text, nil
	}
	text, _ := latin(content)
	return text, gateway.Invalid("encoding", "is %d: 0 for ASCII or 1 for UCS2", e)
}

// latin reads ASCII. Other bytes are guessed as Latin 1.
func latin(content []byte) (text string, err error) {
	runes := make([]rune, len(content))
	for i, c := range content {
		if runes[i] = rune(c); c > 0x7F {
			err = gateway.Invalid("content", "has the byte %#02x, which is not ASCII", c)
		}
	}
	return string(runes), err
}

// decodeUSSD reads the content of a USSD reply: gateways write one of encoding 0 as
// it is, or as the hex of its UCS2.
func decodeUSSD(e Encoding, content []byte) (string, error) {
	if e == ASCII {
		if text, ok := hexText(content); ok {
			return text, nil
		}
	}
	return DecodeText(e, content)
}

// hexText reads the hex of UCS2. A number that looks like it is not taken for it:
// a text has basic letters, no controls, and nothing from beyond the alphabets of the
// scripts that USSD is written in, punctuation apart.
func hexText(content []byte) (string, bool) {
	if len(content) == 0 || len(content)%4 != 0 {
		return "", false
	}
	raw, err := hex.DecodeString(string(content))
	if err != nil {
		return "", false
	}
	text, basic := gsm7.DecodeUCS2(raw), false
	for _, r := range text {
		script := r < 0x1000 || r >= 0x2000 && r < 0x2100
		if !script || !unicode.IsGraphic(r) && r != '\n' && r != '\r' {
			return "", false
		}
		basic = basic || r < 0x100
	}
	return text, basic
}
