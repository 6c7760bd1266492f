package app

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// The promise under test, for each SIGKILL:
//
//  1. every row of the base is there in the end, once;
//  2. no row is on the air twice;
//  3. a row that says sent is on the air, one that says anything else but unknown is not;
//  4. at most one row per modem is unknown.
const (
	killModems = 8
	killRows   = 600
	kills      = 3
)

func TestKilledInMidBaseTheDaemonFinishesItWithNoRowLostOrTwiceOnTheAir(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	h := buildHouse(t, setup{modems: killModems, sim: sim.BankOptions{Latency: 5 * time.Millisecond}})
	must(t, os.WriteFile(h.configPath(), []byte(h.toml()), 0o600))
	base := killBase()
	for i := range kills {
		d := h.fork()
		h.hand(base)
		if n := h.counters("test1").ByStatus["unknown"]; n > uint64(i*killModems) {
			t.Errorf("after %d kills %d rows are in doubt", i, n)
		}
		// At random, but not before it sent and not after it is done.
		target := min(h.bank.Network.Len()+1+chance.IntN(killRows/kills), killRows-kills*killModems)
		eventually(t, fmt.Sprintf("%d segments are on the air", target), func() bool { return h.bank.Network.Len() >= target })
		d.kill()
	}
	d := h.fork()
	defer d.kill()
	h.hand(base)
	c := h.processed("test1")
	if c.Uploaded != killRows || c.Processed != killRows {
		t.Errorf("the counters are %+v", c)
	}
	h.judge(t)
}

// killBase has rows of one and of three segments, each with its own text.
func killBase() string {
	var b strings.Builder
	for i := range killRows {
		fmt.Fprintf(&b, "test1;09%07d;\"%s\";9999\n", 1_000_000+i, killText(i))
	}
	return b.String()
}

func killText(i int) string {
	if i%10 == 9 {
		return fmt.Sprintf("Row %d: %s", i, strings.Repeat("a long one; ", 30))
	}
	return fmt.Sprintf("Row %d", i)
}

// hand does what a client does that got no answer: it asks again, in the same words.
func (h *house) hand(base string) {
	h.t.Helper()
	_, err := h.CreateDialer(h.t.Context(), client.Dialer{Name: "test1", Provider: "bank", DialString: fmt.Sprintf("0-%d", killModems-1)})
	if err != nil && gateway.KindOf(err) != gateway.KindConflict {
		h.t.Fatal(err)
	}
	_, err = h.StartDialer(h.t.Context(), "test1")
	must(h.t, err)
	u, err := h.UploadBase(h.t.Context(), "test1", client.File{Reader: strings.NewReader(base), Upload: "the-base"})
	must(h.t, err)
	if u = h.loaded(u); u.State != "done" || u.Accepted != killRows || u.RejectedTotal != 0 {
		h.t.Fatalf("the upload says %+v", u)
	}
}

// judge holds what the spool says against the ledger, row by row.
func (h *house) judge(t *testing.T) {
	t.Helper()
	copies := h.bank.Network.Copies()
	seen := map[string]bool{}
	byStatus := map[string]int{}
	rows := client.All(func(l client.List) (client.Page[client.Message], error) {
		l.Limit = 1000
		return h.Messages(t.Context(), client.MessageQuery{List: l, Campaign: "test1"})
	})
	for m, err := range rows {
		must(t, err)
		key := sim.Copy{To: m.To, Text: m.Text}
		n := copies[key]
		delete(copies, key)
		byStatus[m.Status]++
		switch {
		case seen[m.To]:
			t.Errorf("%s has two rows", m.To)
		case n > 1:
			t.Errorf("%s is %d times on the air", m.To, n)
		case m.Status == "unknown":
		case m.Status != "sent" || n != 1:
			t.Errorf("%s is %s, and %d times on the air", m.To, m.Status, n)
		}
		seen[m.To] = true
	}
	if len(seen) != killRows || len(copies) > 0 {
		t.Errorf("%d rows; on the air without a row: %v", len(seen), copies)
	}
	if byStatus["unknown"] > kills*killModems {
		t.Errorf("%d rows are in doubt", byStatus["unknown"])
	}
	once := map[sim.Copy]map[int]int{} // segments by message: none twice, whole or not
	for _, e := range h.bank.Network.Entries() {
		key := sim.Copy{To: e.To}
		if once[key] == nil {
			once[key] = map[int]int{}
		}
		if once[key][e.Seq]++; once[key][e.Seq] > 1 {
			t.Errorf("segment %d to %s is on the air twice", e.Seq, e.To)
		}
	}
	t.Logf("after %d kills: %v", kills, byStatus)
}

func TestEveryMessageThatGotAnOKSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	const callers, enough = 8, 200
	h := buildHouse(t, setup{})
	must(t, os.WriteFile(h.configPath(), []byte(h.toml()), 0o600))
	d := h.fork()
	h.dialer("test1")
	accepted := make(chan string)
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			for i := 0; ; i++ {
				m := client.NewMessage{To: "098344484", Text: fmt.Sprintf("%d of %d", i, caller), Campaign: "test1"}
				if _, err := h.Send(t.Context(), m); err != nil {
					return // killed
				}
				accepted <- m.Text
			}
		})
	}
	go func() { calling.Wait(); close(accepted) }()
	want := map[string]bool{}
	for text := range accepted {
		if want[text] = true; len(want) == enough {
			d.kill()
		}
	}
	d = h.fork()
	defer d.kill()
	rows := client.All(func(l client.List) (client.Page[client.Message], error) {
		return h.Messages(t.Context(), client.MessageQuery{List: l})
	})
	extra := 0 // stored, and its answer was lost
	for m, err := range rows {
		must(t, err)
		if !want[m.Text] {
			extra++
		}
		delete(want, m.Text)
	}
	if len(want) > 0 {
		t.Errorf("accepted and lost: %v", want)
	}
	if extra > callers {
		t.Errorf("%d rows that nobody can have asked for", extra)
	}
}

func (h *house) configPath() string { return filepath.Join(h.dir, "fieldpost.toml") }

// child is a daemon that runs as a process of its own, on the house's modems.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	errs *journalOf
	dead bool
}

// fork starts a daemon as a process, and connects to it.
func (h *house) fork() *child {
	h.t.Helper()
	d := &child{t: h.t, cmd: exec.Command(os.Args[0]), errs: &journalOf{}}
	d.cmd.Env = append(os.Environ(), playDaemon+"="+h.configPath())
	d.cmd.Stderr = d.errs
	out, err := d.cmd.StdoutPipe()
	must(h.t, err)
	must(h.t, d.cmd.Start())
	h.t.Cleanup(d.kill)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		d.kill()
		h.t.Fatalf("the daemon does not start: %s", d.errs)
	}
	h.connect(strings.TrimSpace(address))
	return d
}

// kill is SIGKILL; it must not have ended by itself before.
func (d *child) kill() {
	if d.dead {
		return
	}
	d.dead = true
	if err := d.cmd.Process.Kill(); err != nil {
		d.t.Errorf("the daemon ended before it was killed: %v: %s", err, d.errs)
	}
	_ = d.cmd.Wait() // says that it was killed
}
