package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

// The proof of fidelity: programs that were written for real modems, and know
// nothing of this one, drive it unchanged.

// peerMessages are what each program sends, each vendor's modem an equal share of them:
// it is the program that is slow, at a second and more a message.
const peerMessages = 20

// peerLimit is how long a program may take; the test ends as soon as it is done.
const peerLimit = 2 * time.Minute

func TestGammuDrivesTheModemUnchanged(t *testing.T) {
	t.Parallel()
	daemon, inject := program(t, "gammu-smsd"), program(t, "gammu-smsd-inject")
	everyVendor(t, func(t *testing.T, b *sim.Bank, want []sim.Copy) (*exec.Cmd, string) {
		dir := t.TempDir()
		conf := gammuConfig(t, dir, b)
		for _, c := range want {
			out, err := exec.Command(inject, "-c", conf, "TEXT", c.To, "-unicode", "-text", c.Text, "-autolen", "500").CombinedOutput()
			if err != nil {
				t.Fatalf("gammu-smsd-inject: %v\n%s", err, out)
			}
		}
		return exec.Command(daemon, "-c", conf), filepath.Join(dir, "inbox")
	})
}

func TestSmstoolsDrivesTheModemUnchanged(t *testing.T) {
	t.Parallel()
	daemon := program(t, "smsd", "/usr/sbin/smsd")
	everyVendor(t, func(t *testing.T, b *sim.Bank, want []sim.Copy) (*exec.Cmd, string) {
		dir := t.TempDir()
		conf := smstoolsConfig(t, dir, b)
		for i, c := range want {
			file := fmt.Sprintf("To: %s\nAlphabet: UTF-8\n\n%s", strings.TrimPrefix(c.To, "+"), c.Text)
			write(t, filepath.Join(dir, "outgoing", fmt.Sprintf("m%02d", i)), file)
		}
		return exec.Command(daemon, "-t", "-c"+conf), filepath.Join(dir, "incoming")
	})
}

// everyVendor lets a program send peerMessages through modems of every vendor, and
// fetch a long one from each SIM, at the same time.
func everyVendor(t *testing.T, prepare func(*testing.T, *sim.Bank, []sim.Copy) (cmd *exec.Cmd, inbox string)) {
	t.Helper()
	var wg sync.WaitGroup
	vendors := []sim.Vendor{sim.Generic, sim.Huawei, sim.Quectel, sim.SIMCom}
	for v, vendor := range vendors {
		var want []sim.Copy
		for i := range peerMessages / len(vendors) { // of each kind at least one
			want = append(want, peerMessage(v*peerMessages/len(vendors)+i))
		}
		b := peerBank(t, vendor)
		cmd, inbox := prepare(t, b, want)
		wg.Go(func() { drive(t, string(vendor), b, want, cmd, inbox) })
	}
	wg.Wait()
}

// peerMessage gives the nth message: plain, with extension characters, UCS2, and long.
func peerMessage(i int) sim.Copy {
	text := fmt.Sprintf("Message %d of the rack", i)
	switch i % 4 {
	case 1:
		text = fmt.Sprintf("[%d] {braces} ~ 5 € and a \\", i)
	case 2:
		text = fmt.Sprintf("Número %d: mañana – ¿sí?", i)
	case 3:
		text = fmt.Sprintf("%d: ", i) + strings.Repeat("a long one that takes two segments, ", 7)
		text = strings.TrimSpace(text)
	}
	return sim.Copy{To: fmt.Sprintf("+5989912%04d", i), Text: text}
}

