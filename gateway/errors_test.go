package gateway

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKindsHaveOneWordEach(t *testing.T) {
	want := []string{"invalid", "unauthorized", "forbidden", "not_found", "conflict", "throttled",
		"unavailable", "refused", "unknown_outcome", "internal"}
	kinds := Kinds()
	if len(kinds) != len(want) {
		t.Fatalf("%d kinds, want %d", len(kinds), len(want))
	}
	for i, k := range kinds {
		back, ok := ParseKind(k.String())
		if k.String() != want[i] || back != k || !ok {
			t.Errorf("kind %d is %q and reads back as %d", k, k, back)
		}
	}
	if k, ok := ParseKind("nonsense"); ok || k != KindInternal || Kind(200).String() != "internal" {
		t.Error("a kind that nobody knows is not internal")
	}
}

func TestErrorSaysFieldTextAndCode(t *testing.T) {
	for want, e := range map[string]*Error{
		"text: is empty":                   Invalid("text", "is empty"),
		"no network (CMS 331)":             {Kind: KindUnavailable, Text: "no network", Code: "CMS 331"},
		"unavailable":                      {Kind: KindUnavailable},
		"port: ports are 0 to 31 (E7)":     {Kind: KindInvalid, Field: "port", Text: "ports are 0 to 31", Code: "E7"},
		"reading the port: unexpected EOF": Errorf(KindUnavailable, "reading the port: %w", io.ErrUnexpectedEOF),
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

func TestErrorKeepsItsKindAndCause(t *testing.T) {
	err := fmt.Errorf("sending: %w", Errorf(KindThrottled, "the port is full: %w", io.ErrShortWrite))
	if KindOf(err) != KindThrottled || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%s, cause lost: %v", KindOf(err), !errors.Is(err, io.ErrShortWrite))
	}
	if KindOf(nil) != KindNone || KindOf(io.EOF) != KindInternal {
		t.Errorf("%s, %s", KindOf(nil), KindOf(io.EOF))
	}
}
