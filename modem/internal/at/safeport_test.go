package at

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// odd is a port whose methods are given one by one.
type odd struct {
	read  func([]byte) (int, error)
	write func([]byte) (int, error)
	close func() error
}

func (o *odd) Read(p []byte) (int, error)  { return o.read(p) }
func (o *odd) Write(p []byte) (int, error) { return o.write(p) }
func (o *odd) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

func TestSafePortNeverReadsNothingA2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := NewSafePort(&odd{read: func(p []byte) (int, error) {
			if n++; n < 500 {
				return 0, nil
			}
			return copy(p, "OK"), nil
		}})
		if got, err := s.Read(make([]byte, 8)); got != 2 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
		s.Close()
	})
}

func TestSafePortTurnsAPanicIntoACauseS1(t *testing.T) {
	s := NewSafePort(&odd{
		read: func([]byte) (int, error) { panic("index out of range [16]") },
	})
	if _, err := s.Read(make([]byte, 8)); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	<-s.Done()
	if c := s.Cause(); c == nil || !strings.Contains(c.Error(), "index out of range") {
		t.Errorf("cause %v", c)
	}
}

func TestSafePortWritesNothingAfterCloseS2(t *testing.T) {
	wrote := 0
	s := NewSafePort(&odd{write: func(p []byte) (int, error) { wrote += len(p); return len(p), nil }})
	var w sync.WaitGroup
	for range 8 {
		w.Go(func() {
			for {
				if _, err := s.Write([]byte("AT\r")); err != nil {
					if !errors.Is(err, io.ErrClosedPipe) {
						t.Errorf("got %v, want io.ErrClosedPipe", err)
					}
					return
				}
			}
		})
	}
	s.Close()
	w.Wait()
	before := wrote
	if _, err := s.Write([]byte("AT\r")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want io.ErrClosedPipe", err)
	}
	if wrote != before {
		t.Error("a write reached the port after Close")
	}
}

func TestSafePortGivesUpABlockedWriteA5S8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangUp := make(chan struct{})
		s := NewSafePort(&odd{
			write: func(p []byte) (int, error) { <-hangUp; return 0, errors.New("hung up") },
		})
		ended := make(chan error, 1)
		go func() { _, err := s.Write([]byte("AT\r")); ended <- err }()
		begin := time.Now()
		<-s.Done()
		if d := time.Since(begin); d != WriteTimeout {
			t.Errorf("closed after %s, want %s", d, WriteTimeout)
		}
		if c := s.Cause(); c == nil || !strings.Contains(c.Error(), "write blocked") {
			t.Errorf("cause %v", c)
		}
		close(hangUp)
		if err := <-ended; err == nil {
			t.Error("a blocked write succeeded")
		}
	})
}

func TestSafePortCloseReturnsWhenTheKernelDoesNotS8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		s := NewSafePort(&odd{close: func() error { <-never; return nil }})
		begin := time.Now()
		s.Close()
		if d := time.Since(begin); d > 2*CloseGrace {
			t.Errorf("Close took %s", d)
		}
		close(never)
	})
}

func TestSafePortWritesTheRestOfAShortWrite(t *testing.T) {
	var got []byte
	s := NewSafePort(&odd{write: func(p []byte) (int, error) {
		got = append(got, p[0])
		return 1, nil
	}})
	if n, err := s.Write([]byte("AT+CSQ\r")); n != 7 || err != nil || string(got) != "AT+CSQ\r" {
		t.Errorf("%d, %v, %q", n, err, got)
	}
	s.Close()
}

func TestSafePortKeepsTheFirstCause(t *testing.T) {
	s := NewSafePort(&odd{read: func([]byte) (int, error) { return 0, errors.New("unplugged") }})
	s.Read(make([]byte, 1))
	s.Close()
	if c := s.Cause(); c == nil || c.Error() != "read: unplugged" {
		t.Errorf("cause %v", c)
	}
}
