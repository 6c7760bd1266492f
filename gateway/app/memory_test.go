package app

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fieldpost/gateway"
)

// own leaves messages of somebody else's in a SIM: they are not the daemon's to delete.
func own(t *testing.T, path string, n int) {
	t.Helper()
	tty, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	defer tty.Close()
	said := make([]byte, 0, 4096)
	until := func(what string) {
		for !bytes.Contains(said, []byte(what)) {
			n, err := tty.Read(said[len(said):cap(said)])
			must(t, err)
			said = said[:len(said)+n]
		}
		said = said[:0]
	}
	fmt.Fprint(tty, "ATE0\r")
	until("OK")
	fmt.Fprint(tty, "AT+CMGF=0\r")
	until("OK")
	for range n {
		fmt.Fprint(tty, "AT+CMGW=17\r")
		until("> ")
		fmt.Fprint(tty, "0021000B919598193254F6000004C8373B0C\x1a")
		until("OK")
	}
}

// A SIM that fills up and does not empty is an alarm in the event stream: nothing else
// tells that messages no longer come in.
func TestAFullSIMIsShownAndRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{})
	own(t, h.bank.Device(0), 15)
	h.start()
	h.ready(1)
	if c := h.channel(0); c.Stored == nil || *c.Stored != 15 || c.Storage != 20 {
		t.Errorf("the channel is %+v", c)
	}
	eventually(t, "the alarm is in the event stream", func() bool {
		events, err := h.app.spool.Events(0, 1000)
		must(t, err)
		return slices.ContainsFunc(events, func(e gateway.Event) bool {
			return e.Kind == gateway.EventAlarm && strings.Contains(string(e.Body), "channel bank/0: the memory SM holds 15 messages of 20")
		})
	})
	trace, err := h.ChannelTrace(t.Context(), "bank/0")
	must(t, err)
	if !strings.Contains(strings.Join(trace.Lines, "\n"), `< +CPMS: "SM",15,20`) {
		t.Errorf("the trace is %q", trace.Lines)
	}
}
