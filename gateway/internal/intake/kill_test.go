package intake

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

const (
	childDir  = "FIELDPOST_TEST_CHILD_DIR" // set: this process is the one to be killed
	childRows = 12_000                     // six chunks
)

// TestMain plays the daemon when the test below asks for it.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		state, err := child(dir)
		fmt.Println(state, err)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child takes the base and loads it, and tells of each commit.
func child(dir string) (state string, err error) {
	d, err := opened(dir, func(o *Options) {
		o.Store = &faulty{Store: o.Store, batch: func(int) error { return nil }, after: func(int) { fmt.Println("committed") }}
	})
	if err != nil {
		return "", err
	}
	go d.RunLoader(context.Background()) // ends with the process
	up, err := d.TakeBase(context.Background(), BaseRequest{Body: strings.NewReader(rows(childRows)), Upload: "b"})
	return up.State, err
}

func TestABaseSurvivesSIGKILLAnywhere(t *testing.T) {
	dir := t.TempDir()
	for kills := 0; ; kills++ {
		if kills > 10 {
			t.Fatal("it never ends: progress is lost")
		}
		if done := runUntil(t, dir, 1+kills%3); done {
			break
		}
	}
	d := open(t, dir, nil)
	up, err := d.spool.Upload("b")
	if err != nil || up.State != stateDone {
		t.Fatalf("%+v, %v", up, err)
	}
	proveRows(t, d, childRows, up)
	if left, err := os.ReadDir(d.o.Dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

// runUntil runs the child and kills it behind its n-th commit; done says that it
// came to the end of the base first.
func runUntil(t *testing.T, dir string, n int) (done bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for commits := 0; lines.Scan() && commits < n; {
		switch line := lines.Text(); {
		case line == "committed":
			commits++
		case strings.HasPrefix(line, stateDone):
			done = true
		default:
			t.Errorf("the child says: %s", line)
		}
	}
	if !done {
		cmd.Process.Kill()
	}
	cmd.Wait() // killed, or done
	return done
}
