package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const word = "hunter2"
	port := Port{Port: 1, PIN: word}
	out := &bytes.Buffer{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s", "%T %[1]v", "%!"} {
		for _, x := range []any{port.PIN, &port.PIN, port, &port, []Secret{word}, map[Secret]Secret{word: word}, struct{ S any }{port.PIN}} {
			fmt.Fprintf(out, verb+"\n", x)
		}
	}
	fmt.Fprintln(out, port.PIN, port)
	for _, h := range []slog.Handler{slog.NewTextHandler(out, nil), slog.NewJSONHandler(out, nil)} {
		slog.New(h).Info("port", "pin", port.PIN, "port", port, "ports", []Port{port}, slog.Group("g", "pin", port.PIN))
	}
	enc := json.NewEncoder(out)
	for _, x := range []any{port, []Secret{word}, struct{ P *Secret }{&port.PIN}} {
		if err := enc.Encode(x); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(out, Invalid("pin", "%s was refused", port.PIN))
	hex := fmt.Sprintf("%x", word)
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, word) || strings.Contains(strings.ToLower(line), hex) {
			t.Errorf("shown: %s", line)
		}
	}
	if !strings.Contains(out.String(), "***") {
		t.Error("nothing was printed at all")
	}
}

func TestSecretOfNoCharactersShowsThatItIsNone(t *testing.T) {
	if s := fmt.Sprint(Secret("")); s != "" {
		t.Errorf("%q", s)
	}
	if b, _ := json.Marshal(Port{Port: 2}); string(b) != `{"port":2}` {
		t.Errorf("%s", b)
	}
}

func TestSecretIsStillReadable(t *testing.T) {
	var p Port
	if err := json.Unmarshal([]byte(`{"pin":"1234"}`), &p); err != nil || p.PIN != "1234" {
		t.Errorf("%v", err)
	}
}
