package spool

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// Options are what Open needs to know. Only Path must be given.
type Options struct {
	Path    string
	Version string           // of the program, kept in the file for who cannot read it
	Now     func() time.Time // nil = time.Now
	Logger  *slog.Logger     // nil = none
	// Zone is where the day and the month of a SIM's quota begin; nil = UTC.
	Zone *time.Location
	// ResetDay gives the day of the month, 1 to 28, on which a SIM's billing month
	// begins; nil = 1. It may change at any time, must not block, and is asked by many goroutines.
	ResetDay func(sim string) int
	// Timeout is how long another process may hold the file; 0 = 2 s.
	Timeout time.Duration
	// MaxSize bounds the file, in bytes, from 16 MiB; 0 = only the disk does. A 32-bit
	// program has room for 1 GiB, whatever it says. New messages are refused when nine tenths of it are in use, so that the rest can still end well.
	MaxSize int64
	// ResendAfter is how long a message in doubt waits for a report before the policy
	// UnknownResend queues it again; 0 = 10 min.
	ResendAfter time.Duration
	// KeepEvents is how many of the newest events are kept; 0 = 100,000.
	KeepEvents int
	// OnQueued is told of a campaign whose queue grew, by rows that may go later too,
	// after the commit: the priority and entry position of the row, or position 0 for many
	// rows, whose best priority it is. It runs in the writer's goroutine and must not block.
	OnQueued func(campaign string, priority uint16, idm uint64)

	// Normalise writes the sender of an inbound message as the site writes numbers;
	// nil = as the network wrote it.
	Normalise func(typed string) (gateway.Address, error)
	// Judge says what an inbound message asks of us, from its text: stop lists its sender
	// for every campaign as an opt-out, start takes that off, in the commit that stores the
	// message, where the sender's own stop of before is why it is there. It runs in the writer's goroutine, more than once for one message; nil = nothing.
	Judge func(text string) gateway.Wish

	// openFile opens the file: a test measures and breaks it.
	openFile func(string, int, os.FileMode) (*os.File, error)
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.ResendAfter <= 0 {
		o.ResendAfter = 10 * time.Minute
	}
	if o.KeepEvents <= 0 {
		o.KeepEvents = 100_000
	}
	if o.OnQueued == nil {
		o.OnQueued = func(string, uint16, uint64) {}
	}
	o.MaxSize = sizeLimit(o.MaxSize, strconv.IntSize)
}

// Spool is the store of one box: one file, many readers, one writer. It is safe
// for use by many goroutines.
type Spool struct {
	// set once, by Open
	o      Options
	log    *slog.Logger
	db     *bbolt.DB
	w      *writer
	node   string
	epoch  uint64
	failed chan struct{} // closed at the first fault of the storage

	importing chan struct{} // cap 1: the import of a blacklist that runs

	stats  counted
	mirror mirror
	tail   tail
	users  users

	doubting bell // another doubt
	wishing  bell // another wish to confirm

	closing sync.Once
	closed  error

	// under mu
	mu    sync.Mutex
	fault error
}

// Node is the name of this store, made with its file.
func (s *Spool) Node() string { return s.node }

// Epoch is the number under which its events count from 1.
func (s *Spool) Epoch() uint64 { return s.epoch }

// Failed is closed when the storage has failed: reading or writing the file
// broke, and nothing more is promised of it. The process should end, and say so.
func (s *Spool) Failed() <-chan struct{} { return s.failed }

// Close commits what waits and closes the file. After a fault of the storage the
// file is left to the end of the process, since its locks may be held for ever.
func (s *Spool) Close() error {
	s.closing.Do(func() {
		s.w.close()
		if s.broken() != nil {
			return
		}
		s.closed = s.db.Close()
	})
	return s.closed
}

// view reads in one snapshot. It must be short, and must not write: the file
// cannot be mapped anew while it lasts.
func (s *Spool) view(fn func(*bbolt.Tx) error) error {
	return s.guard(func() error { return s.db.View(fn) })
}

// guard turns a fault under the memory map (SIGBUS on a truncated file or a dead
// disk, which would end the process) and bbolt's own panics on a damaged page into
// an error, and trips Failed.
func (s *Spool) guard(fn func() error) (err error) {
	if err := s.broken(); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = s.fail(fmt.Errorf("%v", p), debug.Stack())
		}
	}()
	return fn()
}

// fail records the first fault and trips Failed.
func (s *Spool) fail(cause error, stack []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil {
		s.fault = gateway.Errorf(gateway.KindUnavailable, "the storage has failed: %w", cause)
		s.log.Error("storage failed", "path", s.o.Path, "error", cause, "stack", string(stack))
		close(s.failed)
	}
	return s.fault
}

// broken gives the fault that tripped Failed; nil while all is well.
func (s *Spool) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// storageError judges an error of a commit: a full disk passes, anything else is
// a fault, because what a failed sync left behind is unknown.
func (s *Spool) storageError(err error) error {
	if isFull(err) {
		return gateway.Errorf(gateway.KindUnavailable, "the disk or the spool is full, nothing was stored: %w", err)
	}
	if gateway.KindOf(err) != gateway.KindInternal {
		return err
	}
	return s.fail(err, nil)
}

func errClosed() error {
	return gateway.Errorf(gateway.KindUnavailable, "the spool is closed")
}

// room refuses new rows when the file is nearly full, so that what is in it can
// still be sent, with its outcome, its event and its reference, and written down.
func (s *Spool) room() error {
	if s.o.MaxSize <= 0 {
		return nil
	}
	// bbolt 1.5: the file never grows into its last allocation.
	limit := s.o.MaxSize - allocSize
	used := s.stats.size.Load() - s.stats.free.Load()
	if used+int64(s.waitingRows())*endOfRow < limit/10*9 {
		return nil
	}
	return gateway.Errorf(gateway.KindUnavailable, "the spool is full: %d MiB of %d are in use, and the rest is for the messages that wait", used>>20, limit>>20)
}

// Room says whether new rows fit: nil, or the unavailable error that they would get.
func (s *Spool) Room() error {
	if err := s.broken(); err != nil {
		return err
	}
	return s.room()
}

const (
	// allocSize is the step in which the file grows. bbolt's 16 MiB would waste a small card.
	allocSize = 4 << 20
	minSize   = 4 * allocSize // the least MaxSize that leaves room to work in
	// endOfRow is what a row takes, about, from the queue to its outcome: its record
	// grows by 250 bytes, its event and its reference have 180, its index entry moves.
	endOfRow = 512
)

// max32 is the largest file that a 32-bit program can map: bbolt maps the whole
// file, in one piece, beside all else in 2 to 4 GiB.
const max32 = 1 << 30

// sizeLimit bounds MaxSize by the address space: a file that has outgrown it would
// not open again.
func sizeLimit(size int64, bits int) int64 {
	if bits == 32 && (size <= 0 || size > max32) {
		return max32
	}
	return size
}

// mmapSize is how much of the address space the file gets at once, so that a
// growing file need not wait for its readers to be mapped anew.
func mmapSize() int {
	if strconv.IntSize == 32 {
		return 256 << 20
	}
	return 1 << 30
}

// Emit appends an event of a room, such as a channel's new state.
func (s *Spool) Emit(ctx context.Context, kind string, body any) error {
	return s.update(ctx, func(t *tx) error { return t.emit(kind, body) })
}
