package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

func queues(t *testing.T, b *box) {
	var page client.Page[client.Message]
	b.json(t, &page, "queue")
	if len(page.Items) != 3 {
		t.Fatalf("%d messages wait, want 3: %+v", len(page.Items), page.Items)
	}
	id := page.Items[0].ID
	b.verb(t, "queue").wants(t, exitDone, id, "orders", "queued")
	b.verb(t, "queue", "--limit", "1").wants(t, exitDone, "there are more")
	b.verb(t, "queue", "--limit", "0").wants(t, exitUsage, "--limit: is 0")
	b.verb(t, "queue", "--limit", "1001").wants(t, exitUsage, "between 1 and 1000")
	b.verb(t, "queue", "--status", "lost").wants(t, exitUsage, `"lost" is no status`, "unknown")
	b.verb(t, "queue", "cancel", id).wants(t, exitDone, id+" canceled")
	b.verb(t, "queue", "cancel", id).wants(t, exitFault, "canceled: only a waiting one")
	b.verb(t, "queue", "cancel", "9999").wants(t, exitFault, "9999")
	b.verb(t, "queue", "resolve", id, "sent").wants(t, exitFault, "no doubt")
	b.verb(t, "queue", "resolve", id, "lost").wants(t, exitUsage, `"lost" is none of them`)
	b.verb(t, "queue", "--status", "canceled").wants(t, exitDone, id, "canceled")
}

// doubts lets each modem swallow answers until a message is in doubt, and decides it.
func doubts(t *testing.T, b *box) {
	for _, m := range b.bank.Modems {
		m.Inject(sim.Fault{Chance: 1, Do: sim.VanishBefore})
	}
	r := b.verb(t, "send", "099123460", "in doubt", "--campaign", "orders", "--wait").wants(t, exitFault, "is unknown: ")
	for _, m := range b.bank.Modems {
		m.Heal()
	}
	id, _, _ := strings.Cut(r.out, " ")
	b.verb(t, "queue", "--status", "unknown").wants(t, exitDone, id)
	b.verb(t, "status").wants(t, exitDone, "\n  - 1 message in doubt: \"fieldpost queue --status unknown\"")
	b.verb(t, "explain", id).wants(t, exitDone, "message "+id+" is unknown", "to +59899123460 for orders", "in doubt",
		"fieldpost queue resolve "+id+" sent")
	b.verb(t, "queue", "resolve", id, "failed").wants(t, exitDone, id+" failed")
	b.verb(t, "explain", id).wants(t, exitDone, "message "+id+" is failed")
	m, err := b.Message(t.Context(), id)
	must(t, err)
	port, err := strconv.Atoi(strings.TrimPrefix(m.Channel, "bank/"))
	must(t, err)
	must(t, b.bank.Modems[port].Replug())
	b.ready(t)
}

// ready waits until both modems can send. A channel that a test takes away must be
// known to be away before.
func (b *box) ready(t *testing.T) {
	t.Helper()
	until(t, "two modems ready", func() bool {
		s, err := b.Site(t.Context())
		return err == nil && s.Channels.Ready == 2
	})
}

func explains(t *testing.T, b *box) {
	until(t, "a report for message 1", func() bool {
		m, err := b.Message(t.Context(), "1")
		return err == nil && m.Status == "delivered"
	})
	r := b.verb(t, "explain", "1").wants(t, exitDone,
		"message 1 is delivered\n", "to +59899123456 for orders, 1 segment of GSM7: hello\n", "tried once", "TIME (UTC)")
	if n := strings.Count(r.out, "TP-ST 0x00"); n != 1 {
		t.Errorf("the report's code is told %d times:\n%s", n, r.out)
	}
	b.verb(t, "explain", "9999").wants(t, exitFault, "no message 9999")
	b.verb(t, "explain", "abc").wants(t, exitFault, "no such message")
}

