package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

// entry is the nth line of a test's ledger.
func entry(n int) sim.Entry {
	return sim.Entry{At: time.Unix(int64(n), 0).UTC(), Modem: "port0", SIM: "89", To: "+59891000000", Text: fmt.Sprintf("text \n %d", n), Total: 1, Seq: 1}
}

// written makes a ledger of n entries and gives its path and bytes.
func written(t *testing.T, n int) (string, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "air.jsonl")
	l, before, err := openLedger(path)
	must(t, err)
	if len(before) > 0 {
		t.Errorf("a new ledger has %d entries", len(before))
	}
	for i := range n {
		l.write(entry(i))
	}
	must(t, l.close())
	b, err := os.ReadFile(path)
	must(t, err)
	return path, b
}

func TestLedgerGivesBackWhatItHeldAndGoesOn(t *testing.T) {
	path, _ := written(t, 3)
	for want := 3; want < 5; want++ {
		l, before, err := openLedger(path)
		must(t, err)
		if len(before) != want {
			t.Fatalf("%d entries, want %d", len(before), want)
		}
		for i, e := range before {
			if !reflect.DeepEqual(e, entry(i)) {
				t.Errorf("entry %d is %+v", i, e)
			}
		}
		l.write(entry(want))
		must(t, l.close())
	}
}

func TestLedgerDropsALineThatWasCutAnywhere(t *testing.T) {
	_, whole := written(t, 2)
	_, first := written(t, 1)
	for cut := len(first); cut < len(whole); cut++ {
		path := filepath.Join(t.TempDir(), "air.jsonl")
		must(t, os.WriteFile(path, whole[:cut], 0o600))
		l, before, err := openLedger(path)
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		if len(before) != 1 {
			t.Errorf("cut at byte %d: %d entries, want 1", cut, len(before))
		}
		l.write(entry(1))
		must(t, l.close())
		if b, err := os.ReadFile(path); err != nil || string(b) != string(whole) {
			t.Errorf("cut at byte %d: it goes on as %q, %v", cut, b, err)
		}
	}
}

func TestForeignFileIsRefusedAndLeftUntouched(t *testing.T) {
	for _, foreign := range []string{
		"hello", "hello\n", `{"name":"a"}`, "{\"name\":\"a\"}\n", "\n", "{\n}\n", "\x00\x00\x00\x00", `{"At":7}` + "\n",
	} {
		path := filepath.Join(t.TempDir(), "foreign")
		must(t, os.WriteFile(path, []byte(foreign), 0o600))
		if _, _, err := openLedger(path); err == nil {
			t.Errorf("%q is taken for a ledger", foreign)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != foreign {
			t.Errorf("%q became %q, %v", foreign, b, err)
		}
	}
}
