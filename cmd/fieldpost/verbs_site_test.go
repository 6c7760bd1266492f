package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem/sim"
)

func tokens(t *testing.T, b *box) {
	b.verb(t, "token", "create", "shop", "--scope", "everything").wants(t, exitUsage, `"everything" is no scope`, "read, send")
	made := inside(t, "", "token", "create", "shop", "--scope", "send,read", "--server", b.url, "--token", b.token).
		wants(t, exitDone, "the only time")
	secret := strings.TrimSpace(made.out)
	if strings.ContainsAny(secret, " \n") || len(secret) < 20 {
		t.Fatalf("standard output is not the token alone: %q", made.out)
	}
	call := func(args ...string) ran {
		return inside(t, "", append(args, "--server", b.url, "--token", secret)...)
	}
	call("status").wants(t, exitDone, "site test")
	call("campaign", "add", "mine", "--provider", "bank").wants(t, exitFault, "scope campaigns", "hint: ", "--token")
	for _, r := range []ran{b.verb(t, "token"), b.verb(t, "token", "--json"), call("status", "--json"), call("queue", "--json")} {
		if r.wants(t, exitDone); strings.Contains(r.out+r.err, secret) {
			t.Errorf("the token is shown again:\n%s", r.out)
		}
	}
	if strings.Contains(b.logged(), secret) {
		t.Error("the token is in the log")
	}
	b.verb(t, "token", "revoke", "nobody").wants(t, exitFault, `no token is "nobody"`)
	b.verb(t, "token", "revoke", "shop").wants(t, exitDone, "token shop is revoked")
	call("status").wants(t, exitFault, "the token is not known, or was revoked", "hint: ")
}

// logged gives the daemon's log so far.
func (b *box) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

func statuses(t *testing.T, b *box) {
	r := b.verb(t, "status").wants(t, exitDone, "DIALER", "bulk", "CHANNEL", "bank/1")
	low := "  - the balance of SIM " + b.bank.Modems[0].Card().ICCID() + " in bank/0 is 42 (low)\n"
	if strings.Contains(strings.ReplaceAll(r.out, low, ""), "  - ") { // which it is since its balance was asked for
		t.Errorf("something is wrong on a box where nothing is:\n%s", r.out)
	}
	b.bank.Modems[1].Unplug()
	until(t, "channel bank/1 away", func() bool {
		s, err := b.Site(t.Context())
		return err == nil && s.Channels.Ready == 1
	})
	lines := strings.Split(b.verb(t, "status").wants(t, exitDone).out, "\n")
	if !strings.HasPrefix(lines[1], "  - channel bank/1 is absent: ") {
		t.Errorf("the second line does not say what is wrong: %q", lines)
	}
	must(t, b.bank.Modems[1].Replug())
	var o overview
	b.json(t, &o, "status")
	if o.Site.Site != "test" || len(o.Dialers) != 1 || len(o.Channels) != 2 {
		t.Errorf("status --json: %+v", o)
	}
}

func completes(t *testing.T, b *box) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"dialer start |", []string{"bulk"}},
		{"dialer stop b|", []string{"bulk"}},
		{"dialer stop x|", nil},
		{"dialer stop bulk |", nil},
		{"dialer delete-unprocessed |", []string{"bulk"}},
		{"channels reset |", []string{"bank/0", "bank/1"}},
		{"channels ussd bank/1|", []string{"bank/1"}},
		{"sims hold |", []string{b.bank.Modems[0].Card().ICCID(), b.bank.Modems[1].Card().ICCID()}},
		{"sims hold 8959 |", nil},
		{"send 099 hello --campaign |", []string{"orders", "bulk"}},
		{"upload x.csv --campaign o|", []string{"orders"}},
		{"queue --campaign b|", []string{"bulk"}},
		{"campaign add x --provider |", []string{"bank"}},
		{"campaign add x --unknown-policy |", []string{"hold", "resend"}},
		{"queue --status |", statusWords()},
		{"queue resolve 1 |", []string{"sent", "failed", "queued"}},
		{"token create x --scope |", []string{"read", "send", "campaigns", "blacklist", "providers", "admin"}},
		{"simulate modems --vendor |", []string{"generic", "huawei", "quectel", "simcom"}},
	} {
		typed := strings.Split(strings.TrimSuffix(c.args, "|"), " ")
		args := append([]string{"__complete"}, typed[:len(typed)-1]...)
		if !strings.HasPrefix(c.args, "simulate") {
			args = slices.Insert(args, 2, "--server", b.url, "--token", b.token)
		}
		r := inside(t, "", append(args, typed[len(typed)-1])...)
		got := strings.Split(strings.TrimSpace(r.out), "\n")
		got = slices.DeleteFunc(got[:len(got)-1], func(s string) bool { return s == "" }) // the last line is for the shell
		if !slices.Equal(got, c.want) {
			t.Errorf("%s completes to %q, want %q\n%s", c.args, got, c.want, r.err)
		}
	}
	r := inside(t, "", "__complete", "dialer", "--server", "http://127.0.0.1:1", "start", "")
	if r.code != exitDone || !strings.HasPrefix(r.out, ":") {
		t.Errorf("without a daemon it completes to %q", r.out)
	}
}

