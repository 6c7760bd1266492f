package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
)

func TestCleanKeepsTheCursorWhereItIs(t *testing.T) {
	in := "hola \x1b[2Jadiós\r\x07 \u202Eoculto\u0000 línea\ndos"
	got := clean(in)
	for _, bad := range []string{"\x1b", "\r", "\x07", "\u202E", "\u0000"} {
		if strings.Contains(got, bad) {
			t.Errorf("clean(%q) = %q still holds %q", in, got, bad)
		}
	}
	if !strings.Contains(got, "adiós") || !strings.Contains(got, "\ndos") {
		t.Errorf("clean(%q) = %q lost text", in, got)
	}
}

func TestCellStaysOnOneLine(t *testing.T) {
	if got := cell("a\nb\tc"); got != "a b c" {
		t.Errorf("cell = %q", got)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 1<<64 - 1: "16.0 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		part, whole uint64
		want        string
	}{{0, 0, "[....]"}, {0, 9, "[....]"}, {5, 10, "[##..]"}, {10, 10, "[####]"}, {11, 10, "[####]"}} {
		if got := bar(c.part, c.whole, 4); got != c.want {
			t.Errorf("bar(%d, %d) = %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

func TestViewInAPipePrintsPlainLinesNowAndThen(t *testing.T) {
	var out bytes.Buffer
	v := newView(&out)
	at := time.Unix(0, 0)
	v.show(at, []string{"picture"}, "one", false)
	v.show(at.Add(time.Second/2), []string{"picture"}, "too early", false)
	v.show(at.Add(time.Second), []string{"picture"}, "two", false)
	v.show(at.Add(time.Second), []string{"picture"}, "last", true)
	if got := out.String(); got != "one\ntwo\nlast\n" {
		t.Errorf("printed %q", got)
	}
}

func TestViewOnATerminalMovesInPlace(t *testing.T) {
	var out bytes.Buffer
	v := &view{w: &out, inPlace: true, size: func() (int, int) { return 0, 0 }}
	v.show(time.Time{}, []string{"a", "b"}, "", false)
	out.Reset()
	v.show(time.Time{}, []string{"c"}, "", false)
	// Two lines up, one drawn, one erased: the picture stays where it was.
	if got := out.String(); got != "\x1b[2A\x1b[2Kc\n\x1b[2K\n" {
		t.Errorf("drew %q", got)
	}
}

func TestJSONForAScriptMovesNoCursorEither(t *testing.T) {
	in := "a\x1b[2J\u202e\u009b\x7f\n<&> ñ 🙂"
	var out bytes.Buffer
	must(t, printJSON(&out, map[string]string{"text": in}))
	if bad := control.FindString(out.String()); bad != "" {
		t.Errorf("%q holds %q", out.String(), bad)
	}
	var back map[string]string
	must(t, json.Unmarshal(out.Bytes(), &back))
	if back["text"] != in {
		t.Errorf("it comes back as %q", back["text"])
	}
	if !strings.Contains(out.String(), "<&> ñ 🙂") {
		t.Errorf("it escapes what is harmless: %q", out.String())
	}
}

func TestViewNeverDrawsMoreThanTheTerminalShows(t *testing.T) {
	small := func() (int, int) { return 10, 4 }
	got := fit([]string{"a line that is long", "b", "c", "d", "e"}, small)
	want := []string{"a line tha", "b", "... and 3 "}
	if !slices.Equal(got, want) {
		t.Errorf("fit = %q, want %q", got, want)
	}
	if got := fit([]string{"a", "b", "c"}, small); len(got) != 3 {
		t.Errorf("a picture that fits was cut to %q", got)
	}
}

// What comes from a network, a device or another box may hold anything.
func TestNothingThatAVerbShowsMovesTheCursor(t *testing.T) {
	const evil = "a\x1b[2J\r\n\tb\u202e\u009b\x07"
	ch := client.Channel{ID: evil, State: evil, Operator: evil, ICCID: evil, Model: evil, Reason: evil}
	m := client.Message{ID: "1", Campaign: evil, To: evil, Text: evil, Status: "unknown", Reason: evil, Channel: evil}
	d := client.Dialer{Name: evil, Reasons: []string{evil}}
	for name, show := range map[string]func(terminal) error{
		"channels": func(x terminal) error { return printChannels(x, []client.Channel{ch}) },
		"queue": func(x terminal) error {
			return printMessages(x, client.Page[client.Message]{Items: []client.Message{m}})
		},
		"explain": func(x terminal) error {
			return printExplanation(x, m, client.Explanation{ID: "1", Status: "unknown", Reasons: []string{evil}},
				client.Timeline{Steps: []client.Transition{{Status: "sent", Channel: evil, Code: evil, Text: evil}}})
		},
		"upload": func(x terminal) error {
			return printUpload(x, false, client.Upload{Upload: evil, Accepted: 1, RejectedTotal: 1, Rejected: []client.BadLine{{Line: 1, Reason: evil}}})
		},
		"status": func(x terminal) error {
			return printOverview(x, overview{
				Site: client.Site{Site: evil, Version: evil, State: evil, Reasons: []string{evil}}, Channels: []client.Channel{ch},
				Dialers: []client.Dialer{d}, Counters: []client.Counters{{NotProcessed: 1}},
			})
		},
		"dialer":   func(x terminal) error { return printDialer(x, &server{}, d) },
		"send":     func(x terminal) error { (&sendFlags{}).result(x, m); return nil },
		"canceled": func(x terminal) error { return printChanged(x, &server{}, m, nil) },
		"said":     func(x terminal) error { return (&server{}).said(x, "%s", evil) },
	} {
		var out bytes.Buffer
		must(t, show(terminal{out: &out, err: &out}))
		if bad := control.FindString(out.String()); bad != "" {
			t.Errorf("%s shows %q:\n%q", name, bad, out.String())
		}
		if strings.Contains(out.String(), "\n\tb") || strings.Contains(out.String(), "\nb") {
			t.Errorf("%s lets a value leave its line:\n%q", name, out.String())
		}
	}
}
