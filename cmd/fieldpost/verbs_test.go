package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"fieldpost/gateway/app"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem/sim"
)

// box is a daemon in this process on two simulated modems, and everything that
// the verbs said about it.
type box struct {
	*client.Client
	bank  *sim.Bank
	url   string
	token string

	mu   sync.Mutex
	log  bytes.Buffer
	said bytes.Buffer
}

// Write takes the daemon's log.
func (b *box) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

// newBox starts a box; it ends with the test.
func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{bank: newBank(t, sim.BankOptions{
		Modems:  2,
		Network: sim.NetworkOptions{USSD: map[string]sim.USSD{"*100#": {Text: "Balance: 42.00"}}},
	})}
	b.open(t, site(t, b.bank))
	b.ready(t)
	return b
}

// open starts the daemon of a configuration; it ends with the test.
func (b *box) open(t *testing.T, path string) {
	t.Helper()
	c, err := config.Load(path)
	must(t, err)
	daemon, err := app.New(t.Context(), app.Options{Config: c, Version: "test",
		Logger: slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	must(t, err)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- daemon.Run(ctx, context.Background()) }()
	t.Cleanup(func() {
		b.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended: %v", err)
		}
	})
	b.url = "http://" + daemon.Addresses()[0]
	token, err := os.ReadFile(filepath.Join(filepath.Dir(path), app.AdminTokenFile))
	must(t, err)
	b.token = strings.TrimSpace(string(token))
	b.Client, err = client.New(client.Options{BaseURL: b.url, Token: b.token})
	must(t, err)
}

