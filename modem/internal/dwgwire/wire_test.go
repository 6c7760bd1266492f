package dwgwire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

// golden are frames written by hand from the tables of the protocol.
var golden = map[string]string{
	"keepalive": "00000000 00FAB3D2D3AA0000 5F5E1000 00000001 0000 0000",
	"ack":       "00000001 00FAB3D2D3AA0000 5F5E1000 00000002 0002 0000 00",
	"submit ascii": "03 00 00 01 2B3539383939313233343536000000000000000000000000" +
		"0004 486F6C61",
	"submit ucs2": "07 01 00 01 313233343500000000000000000000000000000000000000" +
		"0004 00F10061",
	"result": "01 2B3539383939313233343536000000000000000000000000 03 05 04 02",
	"deliver": "2B3539383939313233343536000000000000000000000000 00 02" +
		"323032363131323231343435303100 FD 01 0004 0042 00E9",
	"ports":      "04 00 01 02 03",
	"login":      "61646D696E0000000000000000000000 73337263726574000000000000000000",
	"ussd send":  "01 01 0005 2A31303023",
	"ussd reply": "01 00 0003 00 342E32",
}

func bin(t testing.TB, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(golden[name], " ", ""))
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

type encoder interface{ Encode() ([]byte, error) }

func TestEachBodyIsAsTheTablesSay(t *testing.T) {
	id := ID{MAC: [6]byte{0, 0xFA, 0xB3, 0xD2, 0xD3, 0xAA}, Time: 0x5F5E1000, Serial: 1}
	at := time.Date(2026, 11, 22, 14, 45, 1, 0, time.FixedZone("", -3*3600))
	for name, want := range map[string]encoder{
		"keepalive":    &Frame{ID: id, Type: KeepAlive},
		"ack":          Answer(ID{id.MAC, id.Time, 2}, SendSMS, 0),
		"submit ascii": &Submit{3, ASCII, []string{"+59899123456"}, []byte("Hola")},
		"submit ucs2":  &Submit{7, UCS2, []string{"12345"}, []byte{0, 0xF1, 0, 'a'}},
		"result":       &Result{[]string{"+59899123456"}, 3, CodePartial, 4, 2},
		"deliver":      &Deliver{"+59899123456", 2, at, UCS2, []byte{0, 'B', 0, 0xE9}},
		"login":        &Credentials{"admin", "s3rcret"},
		"ussd send":    &USSDRequest{1, USSDSend, "*100#"},
		"ussd reply":   &USSDAnswer{1, USSDDone, "4.2"},
	} {
		got, err := want.Encode()
		if err != nil || !bytes.Equal(got, bin(t, name)) {
			t.Errorf("%s is %x (%v), want %x", name, got, err, bin(t, name))
		}
	}
	if got, err := EncodePorts([]uint8{0, 1, 2, 3}); err != nil || !bytes.Equal(got, bin(t, "ports")) {
		t.Errorf("ports are %x (%v)", got, err)
	}
}

func TestEachBodyIsReadBack(t *testing.T) {
	same := func(name string, got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v (%v), want %+v", name, got, err, want)
		}
	}
	s, err := DecodeSubmit(bin(t, "submit ascii"))
	same("submit", s, Submit{3, ASCII, []string{"+59899123456"}, []byte("Hola")}, err)
	r, err := DecodeResult(bin(t, "result"))
	same("result", r, Result{[]string{"+59899123456"}, 3, CodePartial, 4, 2}, err)
	p, err := DecodePorts(bin(t, "ports"))
	same("ports", p, []uint8{0, 1, 2, 3}, err)
	c, err := DecodeCredentials(bin(t, "login"))
	same("login", c, Credentials{"admin", "s3rcret"}, err)
	u, err := DecodeUSSDRequest(bin(t, "ussd send"))
	same("USSD", u, USSDRequest{1, USSDSend, "*100#"}, err)
	a, err := DecodeUSSDAnswer(bin(t, "ussd reply"))
	same("USSD reply", a, USSDAnswer{1, USSDDone, "4.2"}, err)
	d, err := DecodeDeliver(bin(t, "deliver"))
	if err != nil || d.From != "+59899123456" || d.Port != 2 || d.At.Unix() != 1795369501 || d.Encoding != UCS2 || len(d.Content) != 4 {
		t.Errorf("the received message is read as %+v (%v)", d, err)
	}
	f, err := Read(bytes.NewReader(bin(t, "ack")))
	same("ack", f, Frame{ID{[6]byte{0, 0xFA, 0xB3, 0xD2, 0xD3, 0xAA}, 0x5F5E1000, 2}, SendSMSAck, []byte{0}}, err)
}

