package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestNewNamesATakenAddressAndGivesEverythingBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h := buildHouse(t, setup{listen: l.Addr().String()})
	_, err = h.build()
	if err == nil || !strings.Contains(err.Error(), "listen on "+h.o.listen) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, AdminTokenFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the admin token is left: %v", err)
	}
	h.withSpool(func(*spool.Spool) {}) // it is not locked any more
	must(t, l.Close())
	h.start()
	h.ready(1)
}

func TestNewNamesASpoolThatAnotherDaemonHoldsAndLeavesThatOneAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	_, err := h.build()
	if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), h.spoolPath()+": another process holds the spool") {
		t.Errorf("got %v", err)
	}
	h.dialer("alerts") // the first one works on, with its token
}

func TestNewRefusesAFileThatIsNoSpoolOfItsOwnAndLeavesItAsItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		kind gateway.Kind
		say  string
	}{
		{"newer schema", newerSchema, gateway.KindConflict, "schema 2"},
		{"truncated", truncated, gateway.KindInvalid, "the spool is cut short"},
		{"no schema", func(t *testing.T, path string) {
			edit(t, path, func(meta *bbolt.Bucket) error { return meta.Delete([]byte("schema")) })
		}, gateway.KindInvalid, "no schema number"},
		{"another program's", foreign, gateway.KindInvalid, "not a spool"},
		{"a text", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, bytes.Repeat([]byte("not a spool\n"), 2000), 0o600))
		}, gateway.KindInvalid, "not a spool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := buildHouse(t, setup{})
			c.make(t, h.spoolPath())
			before, err := os.ReadFile(h.spoolPath())
			must(t, err)
			_, err = h.build()
			if gateway.KindOf(err) != c.kind || !strings.Contains(err.Error(), h.spoolPath()+": ") || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v", err)
			}
			after, err := os.ReadFile(h.spoolPath())
			must(t, err)
			if sha256.Sum256(before) != sha256.Sum256(after) {
				t.Error("the file was changed")
			}
			must(t, os.Remove(h.spoolPath()))
		})
	}
}

func newerSchema(t *testing.T, path string) {
	t.Helper()
	edit(t, path, func(meta *bbolt.Bucket) error {
		return meta.Put([]byte("schema"), binary.BigEndian.AppendUint32(nil, spool.Schema+1))
	})
}

// edit changes the meta bucket of a fresh spool.
func edit(t *testing.T, path string, change func(meta *bbolt.Bucket) error) {
	t.Helper()
	s, err := spool.Open(spool.Options{Path: path})
	must(t, err)
	must(t, s.Close())
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte("meta"))) }))
	must(t, db.Close())
}

func truncated(t *testing.T, path string) {
	t.Helper()
	edit(t, path, func(*bbolt.Bucket) error { return nil })
	must(t, os.Truncate(path, int64(3*os.Getpagesize())))
}

func foreign(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("recipes"))
		return err
	}))
	must(t, db.Close())
}

// The walk itself, with releases that time out.
func TestUnwindBoundsEachReleaseAndTheWholeWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stack{log: slog.New(slog.DiscardHandler)}
		var order []string
		stuck := make(chan struct{})
		ends := func(name string) func(context.Context) error {
			return func(context.Context) error { order = append(order, name); return nil }
		}
		hangs := func(context.Context) error { <-stuck; return nil }
		s.push("spool", spoolTime, ends("spool"))
		for _, name := range []string{"a", "b", "c"} {
			s.push(name, 20*time.Second, hangs)
		}
		s.push("first", time.Second, ends("first"))
		began := time.Now()
		err := s.unwind(t.Context())
		if took := time.Since(began); took != stopTime-spoolTime {
			t.Errorf("it took %s", took)
		}
		want := "stop c: not done within 20s\nstop b: no time is left\nstop a: no time is left"
		if err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
		if strings.Join(order, " ") != "first spool" {
			t.Errorf("released %q", order)
		}
		close(stuck)
	})
}