// jsonOf is a command line for each verb that has --json.
var jsonOf = map[string]string{
	"fieldpost status":                    "status",
	"fieldpost send":                      "send 099123461 hello --campaign orders",
	"fieldpost upload":                    "upload - --campaign bulk",
	"fieldpost queue":                     "queue",
	"fieldpost queue cancel":              "queue cancel @held",
	"fieldpost queue resolve":             "", // doubts
	"fieldpost explain":                   "explain 1",
	"fieldpost channels":                  "channels",
	"fieldpost channels reset":            "channels reset bank/0",
	"fieldpost channels ussd":             "channels ussd bank/1 *100#",
	"fieldpost channels trace":            "channels trace bank/0",
	"fieldpost channels control":          "", // of a gateway: TestVerbsOfAGateway
	"fieldpost channels device":           "",
	"fieldpost channels calls":            "",
	"fieldpost sims":                      "sims",
	"fieldpost sims show":                 "sims show @sim",
	"fieldpost sims hold":                 "sims hold @sim lent",
	"fieldpost sims release":              "sims release @sim",
	"fieldpost sims confirm":              "", // a swap: TestASwappedCardWaitsForAPerson
	"fieldpost sims balance":              "sims balance @sim",
	"fieldpost blacklist":                 "blacklist",
	"fieldpost blacklist add":             "blacklist add 098344490",
	"fieldpost blacklist remove":          "blacklist remove 098344490",
	"fieldpost blacklist upload":          "blacklist upload -",
	"fieldpost blacklist review":          "blacklist review",
	"fieldpost blacklist decide":          "blacklist decide 1 stop",
	"fieldpost campaign":                  "campaign",
	"fieldpost campaign add":              "campaign add more --provider bank",
	"fieldpost dialer":                    "dialer",
	"fieldpost dialer add":                "dialer add extra --provider bank --dial-string 0",
	"fieldpost dialer start":              "dialer start extra",
	"fieldpost dialer stop":               "dialer stop extra",
	"fieldpost dialer delete-unprocessed": "dialer delete-unprocessed extra --yes",
	"fieldpost token":                     "token",
	"fieldpost token create":              "", // its output is a secret: TestVerbs/token
	"fieldpost token revoke":              "token revoke @token",
	"fieldpost version":                   "", // without a box: TestJSONWithoutADaemon
	"fieldpost check-config":              "",
	"fieldpost detect":                    "", // it asks the ports of the machine
	"fieldpost bench":                     "", // it takes minutes
}

func printsJSON(t *testing.T, b *box) {
	b.ready(t)
	var held client.Accepted
	b.json(t, &held, "send", "099123462", "later", "--campaign", "orders", "--in", "9h")
	k, err := b.CreateToken(t.Context(), client.Token{Name: "brief", Scopes: []string{"read"}})
	must(t, err)
	left := map[string]bool{}
	each(newRoot(terminal{}), func(cmd *cobra.Command) {
		if cmd.Flag("json") != nil || cmd.InheritedFlags().Lookup("json") != nil {
			left[cmd.CommandPath()] = true
		}
	})
	order := []string{
		"status", "send", "upload", "queue", "queue cancel", "explain", "channels", "channels ussd", "channels trace", "sims", "sims show", "sims hold", "sims release", "sims balance",
		"channels reset", "blacklist add", "blacklist", "blacklist review", "blacklist decide",
		"blacklist remove", "blacklist upload", "campaign add", "campaign", "dialer add", "dialer", "dialer start", "dialer stop",
		"dialer delete-unprocessed", "token", "token revoke",
	}
	file := map[string]string{"upload": "bulk;098344491;hi;1\n", "blacklist upload": "098344492;bulk\n"}
	for _, path := range order {
		line := strings.NewReplacer("@held", held.ID, "@token", k.ID, "@sim", b.bank.Modems[0].Card().ICCID()).Replace(jsonOf["fieldpost "+path])
		r := b.fed(t, file[path], append(strings.Fields(line), "--json")...).wants(t, exitDone)
		if !json.Valid([]byte(r.out)) {
			t.Errorf("%s --json is no JSON: %q", line, r.out)
		}
		delete(left, "fieldpost "+path)
	}
	for path := range left {
		if line, known := jsonOf[path]; !known || line != "" {
			t.Errorf("%s has --json and nobody tries it", path)
		}
	}
}

