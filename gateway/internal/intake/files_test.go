package intake

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// kept puts the record and the file of an upload where an earlier run left them.
func kept(t *testing.T, dir string, up spool.Upload, text string) string {
	t.Helper()
	d := open(t, dir, nil)
	up.ID, up.Kind = "up", kindBase
	if err := d.spool.PutUpload(t.Context(), up); err != nil {
		t.Fatal(err)
	}
	path := d.path(up.ID)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.stop()
	return path
}

func TestTheFileOfAFailedLoadIsKeptForAWeek(t *testing.T) {
	dir, failed := t.TempDir(), time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	path := kept(t, dir, spool.Upload{State: stateFailed, Finished: failed}, "x")
	for _, c := range []struct {
		after time.Duration
		there bool
	}{{7 * 24 * time.Hour, true}, {7*24*time.Hour + 1, false}} {
		open(t, dir, func(o *Options) { o.Now = at(failed.Add(c.after)) }).stop()
		if _, err := os.Stat(path); (err == nil) != c.there {
			t.Errorf("after %v: %v", c.after, err)
		}
	}
}

func TestALoadGoesOnAfterItsDirectoryMoved(t *testing.T) {
	dir := t.TempDir()
	kept(t, dir, spool.Upload{State: stateLoading, Path: filepath.Join(dir, "elsewhere.csv")}, "test1;099123456;hello;1\n")
	d := open(t, dir, nil)
	d.run(t)
	if up, err := d.await(t.Context(), "up"); err != nil || up.State != stateDone || up.Accepted != 1 {
		t.Errorf("%+v, %v", up, err)
	}
}

// doubtfulStore is a store whose commit of a record is on disk although its sync failed.
type doubtfulStore struct{ *spool.Spool }

func (b doubtfulStore) PutUpload(ctx context.Context, up spool.Upload) error {
	return errors.Join(b.Spool.PutUpload(ctx, up), gateway.Errorf(gateway.KindUnavailable, "the storage has failed"))
}

func TestARecordWhoseFileWasNeverAcceptedTakesItWhenItComesAgain(t *testing.T) {
	dir := t.TempDir()
	text := "test1;099123456;hello;1\n"
	take := func(d *door) (spool.Upload, error) {
		return d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(text), Upload: "up"})
	}
	d := open(t, dir, nil)
	d.o.Store = doubtfulStore{d.spool}
	if _, err := take(d); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Fatalf("taken: %v", err)
	}
	d.stop()
	d = open(t, dir, nil)
	d.run(t)
	if up, err := take(d); err != nil || up.State != stateDone || up.Accepted != 1 {
		t.Errorf("%+v, %v", up, err)
	}
	if n := len(d.messages(t)); n != 1 {
		t.Errorf("%d messages", n)
	}
}
