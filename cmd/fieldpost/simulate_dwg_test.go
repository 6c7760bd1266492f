package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/dwg"
)

// dwgHost hears when the driver listens and when a port is ready.
type dwgHost struct {
	modem.Host
	listens, ready chan struct{} // capacity 1
}

func (h dwgHost) Channel(c gateway.Channel) {
	told := h.listens
	switch {
	case c.Port != 0:
		return
	case c.State == gateway.ChannelReady:
		told = h.ready
	}
	select {
	case told <- struct{}{}:
	default:
	}
}

func TestSimulateDWGDialsInAndKeepsTheLedger(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d, err := dwg.New(dwg.Options{URL: "tcp://127.0.0.1:0", User: "box", Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	h := dwgHost{listens: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
	done := make(chan error, 2)
	go func() { done <- d.Run(ctx, h) }()
	<-h.listens
	path := filepath.Join(t.TempDir(), "air.jsonl")
	var out bytes.Buffer
	go func() {
		code := execute(ctx, terminal{in: strings.NewReader(""), out: &out, err: io.Discard}, []string{"simulate", "dwg", "--connect",
			d.Addr().String(), "--user", "box", "--password", "s3cret", "--ports", "2", "--latency", "0s", "--ledger", path})
		if code != 0 {
			t.Errorf("it ends with %d", code)
		}
		done <- nil
	}()
	select {
	case <-h.ready:
	case <-ctx.Done():
		t.Fatal("no gateway dialled in")
	}
	if _, err := d.Send(ctx, 0, modem.Submission{To: "+59899123456", Text: "Hola", Segments: 1}); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil || strings.Count(string(raw), "\n") != 1 || !strings.Contains(string(raw), `"Text":"Hola"`) {
		t.Errorf("the ledger has %q (%v)", raw, err)
	}
	if s := out.String(); strings.Contains(s, "s3cret") || !strings.Contains(s, "port 1  iccid ") || !strings.Contains(s, "on the air: 1 segment, 1 message complete") {
		t.Errorf("it says %q", s)
	}
}

func TestSimulateDWGNamesABadFlag(t *testing.T) {
	for flag, args := range map[string]string{
		"--connect": "--connect nowhere", "--ports": "--connect 127.0.0.1:1 --ports 33", "--user": "--connect 127.0.0.1:1 --user=",
		"--password": "--connect 127.0.0.1:1 --password 12345678901234567", "--lose": "--connect 127.0.0.1:1 --lose 2",
		"--refuse": "--connect 127.0.0.1:1 --refuse -1", "--latency": "--connect 127.0.0.1:1 --latency -1s",
	} {
		var out bytes.Buffer
		code := execute(t.Context(), terminal{in: strings.NewReader(""), out: io.Discard, err: &out}, append([]string{"simulate", "dwg"}, strings.Fields(args)...))
		if code == 0 || !strings.Contains(out.String(), flag+":") {
			t.Errorf("%s ends with %d and says %q", args, code, out.String())
		}
	}
}