func peerBank(t *testing.T, v sim.Vendor) *sim.Bank {
	t.Helper()
	b, err := sim.NewBank(sim.BankOptions{Modems: 1, Dir: t.TempDir(), Vendors: []sim.Vendor{v}, Card: sim.CardOptions{NextMR: 254}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	in := sim.Incoming{From: "+59899555123", To: b.Modems[0].Card().Number(), Text: incomingLong, Ref: 9}
	if err := b.Network.Deliver(in); err != nil {
		t.Fatal(err)
	}
	if n := b.Modems[0].Card().Stored(); n != 2 {
		t.Fatalf("%d segments on the SIM, want 2", n)
	}
	return b
}

// drive runs a daemon until the ledger has what was wanted and the inbox what came.
func drive(t *testing.T, vendor string, b *sim.Bank, want []sim.Copy, cmd *exec.Cmd, inbox string) {
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	var log safeBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // smsd forks one process a modem
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }() // it is killed: its code says nothing
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}()
	for {
		changed := b.Network.Changed()
		if len(b.Network.Messages()) >= len(want) {
			break
		}
		select {
		case <-changed:
			continue
		case <-ended:
			t.Errorf("%s: %s ended by itself\n%s", vendor, cmd.Path, log.String())
			return
		case <-ctx.Done():
			t.Errorf("%s: %s sent %d of %d messages\n%s", vendor, cmd.Path, len(b.Network.Messages()), len(want), log.String())
			return
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for b.Modems[0].Card().Stored() > 0 || !came(inbox) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Errorf("%s: %s leaves %d segments on the SIM, and %v in its inbox\n%s", vendor, cmd.Path, b.Modems[0].Card().Stored(), came(inbox), log.String())
			return
		}
	}
	judge(t, vendor, b.Network, want)
	t.Logf("%s: %s put %d messages of %d segments on the air", vendor, filepath.Base(cmd.Path), len(b.Network.Messages()), b.Network.Len())
}

// incomingLong is a message of two segments that waits on the SIM.
const incomingLong = "Baja, por favor. Baja, por favor. Baja, por favor. Baja, por favor. Baja, por favor. Baja, " +
	"por favor. Baja, por favor. Baja, por favor. Baja, por favor. Baja, por favor. Fin"

// came says that the files of an inbox hold the incoming message, in one or in two.
func came(inbox string) bool {
	files, _ := filepath.Glob(filepath.Join(inbox, "*")) // in order of the segments
	var all strings.Builder
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all.Write(b)
	}
	return strings.Contains(all.String(), incomingLong)
}

// judge compares the ledger with what was wanted, one copy each.
func judge(t *testing.T, vendor string, n *sim.Network, want []sim.Copy) {
	got := n.Copies()
	for _, c := range want {
		if got[c] != 1 {
			t.Errorf("%s: %d copies of %q to %s on the air, want 1", vendor, got[c], c.Text, c.To)
		}
	}
	if stray := n.Unpaired(); len(got) != len(want) || len(stray) > 0 {
		t.Errorf("%s: %d different messages and %d stray segments on the air, want %d and 0", vendor, len(got), len(stray), len(want))
	}
}

func gammuConfig(t *testing.T, dir string, b *sim.Bank) string {
	t.Helper()
	for _, d := range []string{"inbox", "outbox", "sent", "error"} {
		mkdir(t, filepath.Join(dir, d))
	}
	conf := filepath.Join(dir, "gammu.conf")
	write(t, conf, fmt.Sprintf(`[gammu]
device = %[1]s
connection = at
synchronizetime = no

[smsd]
service = files
logfile = %[2]s/log
debuglevel = 255
inboxpath = %[2]s/inbox/
outboxpath = %[2]s/outbox/
sentsmspath = %[2]s/sent/
errorsmspath = %[2]s/error/
commtimeout = 1
sendtimeout = 30
loopsleep = 1
`, b.Device(0), dir))
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("gammu's log:\n%s", log)
		}
	})
	return conf
}

func smstoolsConfig(t *testing.T, dir string, b *sim.Bank) string {
	t.Helper()
	for _, d := range []string{"outgoing", "checked", "incoming", "sent", "failed", "stats"} {
		mkdir(t, filepath.Join(dir, d))
	}
	conf := filepath.Join(dir, "smsd.conf")
	write(t, conf, fmt.Sprintf(`devices = PORT0
outgoing = %[1]s/outgoing
checked = %[1]s/checked
incoming = %[1]s/incoming
sent = %[1]s/sent
failed = %[1]s/failed
stats = %[1]s/stats
infofile = %[1]s/running
pidfile = %[1]s/pid
logfile = %[1]s/log
loglevel = 7
delaytime = 1
receive_before_send = no
autosplit = 3
stats_interval = 0

[PORT0]
device = %[2]s
incoming = yes
check_network = yes
`, dir, b.Device(0)))
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("smsd's log:\n%s", log)
		}
	})
	return conf
}

// program finds a program, or skips; on a build machine it must be there.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI is set", names[0])
	}
	t.Skipf("%s is not installed: the proof that it drives the simulator is left out", names[0])
	return ""
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// safeBuffer takes the output of a program that is still running.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