// attacks sends what a stranger could send in, and looks at it with every verb.
// The control characters are looked for in all that a verb says: see fed.
func attacks(t *testing.T, b *box) {
	const (
		worst = "pay \x1b[2J\x1b]0;owned\x07 now\r\n\u202egnp.exe\u2066\u009b2K"
		evil  = "pay\r\f\t\n\u202egnp.exe\u2066 now" // what a text may hold
	)
	b.verb(t, "send", "099123463", worst, "--campaign", "orders").wants(t, exitFault, "text: has the control character")
	var a client.Accepted
	b.json(t, &a, "send", "099123463", evil, "--campaign", "orders", "--in", "9h", "--data", evil, "--agent", evil)
	m, err := b.Message(t.Context(), a.ID)
	must(t, err)
	if m.Text != evil {
		t.Errorf("the text was changed: %q", m.Text)
	}
	r := b.verb(t, "explain", a.ID).wants(t, exitDone, "pay")
	if head := strings.SplitN(r.out, "\n", 3); len(head) != 3 || !strings.HasPrefix(head[1], "to +59899123463") || !strings.Contains(head[1], "gnp.exe") {
		t.Errorf("the text leaves its line:\n%q", r.out)
	}
	b.verb(t, "queue").wants(t, exitDone, a.ID)
	b.verb(t, "queue", "--json")
	b.verb(t, "explain", a.ID, "--json")
	for _, what := range []string{evil, worst} {
		b.verb(t, "send", what, "hello", "--campaign", "orders").wants(t, exitFault)
		b.verb(t, "send", "099123463", "hello", "--campaign", what).wants(t, exitFault)
		b.verb(t, "explain", what).wants(t, exitFault)
		b.verb(t, "channels", "reset", what).wants(t, exitFault)
		b.verb(t, "blacklist", "add", what).wants(t, exitFault)
		b.verb(t, "dialer", "start", what).wants(t, exitFault)
		b.verb(t, "upload", what, "--campaign", "bulk").wants(t, exitFault)
		b.verb(t, "queue", what).wants(t, exitUsage)
		b.verb(t, what).wants(t, exitUsage)
	}
	b.fed(t, "bulk;\"\x1b[2J\u202e\r\nx\";hi;1\nbulk;091;hi;\x1b[2J\u202e\n\x1b[2J\n", "upload", "-", "--campaign", "bulk", "--id", "evil")
	b.verb(t, "queue", "--upload", "evil", "--status", "queued,invalid,blocked")
}

func keepsSecrets(t *testing.T, b *box) {
	if strings.Contains(b.said.String(), b.token) {
		t.Error("a verb printed the admin token")
	}
	if strings.Contains(b.logged(), b.token) {
		t.Error("the daemon logged the admin token")
	}
	if strings.Contains(b.logged(), "in doubt") || strings.Contains(b.logged(), "99123460") {
		t.Error("the daemon logged a text or a whole number")
	}
}

func TestTokenOfTheEnvironmentIsNotInTheHelp(t *testing.T) {
	t.Setenv("FIELDPOST_TOKEN", "fp_secret")
	if r := inside(t, "", "status", "--help").wants(t, exitDone, "FIELDPOST_TOKEN"); strings.Contains(r.out, "fp_secret") {
		t.Errorf("the help shows it:\n%s", r.out)
	}
}

func TestAdminTokenNeverLeavesTheBox(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "admin.token"), []byte("local\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "own"), []byte("own\n"), 0o600))
	c := config.Default()
	c.Storage.Path = filepath.Join(dir, "spool.db")
	c.HTTP.Listen = []string{"192.0.2.7:8080", "0.0.0.0:8081"}
	for _, k := range []struct {
		s    server
		want string
	}{
		{server{url: "http://127.0.0.1:8080"}, "local"},
		{server{url: "http://[::1]:8080"}, "local"},
		{server{url: "http://localhost:1"}, "local"},
		{server{url: "http://192.0.2.7:8080"}, "local"},
		{server{url: "http://192.0.2.7:9090"}, ""},
		{server{url: "http://192.0.2.8:8080"}, ""},
		{server{url: "http://127.0.0.1.example.com:8080"}, ""},
		{server{url: "http://192.0.2.8:8080", tokenFile: filepath.Join(dir, "own")}, "own"},
		{server{url: "http://192.0.2.8:8080", token: "given", tokenFile: filepath.Join(dir, "own")}, "given"},
	} {
		if got, err := k.s.secret(c); err != nil || got != k.want {
			t.Errorf("%s is called with %q, %v; want %q", k.s.url, got, err, k.want)
		}
	}
}

func TestVerbsFindTheDaemonWhereItsConfigurationSays(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", ":9000": "127.0.0.1:9000", "0.0.0.0:9000": "127.0.0.1:9000",
		"[::]:9000": "127.0.0.1:9000", "192.0.2.7:80": "192.0.2.7:80", "[2001:db8::1]:80": "[2001:db8::1]:80",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s is called at %s, want %s", listen, got, want)
		}
	}
	path := site(t, newBank(t, sim.BankOptions{Modems: 1}))
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, []byte(strings.Replace(string(b), "127.0.0.1:0", "127.0.0.1:1", 1)), 0o600))
	inside(t, "", "status", "--config", path).wants(t, exitFault, "no connection to http://127.0.0.1:1")
}