// control is what a terminal would act on.
var control = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{061c}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]`)

// verb runs a verb against the box. Nothing that it says may move the cursor.
func (b *box) verb(t *testing.T, args ...string) ran {
	t.Helper()
	return b.fed(t, "", args...)
}

// fed is verb with something on its standard input.
func (b *box) fed(t *testing.T, in string, args ...string) ran {
	t.Helper()
	r := inside(t, in, append(slices.Clone(args), "--server", b.url, "--token", b.token)...)
	if bad := control.FindString(r.out + r.err); bad != "" {
		t.Errorf("%q says %q, which a terminal acts on", args, bad)
	}
	b.said.WriteString(r.out + r.err)
	return r
}

// json runs a verb with --json and reads what it prints.
func (b *box) json(t *testing.T, out any, args ...string) {
	t.Helper()
	r := b.verb(t, append(slices.Clone(args), "--json")...).wants(t, exitDone)
	if err := json.Unmarshal([]byte(r.out), out); err != nil {
		t.Fatalf("%q --json: %v in %q", args, err, r.out)
	}
}

// TestVerbs plays a working day on one box: each step is one group of verbs.
func TestVerbs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, step := range []struct {
		name string
		do   func(*testing.T, *box)
	}{
		{"an empty box", emptyBox},
		{"campaign and dialer", lanes},
		{"send", sends},
		{"send at its time", sendsLater},
		{"send with a key", sendsOnce},
		{"queue", queues},
		{"a message in doubt", doubts},
		{"explain", explains},
		{"nothing can send", waits},
		{"blacklist", blocks},
		{"upload", uploads},
		{"dialer cleans up", cleans},
		{"channels", channels},
		{"SIM cards", cards},
		{"token", tokens},
		{"status", statuses},
		{"completion", completes},
		{"json", printsJSON},
		{"a text that attacks the screen", attacks},
		{"no secret is told", keepsSecrets},
	} {
		t.Run(step.name, func(t *testing.T) { step.do(t, b) })
	}
}

func emptyBox(t *testing.T, b *box) {
	b.verb(t, "queue").wants(t, exitDone, "no such message")
	b.verb(t, "campaign").wants(t, exitDone, "campaign add")
	b.verb(t, "dialer").wants(t, exitDone, "dialer add")
	b.verb(t, "token").wants(t, exitDone, "token create")
	b.verb(t, "blacklist").wants(t, exitDone, "no such number")
	b.verb(t, "status").wants(t, exitDone, "site test is ready", "0 messages waiting, 0 unknown; 2 of 2 channels ready", "no dialer")
}

func lanes(t *testing.T, b *box) {
	b.verb(t, "campaign", "add", "orders").wants(t, exitUsage, "--provider: is missing")
	b.verb(t, "campaign", "add", "orders", "--provider", "nobody").wants(t, exitFault, "nobody", "bank")
	b.verb(t, "campaign", "add", "orders", "--provider", "bank", "--unknown-policy", "x").wants(t, exitUsage, "hold, resend")
	b.verb(t, "campaign", "add", "orders", "--provider", "bank").wants(t, exitDone, "campaign orders sends through bank")
	b.verb(t, "campaign", "add", "orders", "--provider", "bank").wants(t, exitFault, "orders")
	b.verb(t, "campaign").wants(t, exitDone, "orders")

	b.verb(t, "dialer", "add", "bulk", "--provider", "bank", "--dial-string", "9-").wants(t, exitFault, "dial_string")
	b.verb(t, "dialer", "add", "bulk", "--provider", "bank", "--dial-string", "0,1", "--interval", "-1s").wants(t, exitUsage, "--interval")
	b.verb(t, "dialer", "add", "bulk", "--provider", "bank", "--dial-string", "0,1", "--dncr").wants(t, exitDone, "dialer bulk is stopped")
	b.verb(t, "dialer", "start", "bulk").wants(t, exitDone, "dialer bulk is started, through bank 0,1")
	b.verb(t, "dialer", "stop", "bulk").wants(t, exitDone, "dialer bulk is stopped")
	b.verb(t, "dialer", "start", "nobody").wants(t, exitFault, `"nobody"`)
	b.verb(t, "dialer").wants(t, exitDone, "bulk", "0,1")
}

func sends(t *testing.T, b *box) {
	b.verb(t, "send", "099123456", "hello").wants(t, exitUsage, "--campaign: is missing")
	b.verb(t, "send", "099123456", "hello", "--campaign", "nobody").wants(t, exitFault, `"nobody"`)
	b.verb(t, "send", "abc", "hello", "--campaign", "orders").wants(t, exitFault, "to: has 'a'")
	b.verb(t, "send", "099123456", "hello", "--campaign", "orders", "--wait").wants(t, exitDone, "1 ", "bank/")
	b.fed(t, "from a pipe\n", "send", "099123457", "-", "--campaign", "orders", "--wait").wants(t, exitDone, "2 ")
	if b.bank.Network.Copies()[sim.Copy{To: "+59899123457", Text: "from a pipe"}] != 1 {
		t.Errorf("the text of standard input is not on the air: %v", b.bank.Network.Messages())
	}
	b.fed(t, strings.Repeat("x", maxText+1), "send", "099123457", "-", "--campaign", "orders").wants(t, exitUsage, "TEXT: is longer")
}

func sendsLater(t *testing.T, b *box) {
	for _, c := range [][]string{
		{"--in", "-1h"}, {"--valid-for", "-1h"}, {"--at", "tomorrow"}, {"--until", "x"},
		{"--in", "1h", "--at", "2099-01-02T08:00:00Z"}, {"--valid-for", "1h", "--until", "2099-01-02T08:00:00Z"},
	} {
		b.verb(t, append([]string{"send", "099123458", "later", "--campaign", "orders"}, c...)...).wants(t, exitUsage, c[len(c)-2])
	}
	var a client.Accepted
	b.json(t, &a, "send", "099123458", "later", "--campaign", "orders", "--in", "2h", "--valid-for", "1h")
	m, err := b.Message(t.Context(), a.ID)
	must(t, err)
	if m.NotBefore == nil || m.ValidUntil == nil || m.ValidUntil.Sub(*m.NotBefore).Hours() != 1 {
		t.Errorf("--in 2h --valid-for 1h gave %v to %v", m.NotBefore, m.ValidUntil)
	}
	b.verb(t, "send", "099123458", "later", "--campaign", "orders", "--in", "2h", "--wait", "--wait-for", "1ms").
		wants(t, exitFault, "is on disk and still queued", "fieldpost explain")
	b.verb(t, "explain", a.ID).wants(t, exitDone, "message "+a.ID+" is queued", "not due before", "later")
}

func sendsOnce(t *testing.T, b *box) {
	args := []string{"send", "099123459", "once", "--campaign", "orders", "--key", "k1", "--at", "2099-01-02T08:00:00-03:00"}
	var first, again client.Accepted
	b.json(t, &first, args...)
	b.json(t, &again, args...)
	if first.ID != again.ID || first.Repeated || !again.Repeated {
		t.Errorf("one key gave %+v and %+v", first, again)
	}
	b.verb(t, args...).wants(t, exitDone, first.ID+" queued", "sent for before with this key")
	b.verb(t, "send", "099123459", "other", "--campaign", "orders", "--key", "k1").wants(t, exitFault, "idempotency_key")
	b.verb(t, "send", "099123459", "x", "--campaign", "orders", "--key", "k2", "--in", "1h").wants(t, exitUsage, "--key: needs --at")
}