func blocks(t *testing.T, b *box) {
	b.verb(t, "blacklist", "add", "098344484", "--campaign", "bulk").wants(t, exitDone, "+59898344484 is blocked for bulk")
	b.verb(t, "blacklist", "add", "098344485", "--opt-out").wants(t, exitDone, "+59898344485 is blocked for every campaign")
	b.verb(t, "blacklist", "add", "letters").wants(t, exitFault, "number")
	b.verb(t, "blacklist").wants(t, exitDone, "+59898344484", "bulk", "the customer's wish")
	b.verb(t, "blacklist", "--prefix", "+59898344485", "--limit", "1").wants(t, exitDone, "+59898344485")
	b.verb(t, "blacklist", "--limit", "0").wants(t, exitUsage, "--limit")
	b.verb(t, "send", "098344485", "x", "--campaign", "orders", "--wait").wants(t, exitFault, "is blocked: ")
	b.verb(t, "blacklist", "remove", "098344485").wants(t, exitFault, "the customer opted out", "--opt-in")
	b.verb(t, "blacklist", "remove", "098344485", "--opt-in").wants(t, exitDone, "the opt-out of 098344485 from every campaign is ended")
	b.verb(t, "blacklist", "remove", "098344485", "--opt-in").wants(t, exitFault, "not on this list")
	b.verb(t, "blacklist", "--prefix", "+59898344485").wants(t, exitDone, "no such number is blocked")
	b.verb(t, "blacklist", "add", "098344487").wants(t, exitDone, "is blocked for every campaign")
	b.verb(t, "blacklist", "remove", "098344487", "--opt-in").wants(t, exitFault, "the site blocked this number")
	b.verb(t, "blacklist", "remove", "098344487").wants(t, exitDone, "098344487 is off the list of every campaign")
	b.verb(t, "blacklist", "remove", "098344487").wants(t, exitFault, "not on this list")
	b.verb(t, "blacklist", "review").wants(t, exitDone, "no message waits")
	must(t, b.bank.Network.Deliver(sim.Incoming{From: "+59898344488", To: b.bank.Modems[0].Card().ICCID(), Text: "please stop sending this"}))
	until(t, "the near-miss is listed", func() bool {
		return strings.Contains(b.verb(t, "blacklist", "review").out, "please stop sending this")
	})
	b.verb(t, "blacklist", "decide", "1", "halt").wants(t, exitFault, "wish")
	b.verb(t, "blacklist", "decide", "1", "stop").wants(t, exitDone, "+59898344488 gets no more messages")
	b.verb(t, "blacklist", "decide", "1", "none").wants(t, exitFault, "decided already")
	b.verb(t, "blacklist", "--prefix", "+59898344488").wants(t, exitDone, "the customer's wish", "sms:1 by ")
	b.fed(t, "098344486;bulk\nletters;bulk\n", "blacklist", "upload", "-").wants(t, exitDone, "line 2: ", "1 accepted, 1 rejected")
}

// base has a row of each sort: good, blocked, and bad in two ways.
const base = `bulk;091111111;Hi World;9999
bulk;098344484;blocked;5
bulk;;nobody;1
bulk;092222222;Hi City;8888
bulk;092222223;"open;8888
`

func uploads(t *testing.T, b *box) {
	path := filepath.Join(t.TempDir(), "november.csv")
	must(t, os.WriteFile(path, []byte(base), 0o600))
	b.verb(t, "upload", path).wants(t, exitUsage, "--campaign: is missing")
	b.verb(t, "upload", path+".gone", "--campaign", "bulk").wants(t, exitFault, "FILE: ", "no such file")
	b.verb(t, "upload", t.TempDir(), "--campaign", "bulk").wants(t, exitFault, "is a directory")
	b.verb(t, "upload", path, "--campaign", "bulk", "--id", "november").wants(t, exitDone,
		"line 3: destination: is missing\n", "line 5: a quote is opened", "upload november: 3 accepted, 2 rejected")
	b.verb(t, "upload", path, "--campaign", "bulk", "--id", "november").wants(t, exitDone, "upload november: 3 accepted")
	b.fed(t, "bulk;093333333;Hi;1\n", "upload", "-", "--campaign", "bulk", "--id", "pipe").wants(t, exitDone, "1 accepted, 0 rejected")
	b.fed(t, "bulk;;Hi;1\n", "upload", "-", "--campaign", "bulk", "--id", "useless").wants(t, exitFault, "line 1: ", "no row that can be used")
	b.fed(t, "", "upload", "-", "--campaign", "bulk").wants(t, exitFault, "empty")
	b.fed(t, "bulk;0983x4484;Hi;1\n", "upload", "-", "--campaign", "bulk", "--id", "typo").wants(t, exitFault,
		"1 accepted (1 of them with an invalid number: fieldpost queue --status invalid --upload typo), 0 rejected", "no row that can be used")
	b.verb(t, "queue", "--status", "invalid", "--upload", "typo").wants(t, exitDone, "invalid", "destination: has 'x'")
	var page client.Page[client.Message]
	b.json(t, &page, "queue", "--upload", "november", "--status", "queued,blocked", "--oldest")
	if len(page.Items) != 3 || page.Items[0].Text != "Hi World" {
		t.Errorf("the base has %d rows in the spool: %+v", len(page.Items), page.Items)
	}
}

