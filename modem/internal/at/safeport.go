package at

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of a SafePort.
const (
	// WriteTimeout is how long one write may block before the port is given up: a modem
	// that drains nothing for so long is dead.
	WriteTimeout = 10 * time.Second
	// CloseGrace is how long Close waits for a write in progress, and then for the kernel.
	CloseGrace = time.Second

	emptyReads = 100                  // reads without a byte or an error before the loop slows down
	emptyPause = 5 * time.Millisecond // and its pace then
)

var errClosed = errors.New("port closed")

// SafePort is a port that can be closed at any time from any goroutine: a write
// after Close gives io.ErrClosedPipe and touches no descriptor, a blocked write
// closes the port after WriteTimeout, a panic below becomes an error, and Close
// returns within 2 * CloseGrace. The first fault is kept as the Cause.
type SafePort struct {
	inner   io.ReadWriteCloser
	timeout time.Duration
	watch   *time.Timer // closes the port under a write that blocks
	writing chan struct{}
	closed  atomic.Bool
	done    chan struct{}

	mu    sync.Mutex
	cause error
}

// NewSafePort guards an open port.
func NewSafePort(inner io.ReadWriteCloser) *SafePort {
	return newSafePort(inner, WriteTimeout)
}

func newSafePort(inner io.ReadWriteCloser, timeout time.Duration) *SafePort {
	s := &SafePort{inner: inner, timeout: timeout, writing: make(chan struct{}, 1), done: make(chan struct{})}
	s.watch = time.AfterFunc(timeout, func() {
		s.CloseWith(fmt.Errorf("write blocked for %s", timeout)) // A5, S8: nothing below ever times out
	})
	s.watch.Stop()
	return s
}

// Read gives at least one byte or an error: never (0, nil), which would end the
// library's reader (A2).
func (s *SafePort) Read(p []byte) (int, error) {
	for empty := 0; ; empty++ {
		if s.closed.Load() {
			return 0, io.EOF
		}
		n, err := s.read(p)
		if err != nil {
			s.fail(fmt.Errorf("read: %w", err))
			return n, io.EOF
		}
		if n > 0 {
			return n, nil
		}
		if empty >= emptyReads {
			s.pause()
		}
	}
}

// pause keeps a port that always reads nothing from eating a processor.
func (s *SafePort) pause() {
	t := time.NewTimer(emptyPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}

func (s *SafePort) read(p []byte) (n int, err error) {
	defer caught(&err) // S1: a descriptor above 1023 panics in select
	return s.inner.Read(p)
}

// Write writes all of p, or says why not.
func (s *SafePort) Write(p []byte) (int, error) {
	select {
	case s.writing <- struct{}{}:
	case <-s.done:
		return 0, io.ErrClosedPipe
	}
	defer func() { <-s.writing }()
	s.watch.Reset(s.timeout)
	defer s.watch.Stop()
	done := 0
	for done < len(p) {
		if s.closed.Load() { // S2: the descriptor may belong to a database by now
			return done, io.ErrClosedPipe
		}
		n, err := s.write(p[done:])
		done += n
		if err != nil {
			s.fail(fmt.Errorf("write: %w", err))
			return done, err
		}
		if n == 0 {
			s.pause()
		}
	}
	return done, nil
}

func (s *SafePort) write(p []byte) (n int, err error) {
	defer caught(&err)
	n, err = s.inner.Write(p)
	if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EAGAIN) {
		err = nil // the library below does not try again
	}
	return n, err
}

// fail closes the port because of an error of its own, unless it is closed already.
func (s *SafePort) fail(err error) {
	if s.begin(err) {
		go s.release() // the caller is inside a read or a write, which release waits for
	}
}

// CloseWith closes the port and gives the reason, which Cause then tells.
func (s *SafePort) CloseWith(cause error) {
	if s.begin(cause) {
		s.release()
	}
}

// Close closes the port.
func (s *SafePort) Close() error {
	s.CloseWith(errClosed)
	return nil
}

func (s *SafePort) begin(cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Swap(true) {
		return false
	}
	s.cause = cause
	close(s.done)
	return true
}

// release gives the descriptor back. A write that is past its check of the flag
// holds the token; one that still holds it after the grace sits in its system call,
// where the kernel keeps the file for it, and will see the flag before the next.
func (s *SafePort) release() {
	grace := time.NewTimer(CloseGrace)
	defer grace.Stop()
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-grace.C:
		grace.Reset(CloseGrace)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		var err error
		defer caught(&err)
		s.inner.Close()
	}()
	select {
	case <-closed:
	case <-grace.C: // S8: the kernel lets go when the device hangs up; nobody waits for it
	}
}

// Done is closed when the port is.
func (s *SafePort) Done() <-chan struct{} { return s.done }

// Cause says why the port is closed; nil while it is open.
func (s *SafePort) Cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("port panicked: %v", r)
	}
}
