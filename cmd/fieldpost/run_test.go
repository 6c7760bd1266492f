package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// site writes a configuration with the modems of a bank, and gives its path.
func site(t *testing.T, bank *sim.Bank) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, "version = 1\n[site]\nid = \"test\"\nregion = \"UY\"\n[storage]\npath = %q\n[http]\nlisten = \"127.0.0.1:0\"\n",
		filepath.Join(dir, "spool.db"))
	b.WriteString("[[operator]]\nname = \"Simtel\"\nnetworks = \"74807\"\n[operator.balance]\ncode = \"*100#\"\npattern = \"Balance: ([0-9.]+)\"\nlow = 50\n")
	b.WriteString("[[provider]]\nname = \"bank\"\ntype = \"GSM\"\nreport = true\n")
	for port := range bank.Modems {
		fmt.Fprintf(&b, "[[provider.port]]\nport = %d\ndevice = %q\n", port, bank.Device(port))
	}
	path := filepath.Join(dir, "fieldpost.toml")
	must(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func newBank(t *testing.T, o sim.BankOptions) *sim.Bank {
	t.Helper()
	bank, err := sim.NewBank(o)
	must(t, err)
	t.Cleanup(func() { must(t, bank.Close()) })
	return bank
}

// address reads where a daemon listens from its log.
func address(t *testing.T, line string) string {
	t.Helper()
	_, rest, ok := strings.Cut(line, "listen=[")
	at, _, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		t.Fatalf("no address in %q", line)
	}
	return "http://" + at
}

func TestRunStopsInOrderAtTheFirstSignal(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			path := site(t, newBank(t, sim.BankOptions{Modems: 1}))
			p := live(t, "run", "--config", path)
			p.await("msg=ready")
			token := filepath.Join(filepath.Dir(path), "admin.token")
			if _, err := os.Stat(token); err != nil {
				t.Errorf("a daemon that runs has no token for the verbs: %v", err)
			}
			p.signal(s)
			p.end().wants(t, exitDone, "msg=stopping")
			if _, err := os.Stat(token); err == nil {
				t.Error("a daemon that stopped left its token")
			}
		})
	}
}

func TestSecondSignalIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	bank := newBank(t, sim.BankOptions{Modems: 1})
	hit, never := make(chan struct{}), make(chan struct{})
	defer close(never)
	bank.Modems[0].Inject(sim.Fault{At: 1, Do: sim.Late, Until: never, Hit: hit})
	p := live(t, "run", "--config", site(t, bank))
	c, err := client.New(client.Options{BaseURL: address(t, p.await("msg=ready")), Token: adminToken(t, p)})
	must(t, err)
	defer c.Close()
	_, err = c.CreateCampaign(t.Context(), client.Campaign{Name: "orders", Provider: "bank"})
	must(t, err)
	_, err = c.Send(t.Context(), client.NewMessage{To: "099123456", Text: "hello", Campaign: "orders"})
	must(t, err)
	<-hit
	p.signal(syscall.SIGTERM)
	p.await("msg=stopping")
	p.signal(syscall.SIGTERM)
	// An orderly stop would have waited for the modem and said nothing of a hurry.
	p.end().wants(t, exitFault, "stopped in a hurry")
}

// adminToken reads the token of a daemon that was started with run --config.
func adminToken(t *testing.T, p *living) string {
	t.Helper()
	args := p.cmd.Args
	b, err := os.ReadFile(filepath.Join(filepath.Dir(args[len(args)-1]), "admin.token"))
	must(t, err)
	return strings.TrimSpace(string(b))
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.toml")
	must(t, os.WriteFile(bad, []byte("version = 1\n[site]\nid = \"x y\"\nregion = \"UY\"\nzone = 1\n[[provider]]\nname = \"bank\"\ntype = \"GSM\"\n[[provider.port]]\nport = 77\n"), 0o600))
	missing := filepath.Join(dir, "missing.toml")
	whole := []string{"bad.toml:3: site.id:", "bad.toml:5: site.zone:", "bad.toml:10: provider.port.port:"}
	for _, c := range []struct {
		args  string
		code  int
		wants []string
	}{
		{"version", exitDone, []string{"fieldpost " + version}},
		{"", exitDone, []string{"Usage:"}},
		{"simulate", exitDone, []string{"modems"}},
		{"status --server http://127.0.0.1:1", exitFault, []string{"no connection to http://127.0.0.1:1", "hint: is the daemon running"}},
		{"upload " + missing + " --campaign x --server http://127.0.0.1:1", exitFault, []string{"FILE: open " + missing}},
		{"status --token-file " + missing, exitFault, []string{"--token-file:"}},
		{"statsu", exitUsage, []string{`no verb "statsu": did you mean status?`, "--help"}},
		{"queue cancle", exitUsage, []string{"did you mean cancel?", "fieldpost queue --help"}},
		{"queue --frob", exitUsage, []string{"unknown flag: --frob; see fieldpost queue --help"}},
		{"explain", exitUsage, []string{"fieldpost explain wants ID"}},
		{"status --server example", exitUsage, []string{"write http://host:port"}},
		{"demo --modems 33", exitUsage, []string{"--modems: is 33"}},
		{"demo --rows 0", exitUsage, []string{"--rows: is 0"}},
		{"demo --latency -1s", exitUsage, []string{"--latency: is -1s"}},
		{"demo --listen 8080", exitUsage, []string{"--listen:"}},
		{"simulate modems --modems 0", exitUsage, []string{"--modems: is 0"}},
		{"simulate modems --vendor nokia", exitUsage, []string{"--vendor:", "quectel"}},
		{"simulate modems --refuse 2", exitUsage, []string{"--refuse: is 2"}},
		{"simulate modems --garble 2", exitUsage, []string{"--garble: is 2"}},
		{"simulate modems --hang 1", exitUsage, []string{"--hang: is 1: a port of 0 to 0, or -1"}},
		{"bench --only x", exitUsage, []string{"--only:"}},
		{"check-config --config " + bad, exitConfig, whole},
		{"run --config " + bad, exitConfig, whole},
		{"run --config " + missing, exitConfig, []string{missing, "hint:", "check-config --example"}},
		{"status --config " + bad, exitConfig, whole},
	} {
		t.Run(c.args, func(t *testing.T) { child(t, strings.Fields(c.args)...).wants(t, c.code, c.wants...) })
	}
}

func TestNoVerbHangsOnAPipeThatIsClosed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--help"},
		{"check-config", "--example"},
		{"version", "--json"},
		{"demo", "--exit", "--rows", "20", "--modems", "1", "--latency", "1ms", "--listen", "127.0.0.1:0", "--dir", t.TempDir()},
	} {
		r, w, err := os.Pipe()
		must(t, err)
		must(t, r.Close())
		cmd := process(t, args...)
		cmd.Stdout = w
		err = cmd.Run()
		must(t, w.Close())
		if exitOf(t, err) == 0 {
			t.Errorf("%v: done, though nobody could read what it said", args)
		}
	}
}

func TestSecondCountsSignalsAndEndsWithItsCaller(t *testing.T) {
	hurry, stop := second(context.Background())
	if hurry.Err() != nil {
		t.Error("in a hurry before any signal")
	}
	stop()
	<-hurry.Done()
}