func cleans(t *testing.T, b *box) {
	b.verb(t, "status").wants(t, exitDone, "\n  - dialer bulk is stopped with 4 rows waiting: \"fieldpost dialer start bulk\"")
	b.verb(t, "dialer", "delete-unprocessed", "bulk").wants(t, exitUsage, "--yes: is missing")
	b.verb(t, "dialer", "delete-unprocessed", "bulk", "--yes").wants(t, exitDone, "5 rows removed")
}

func channels(t *testing.T, b *box) {
	b.verb(t, "channels").wants(t, exitDone, "bank/0", "bank/1", "ready", "Simnet", "dBm")
	b.verb(t, "channels", "ussd", "bank/0", "*100#").wants(t, exitDone, "Balance: 42.00\n")
	b.verb(t, "channels", "trace", "bank/0").wants(t, exitDone, "nothing went wrong", "< +CUSD: 0,\"", "> AT+CUSD=1,\"*****\"")
	b.verb(t, "channels", "trace", "bank/7").wants(t, exitFault, `no channel "bank/7"`)
	b.verb(t, "channels", "ussd", "bank/0", "balance").wants(t, exitFault, "code")
	r := b.verb(t, "channels", "ussd", "bank/7", "*100#").wants(t, exitFault, `no channel "bank/7"`)
	if strings.Contains(r.err, "daemon running") {
		t.Errorf("a daemon that answers is asked after: %s", r.err)
	}
	b.verb(t, "channels", "reset", "bank/7").wants(t, exitFault, "bank/7")
	before, err := b.Channel(t.Context(), "bank/1")
	must(t, err)
	b.verb(t, "channels", "reset", "bank/1").wants(t, exitDone, "bank/1 restarts")
	until(t, "channel bank/1 away", func() bool {
		now, err := b.Channel(t.Context(), "bank/1")
		return err == nil && !now.Since.Equal(*before.Since)
	})
	b.ready(t)
}

// waits makes both ways be gone at once: explain names each, a line each.
func waits(t *testing.T, b *box) {
	for _, m := range b.bank.Modems {
		m.Unplug()
	}
	until(t, "no modem", func() bool {
		s, err := b.Site(t.Context())
		return err == nil && s.Channels.Ready == 0
	})
	var a client.Accepted
	b.json(t, &a, "send", "099123464", "waits", "--campaign", "orders")
	b.verb(t, "explain", a.ID).wants(t, exitDone,
		"\n  - None of its 2 channels can take it now.\n  - Channel bank/0 is absent: ", "\n  - Channel bank/1 is absent: ")
	lines := strings.Split(b.verb(t, "status").wants(t, exitDone).out, "\n")
	if !strings.HasPrefix(lines[0], "site test is degraded") || !strings.HasPrefix(lines[1], "  - channel bank/0 is absent") {
		t.Errorf("status begins with %q", lines[:2])
	}
	for _, m := range b.bank.Modems {
		must(t, m.Replug())
	}
	b.ready(t)
	until(t, "the message gone", func() bool {
		m, err := b.Message(t.Context(), a.ID)
		return err == nil && (m.Status == "sent" || m.Status == "delivered")
	})
}
