package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
)

// left lists what a program left in its temporary folder.
func left(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestDemoWhoseReaderIsGoneEndsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := process(t, "demo", "--listen", "127.0.0.1:0", "--modems", "2", "--rows", "5000", "--latency", "20ms")
	cmd.Env = append(cmd.Env, "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	must(t, out.Close()) // as head does
	if code := exitOf(t, cmd.Wait()); code != exitSignal+int(syscall.SIGPIPE) {
		t.Errorf("exit code %d", code)
	}
	if names := left(t, dir); len(names) > 0 {
		t.Errorf("it leaves %q", names)
	}
}

func TestBenchThatIsEndedSaysNothingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := t.TempDir()
		p := live(t, "bench", "--quick", "--only", "ideal", "--dir", dir)
		p.await("ideal: ")
		p.signal(s)
		r := p.end().wants(t, exitSignal+int(s))
		for _, line := range []string{"fieldpost: ", "context"} {
			if strings.Contains(r.out, line) {
				t.Errorf("it complains of being ended:\n%s", r.out)
			}
		}
		if names := left(t, dir); len(names) > 0 {
			t.Errorf("it leaves %q", names)
		}
	}
}
