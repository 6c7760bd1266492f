package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// demoArgs is a small, quick demo on a port of its own.
func demoArgs(more ...string) []string {
	return append([]string{"demo", "--listen", "127.0.0.1:0", "--modems", "4", "--latency", "1ms"}, more...)
}

const agrees = "ledger and counters agree: no row lost, none twice"

func TestDemoEndsWellAndItsTableAgrees(t *testing.T) {
	t.Parallel()
	r := child(t, demoArgs("--exit", "--rows", "300")...).wants(t, exitDone, agrees)
	for _, row := range []string{
		`rows loaded +300\b`,
		`processed +290 +290\b`,
		`unknown +0 +0 of them`,
		`blocked +6 +0\b`,
		`other \(invalid number, failed, expired\) +4 +0\b`,
		`not processed +0\b`,
	} {
		if !regexp.MustCompile(`(?m)^` + row).MatchString(r.out) {
			t.Errorf("the table has no line %s:\n%s", row, r.out)
		}
	}
	if strings.Contains(r.out, "\x1b") {
		t.Error("the cursor moves in a pipe")
	}
}

func TestDemoOfOneRowAndOneModem(t *testing.T) {
	t.Parallel()
	child(t, "demo", "--exit", "--listen", "127.0.0.1:0", "--modems", "1", "--rows", "1", "--latency", "0s").wants(t, exitDone, agrees)
}

// The site of a branch office in bad weather: each kind of device, each with faults and
// unplugged now and then, while messages come in.
func TestDemoOfMixedHardwareAgreesInBadWeather(t *testing.T) {
	t.Parallel()
	r := child(t, "demo", "--exit", "--listen", "127.0.0.1:0", "--rows", "600", "--modems", "8", "--dinstar", "8", "--dwg", "8",
		"--latency", "5ms", "--faults", "2%", "--no-hangs", "--unplug", "50", "--inbound", "48").wants(t, exitDone, agrees)
	for _, row := range []string{`rows loaded +600\b`, `not processed +0\b`, `received messages +48 +48\b`, `a device was unplugged \d+ times`} {
		if !regexp.MustCompile(`(?m)^` + row).MatchString(r.out) {
			t.Errorf("the table has no line %s:\n%s", row, r.out)
		}
	}
	for _, channel := range []string{"8 modems", "8 ports over HTTP", "8 ports that dials in"} {
		if !strings.Contains(r.out, channel) {
			t.Errorf("there is no %s:\n%s", channel, r.out)
		}
	}
}

func TestDemoNamesABadFlag(t *testing.T) {
	for args, want := range map[string]string{
		"--dinstar 33": "--dinstar: is 33", "--dwg -1": "--dwg: is -1", "--inbound -1": "--inbound: is -1",
		"--faults 200%": "a share such as 2%", "--faults x": "a share such as 2%", "--unplug -3": "a time such as 30s", "--unplug often": "a time such as 30s",
	} {
		inside(t, "", append([]string{"demo"}, strings.Fields(args)...)...).wants(t, exitUsage, want)
	}
}

func TestReceivedMessagesAreHeldToBeThereOnce(t *testing.T) {
	d := demoInbound{count: 4, mark: "x"}
	v := &verdict{}
	d.tell(v, map[string]int{d.text(0): 1, d.text(1): 2, d.text(3): 1, "half of": 1})
	want := []string{"received message 1 is 2 times in the spool", "received message 2 is not in the spool",
		`1 received message in the spool that nobody sent: "half of"`}
	if !slices.Equal(v.faults, want) || v.stored != 2 || v.err() == nil {
		t.Errorf("the verdict is %q, %d stored", v.faults, v.stored)
	}
}

