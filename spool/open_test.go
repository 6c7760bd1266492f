package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// raw changes a closed spool's file behind its back.
func raw(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = db.Update(fn)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// refused opens a file that must be refused, and must stay as it is.
func refused(t *testing.T, o Options, kind gateway.Kind, words ...string) {
	t.Helper()
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(o)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	if gateway.KindOf(err) != kind {
		t.Errorf("kind %s: %v", gateway.KindOf(err), err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	after, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestANewerSchemaIsRefusedAndNamesItsProgram(t *testing.T) {
	s, _ := open(t)
	add(t, s, text("camp", "+59899123456"))
	shut(t, s)
	raw(t, s.o.Path, func(b *bbolt.Tx) error {
		meta := b.Bucket(bucketMeta)
		if err := meta.Put(metaVersion, []byte("9.9.9")); err != nil {
			return err
		}
		return meta.Put(metaSchema, binary.BigEndian.AppendUint32(nil, Schema+1))
	})
	refused(t, Options{Path: s.o.Path}, gateway.KindConflict, "9.9.9", "schema 2", "restore")
}

func TestALockedFileNamesTheOtherProcess(t *testing.T) {
	s, _ := open(t)
	refused(t, Options{Path: s.o.Path, Timeout: 60 * time.Millisecond}, gateway.KindConflict, "another process")
}

func TestATruncatedFileIsRefused(t *testing.T) {
	s, _ := open(t)
	fill(t, s, "bulk", 2000)
	shut(t, s)
	whole, err := os.ReadFile(s.o.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{len(whole) / 16, 3 * 4096, 8192, 5000, 100, 1} {
		path := filepath.Join(t.TempDir(), "cut.db")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, Options{Path: path}, gateway.KindInvalid, path)
	}
}

func TestAForeignFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a spool\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Path: text}, gateway.KindInvalid, "not a spool")

	other := filepath.Join(dir, "other.db")
	raw(t, other, func(b *bbolt.Tx) error { _, err := b.CreateBucket([]byte("photos")); return err })
	refused(t, Options{Path: other}, gateway.KindInvalid, "not a spool", "photos")

	if _, err := Open(Options{Path: dir}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(Options{}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("no path: %v", err)
	}
	if _, err := Open(Options{Path: filepath.Join(dir, "x"), MaxSize: 1}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("no room: %v", err)
	}
}

func TestAStoreKeepsItsNameAndEpoch(t *testing.T) {
	s, _ := open(t)
	node, epoch := s.Node(), s.Epoch()
	if len(node) != 32 || epoch == 0 {
		t.Fatalf("node %q, epoch %d", node, epoch)
	}
	s = reopen(t, s)
	if s.Node() != node || s.Epoch() != epoch {
		t.Error("they changed")
	}
	other, _ := open(t)
	if other.Node() == node {
		t.Error("two stores have one name")
	}
}

func TestP70EntryPositionsAreNeverUsedAgain(t *testing.T) {
	s, _ := open(t)
	var last uint64
	for range 3 {
		for range 5 {
			idm := add(t, s, text("camp", "+59899123456"))
			if idm <= last {
				t.Fatalf("%d after %d", idm, last)
			}
			last = idm
		}
		if n, err := s.DeleteUnprocessed(context.Background(), "camp"); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		s = reopen(t, s)
	}
}

// crash gives the store as it is on disk at this moment, opened by the next process.
func crash(t *testing.T, s *Spool) *Spool {
	t.Helper()
	o := s.o
	o.Path = filepath.Join(t.TempDir(), "after.db")
	from, err := os.Open(s.o.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return openWith(t, o)
}

func TestAfterACrashOnlyOpenIntentsAreInDoubt(t *testing.T) {
	s, c := open(t)
	waits := add(t, s, text("camp", "+59899000001"))
	held := add(t, s, text("camp", "+59899000002"))
	out := add(t, s, text("camp", "+59899000003"))
	again := text("camp", "+59899000004")
	again.Policy = gateway.UnknownResend
	resent := add(t, s, again)
	long := text("camp", "+59899000005")
	long.Segments = 3
	half := add(t, s, long)
	claim(t, s, "camp", 50) // memory only
	send(t, s, intent(half, 1), Outcome{MR: 9, HasMR: true})
	step(t, s, Step{Intents: []Intent{intent(out, 1), intent(resent, 1), intent(half, 2)}})

	s = crash(t, s)
	for idm, want := range map[uint64]gateway.Status{
		waits: gateway.StatusQueued, held: gateway.StatusQueued, out: gateway.StatusUnknown,
		resent: gateway.StatusQueued, half: gateway.StatusUnknown,
	} {
		if m := get(t, s, idm); m.Status != want {
			t.Errorf("message %d is %s, want %s", idm, m.Status, want)
		}
	}
	m := get(t, s, half)
	if m.Parts[0].Status != gateway.StatusSent || m.Parts[0].MR != 9 || m.Parts[1].Status != gateway.StatusUnknown || m.Parts[2].Status != gateway.StatusNone {
		t.Errorf("segments %+v", m.Parts)
	}
	m = get(t, s, resent)
	if last := m.History[len(m.History)-1]; !strings.Contains(last.Text, "may arrive twice") || !m.NotBefore.Equal(c.now().Add(10*time.Minute)) {
		t.Errorf("sent again without saying so: %+v", m)
	}
	ev, err := s.Events(0, 0)
	if err != nil || len(ev) != 3 {
		t.Errorf("%d events, want one for each message in doubt: %v", len(ev), err)
	}
	if u, err := s.SIMUsage("8959801", c.now()); err != nil || u.Day != 4 {
		t.Errorf("what is in doubt stays charged: %+v, %v", u, err)
	}
}

func TestAFileIsNeverLargerThanItCanBeMapped(t *testing.T) {
	for _, c := range []struct {
		asked int64
		bits  int
		want  int64
	}{{0, 64, 0}, {8 << 30, 64, 8 << 30}, {0, 32, 1 << 30}, {8 << 30, 32, 1 << 30}, {64 << 20, 32, 64 << 20}} {
		if got := sizeLimit(c.asked, c.bits); got != c.want {
			t.Errorf("%d bytes on %d bits: %d, want %d", c.asked, c.bits, got, c.want)
		}
	}
	s, _ := open(t)
	if got := sizeLimit(s.o.MaxSize, strconv.IntSize); s.o.MaxSize != got {
		t.Errorf("opened with %d, want %d", s.o.MaxSize, got)
	}
}
