package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be fieldpost, so that verbs run as real
// processes: with signals, exit codes and pipes.
const asProgram = "FIELDPOST_TEST_PROGRAM"

// patience bounds every wait: long enough for a machine that does much else.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	be := os.Getenv(asProgram) != ""
	// The tests' own environment says nothing to the verbs.
	for _, name := range []string{asProgram, "FIELDPOST_SERVER", "FIELDPOST_TOKEN", "FIELDPOST_CONFIG", "NOTIFY_SOCKET", "WATCHDOG_USEC"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	if be {
		main()
	}
	os.Exit(m.Run())
}

// ran is what a command line gave.
type ran struct {
	code     int
	out, err string
}

// process makes a child process; the test kills it if it must.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	t.Cleanup(func() {
		cancel()
		if cmd.Process != nil && cmd.ProcessState == nil {
			_ = cmd.Wait() // killed by the context
		}
	})
	return cmd
}

// child runs a command line in a process of its own.
func child(t *testing.T, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := process(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code := exitOf(t, cmd.Run())
	return ran{code, out.String(), errs.String()}
}

// exitOf gives the exit code of a process; -1 for one that a signal ended.
func exitOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// living is a child that goes on running.
type living struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // of both its streams; closed at their end
	mu    sync.Mutex
	said  strings.Builder
}

// live starts a child whose lines can be waited for.
func live(t *testing.T, args ...string) *living {
	t.Helper()
	l := &living{t: t, cmd: process(t, args...), lines: make(chan string, 10_000)}
	r, w, err := os.Pipe()
	must(t, err)
	l.cmd.Stdout, l.cmd.Stderr = w, w
	must(t, l.cmd.Start())
	must(t, w.Close())
	go l.read(r)
	return l
}

func (l *living) read(r io.ReadCloser) {
	defer r.Close()
	defer close(l.lines)
	for s := bufio.NewScanner(r); s.Scan(); {
		l.mu.Lock()
		l.said.WriteString(s.Text() + "\n")
		l.mu.Unlock()
		l.lines <- s.Text()
	}
}

// await waits for a line that holds a text, and gives it.
func (l *living) await(text string) string {
	l.t.Helper()
	for line := range l.lines {
		if strings.Contains(line, text) {
			return line
		}
	}
	l.t.Fatalf("the program ended and did not say %q; it said:\n%s", text, l.all())
	return ""
}

func (l *living) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

func (l *living) signal(s syscall.Signal) {
	l.t.Helper()
	must(l.t, l.cmd.Process.Signal(s))
}

// end waits until the program ended and its streams are read.
func (l *living) end() ran {
	l.t.Helper()
	for range l.lines {
	}
	return ran{exitOf(l.t, l.cmd.Wait()), l.all(), ""}
}

// inside runs a command line in this process.
func inside(t *testing.T, in string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	code := execute(t.Context(), terminal{in: strings.NewReader(in), out: &out, err: &errs}, args)
	return ran{code, out.String(), errs.String()}
}

// wants fails the test unless a command line ended so, and said so.
func (r ran) wants(t *testing.T, code int, texts ...string) ran {
	t.Helper()
	said := fmt.Sprintf("output:\n%s\nerrors:\n%s", r.out, r.err)
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s", r.code, code, said)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("it does not say %q\n%s", text, said)
		}
	}
	return r
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came: %s", what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
