package app

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait: long enough for a machine that does much else.
const patience = 60 * time.Second

// eventually waits until a condition is met.
func eventually(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.NewTimer(patience)
	defer over.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-over.C:
			t.Fatalf("it does not come to it that %s", what)
		}
	}
}

// arrives waits for a channel to be closed.
func arrives(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("it does not come to it that %s", what)
	}
}

// journalOf keeps the daemon's log.
type journalOf struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps a line.
func (j *journalOf) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// String gives what was logged so far.
func (j *journalOf) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