func TestDemoFindsATamperedLedgerAndNamesTheRow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := demoArgs("--exit", "--rows", "100", "--dir", dir)
	child(t, args...).wants(t, exitDone, agrees)
	air := filepath.Join(dir, "air.jsonl")
	whole, err := os.ReadFile(air)
	must(t, err)
	// A row of one segment, by its text.
	lines := strings.SplitAfter(string(whole), "\n")
	row := -1
	for i, line := range lines {
		if strings.Contains(line, `"Reminder 7:`) {
			row = i
		}
	}
	if row < 0 {
		t.Fatalf("row 7 is not on the air:\n%s", whole)
	}
	long := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"Seq":2`) })
	if long < 0 {
		t.Fatalf("no second segment is on the air:\n%s", whole)
	}
	for _, c := range []struct {
		name    string
		tamper  []string
		verdict string
	}{
		{"a segment twice", append(append([]string{}, lines...), lines[long]), "is on the air once too many"},
		{"a line removed", append(append([]string{}, lines[:row]...), lines[row+1:]...), "row 8 to +59891000007 says delivered and is not on the air"},
		{"a line twice", append(append([]string{}, lines...), lines[row]), "row 8 to +59891000007 is 2 times on the air"},
		{"a foreign line", append(append([]string{}, lines...), strings.ReplaceAll(lines[row], "Reminder 7:", "Reminder 7000:")),
			"a message to +59891000007 is on the air and in no row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, os.WriteFile(air, []byte(strings.Join(c.tamper, "")), 0o600))
			child(t, args...).wants(t, exitFault, "DO NOT AGREE (1 fault)", c.verdict)
		})
	}
	must(t, os.WriteFile(air, whole, 0o600))
	child(t, args...).wants(t, exitDone, agrees)
}

func TestDemoOfAnotherSizeInAKeptFolderSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child(t, demoArgs("--exit", "--rows", "10", "--dir", dir)...).wants(t, exitDone, agrees)
	child(t, demoArgs("--exit", "--rows", "11", "--dir", dir)...).wants(t, exitUsage, "--rows: is 11", "--dir")
}

func TestDemoKeepsAFolderThatIsNamedFromHere(t *testing.T) {
	t.Parallel()
	cmd := process(t, demoArgs("--exit", "--rows", "5", "--dir", "kept")...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"spool.db", "air.jsonl", "fieldpost.toml"} {
		if _, err := os.Stat(filepath.Join(cmd.Dir, "kept", name)); err != nil {
			t.Error(err)
		}
	}
}

func TestKilledDemoFinishesWithNoRowLostAndNoneTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	air := filepath.Join(dir, "air.jsonl")
	onAir := func() int {
		b, err := os.ReadFile(air)
		if err != nil {
			return 0
		}
		return bytes.Count(b, []byte("\n"))
	}
	args := []string{"demo", "--exit", "--listen", "127.0.0.1:0", "--modems", "4", "--rows", "400", "--latency", "10ms", "--dir", dir}
	for kill, lines := range []int{40, 150} {
		p := live(t, args...)
		until(t, "a base half on the air", func() bool { return onAir() >= lines })
		p.signal(syscall.SIGKILL)
		if r := p.end(); r.code != -1 {
			t.Fatalf("kill %d: it had ended with %d:\n%s", kill, r.code, r.out)
		}
		if n := onAir(); n >= 350 {
			t.Fatalf("kill %d: %d segments of 400 rows were on the air: too late to prove anything", kill, n)
		}
	}
	r := child(t, args...).wants(t, exitDone, agrees)
	m := regexp.MustCompile(`(?m)^unknown +(\d+) `).FindStringSubmatch(r.out)
	if m == nil {
		t.Fatalf("no row of the unknown:\n%s", r.out)
	}
	// Two kills, four modems: each may have had one row in doubt at each of them.
	if n, _ := strconv.Atoi(m[1]); n > 8 {
		t.Errorf("%d rows are unknown after two kills of four modems", n)
	}
	// The file itself is the witness: no text of one segment is there twice.
	b, err := os.ReadFile(air)
	must(t, err)
	entries, _, err := readLedger(bytes.NewReader(b))
	must(t, err)
	seen := map[string]bool{}
	for _, e := range entries {
		key := fmt.Sprint(e.To, e.Text, e.Seq)
		if e.Total == 1 && seen[key] {
			t.Errorf("%q to %s is twice on the air", e.Text, e.To)
		}
		seen[key] = true
	}
}

func TestInterruptedDemoEndsWell(t *testing.T) {
	t.Parallel()
	t.Run("in mid-base", func(t *testing.T) {
		p := live(t, "demo", "--listen", "127.0.0.1:0", "--modems", "2", "--rows", "5000", "--latency", "20ms")
		p.await("waiting")
		p.signal(syscall.SIGINT)
		if r := p.end().wants(t, exitDone); strings.Contains(r.out, "fieldpost: ") {
			t.Errorf("it complains of being interrupted:\n%s", r.out)
		}
	})
	t.Run("while it serves", func(t *testing.T) {
		p := live(t, demoArgs("--rows", "60")...)
		p.await(agrees)
		p.await("fieldpost status --server http://")
		p.signal(syscall.SIGINT)
		p.end().wants(t, exitDone)
	})
}

func TestDemoOnATerminalDrawsInPlace(t *testing.T) {
	t.Parallel()
	cmd := process(t, demoArgs("--exit", "--rows", "60")...)
	screen, err := pty.Start(cmd)
	must(t, err)
	defer screen.Close()
	out, err := io.ReadAll(screen)
	if err != nil && len(out) == 0 { // EIO is how a pty ends
		t.Fatal(err)
	}
	if code := exitOf(t, cmd.Wait()); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	for _, part := range []string{"\x1b[2K", "A\x1b[2K", "CHANNEL", "60 of 60", agrees} {
		if !strings.Contains(string(out), part) {
			t.Errorf("the screen has no %q:\n%q", part, out)
		}
	}
}