func TestABodyThatIsCutOffSaysSo(t *testing.T) {
	for name, read := range map[string]func([]byte) error{
		"submit ascii": func(b []byte) error { _, err := DecodeSubmit(b); return err },
		"deliver":      func(b []byte) error { _, err := DecodeDeliver(b); return err },
		"ports":        func(b []byte) error { _, err := DecodePorts(b); return err },
		"login":        func(b []byte) error { _, err := DecodeCredentials(b); return err },
		"ussd send":    func(b []byte) error { _, err := DecodeUSSDRequest(b); return err },
	} {
		whole := bin(t, name)
		for n := range whole {
			if err := read(whole[:n]); gateway.KindOf(err) != gateway.KindInvalid {
				t.Errorf("%s of %d bytes gives %v", name, n, err)
			}
		}
	}
	b := bin(t, "result")
	if r, err := DecodeResult(b[:len(b)-2]); err != nil || r.Code != CodePartial {
		t.Errorf("a result without its counts gives %+v, %v", r, err)
	}
	if _, err := DecodeResult(b[:len(b)-3]); err == nil {
		t.Error("a result without its code is read")
	}
}

func TestAFrameHasABound(t *testing.T) {
	if _, err := ReadHeader(bytes.NewReader(append([]byte{0xFF, 0xFF, 0xFF, 0xFF}, make([]byte, 20)...))); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a body of 4 GiB gives %v", err)
	}
	if _, err := (&Frame{Body: make([]byte, MaxBody+1)}).Encode(); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("too long a body goes out: %v", err)
	}
	if _, err := (&Submit{Numbers: []string{"1"}, Content: make([]byte, MaxBody)}).Encode(); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("too long a text goes out: %v", err)
	}
	half := bin(t, "ack")
	if _, err := Read(bytes.NewReader(half[:len(half)-1])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a frame without its body gives %v", err)
	}
	if _, err := Read(bytes.NewReader(nil)); err != io.EOF {
		t.Errorf("nothing gives %v", err)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	for name, bad := range map[string]encoder{
		"no number":       &Submit{},
		"a long number":   &Submit{Numbers: []string{strings.Repeat("1", 25)}},
		"a wide number":   &Submit{Numbers: []string{"ñ"}},
		"a long password": &Credentials{"u", strings.Repeat("x", 17)},
		"no user":         &Credentials{"", "x"},
		"an odd code":     &USSDRequest{Code: "*1\n#"},
	} {
		if _, err := bad.Encode(); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%s goes out: %v", name, err)
		}
	}
}

func TestTextIsASCIIOrUCS2(t *testing.T) {
	for text, want := range map[string]Encoding{"Hola [1] {2} @_^\n": ASCII, "ñ": UCS2, "€": UCS2, "`": UCS2, "🚀": UCS2} {
		e, content := EncodeText(text)
		if got, err := DecodeText(e, content); e != want || got != text || err != nil {
			t.Errorf("%q goes as %d and comes as %q (%v)", text, e, got, err)
		}
	}
	if _, err := DecodeText(UCS2, []byte{0, 'a', 0}); err == nil {
		t.Error("half a character is read without a word")
	}
	if got, err := DecodeText(ASCII, []byte{'a', 0xF1}); got != "añ" || err == nil {
		t.Errorf("a byte that is not ASCII gives %q, %v", got, err)
	}
}

func TestUSSDInHexIsRead(t *testing.T) {
	for content, want := range map[string]string{
		"00530061006C0064006F0020003420AC": "Saldo 4€", "12345678": "12345678", "12340041": "12340041", "Saldo: 12": "Saldo: 12", "00100020": "00100020",
	} {
		if got, err := decodeUSSD(ASCII, []byte(content)); got != want || err != nil {
			t.Errorf("%s is read as %q (%v), want %q", content, got, err, want)
		}
	}
}

func TestTimeZones(t *testing.T) {
	for v, want := range map[int8]int{-3: -10800, 14: 50400, -20: -18000, 48: 43200} {
		if _, got := time.Unix(0, 0).In(zoneOf(v)).Zone(); got != want {
			t.Errorf("zone %d is %d s, want %d", v, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for name := range golden {
		f.Add(bin(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if fr, err := Read(bytes.NewReader(b)); err == nil && len(fr.Body) > MaxBody {
			t.Fatal("a body beyond its bound")
		}
		if s, err := DecodeSubmit(b); err == nil && len(s.Content) > len(b) {
			t.Fatal("a content out of nothing")
		}
		_, _ = DecodeResult(b)
		_, _ = DecodePorts(b)
		_, _ = DecodeCredentials(b)
		_, _ = DecodeUSSDRequest(b)
		_, _ = DecodeUSSDAnswer(b)
		if d, err := DecodeDeliver(b); err == nil {
			_, _ = DecodeText(d.Encoding, d.Content)
		}
	})
}
