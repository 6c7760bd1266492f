package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fieldpost/gateway"
)

// The names of files: a finished one is found again by its upload id.
const (
	partial  = ".partial-"
	finished = "upload-"
	suffix   = ".csv"
)

// Partial begins the name of a file in Dir that is still on its way: the next start
// removes what a killed process left.
const Partial = partial

// received is a file on disk that no record knows yet.
type received struct {
	path string
	hash string // SHA-256, hex
	size int64
}

// path is where the file of an upload waits.
func (i *Intake) path(id string) string { return filepath.Join(i.o.Dir, finished+id+suffix) }

// receive streams a body to disk, where it is when this returns, and checks it as
// a whole. The file is removed when anything is wrong.
func (i *Intake) receive(ctx context.Context, body io.Reader) (got received, err error) {
	f, err := os.CreateTemp(i.o.Dir, partial)
	if err != nil {
		return got, unavailable("store the file", err)
	}
	got.path = f.Name()
	defer func() {
		if err = errors.Join(err, closed(f)); err != nil {
			os.Remove(got.path)
		}
	}()
	hash, s := sha256.New(), &sniffer{}
	disk := &written{f: f}
	got.size, err = io.Copy(io.MultiWriter(disk, hash, s), io.LimitReader(&patient{ctx, body}, i.o.MaxBase+1))
	switch {
	case disk.err != nil:
		return got, unavailable("store the file", disk.err)
	case err != nil:
		return got, gateway.Errorf(gateway.KindInvalid, "the file ended early: %w", err)
	case got.size > i.o.MaxBase:
		return got, gateway.Invalid("file", "is larger than %d MiB", i.o.MaxBase>>20)
	}
	if err := s.check(); err != nil {
		return got, err
	}
	if err := f.Sync(); err != nil {
		return got, unavailable("store the file", err)
	}
	got.hash = hex.EncodeToString(hash.Sum(nil))
	return got, nil
}

// keep gives a received file its name for good.
func (i *Intake) keep(got received, id string) error {
	if err := os.Rename(got.path, i.path(id)); err != nil {
		return unavailable("store the file", err)
	}
	dir, err := os.Open(i.o.Dir)
	if err != nil {
		return unavailable("store the file", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil { // or a power cut takes the name back
		return unavailable("store the file", err)
	}
	return nil
}

// keepFailed is how long the file of a load that failed is kept for who looks into it.
const keepFailed = 7 * 24 * time.Hour

// recover queues the files that were accepted and not loaded, and removes the rest.
func (i *Intake) recover() error {
	entries, err := os.ReadDir(i.o.Dir)
	if err != nil {
		return unavailable("read the directory of uploads", err)
	}
	for _, e := range entries {
		path := filepath.Join(i.o.Dir, e.Name())
		id, ours := strings.CutPrefix(e.Name(), finished)
		id, whole := strings.CutSuffix(id, suffix)
		if !ours || !whole {
			if strings.HasPrefix(e.Name(), partial) {
				err = errors.Join(err, remove(path))
			}
			continue
		}
		up, lost := i.o.Store.Upload(id)
		switch {
		case gateway.KindOf(lost) == gateway.KindNotFound: // the process ended before it was accepted
			err = errors.Join(err, remove(path))
		case lost != nil:
			return lost
		case up.State == stateLoading:
			up.Path = path // the directory may have moved
			i.enqueue(up)
		case up.State == stateDone, up.State == stateFailed && i.o.Now().Sub(up.Finished) > keepFailed:
			err = errors.Join(err, remove(path))
		}
	}
	return err
}

// remove removes a file that may be gone already.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable("remove a loaded file", err)
	}
	return nil
}

func closed(f *os.File) error {
	if err := f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return unavailable("store the file", err)
	}
	return nil
}

// written tells a fault of the disk from one of the body.
type written struct {
	f   *os.File
	err error
}

func (w *written) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// patient reads until its context ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
