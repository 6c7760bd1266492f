package at

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// fake is the far side of a port. Everything runs in a bubble: time passes only
// while everybody waits.
type fake struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader

	mu    sync.Mutex
	heard []string
}

// pair gives a port and the modem behind it.
func pair(t testing.TB) (io.ReadWriteCloser, *fake) {
	near, far := net.Pipe()
	t.Cleanup(func() { far.Close() })
	return near, &fake{t: t, conn: far, r: bufio.NewReader(far)}
}

// next reads what was written up to CR or Ctrl-Z; false at the end.
func (f *fake) next() (string, bool) {
	var b []byte
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			return "", false
		}
		if c == '\r' || c == ctrlZ {
			return strings.Trim(string(b), "\n\x1b"), true
		}
		b = append(b, c)
	}
}

func (f *fake) say(s string) {
	if _, err := io.WriteString(f.conn, s); err != nil {
		f.t.Logf("modem: %v", err)
	}
}

// script answers each line by the table, once per entry of a list, until the port
// closes. A line that the table does not know gets OK; "" is silence.
func (f *fake) script(answers map[string][]string) {
	go func() {
		for {
			cmd, ok := f.next()
			if !ok {
				return
			}
			f.mu.Lock()
			f.heard = append(f.heard, cmd)
			f.mu.Unlock()
			list, known := answers[cmd]
			switch {
			case !known:
				f.say(standardAnswer(cmd))
			case len(list) > 0:
				answers[cmd] = list[1:]
				if list[0] != "" {
					f.say(list[0])
				}
			}
		}
	}()
}

// got gives the lines that were written so far.
func (f *fake) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

func standardAnswer(cmd string) string {
	switch cmd {
	case "":
		return ""
	case "AT+CMGF?":
		return "\r\n+CMGF: 0\r\n\r\nOK\r\n"
	}
	return "\r\nOK\r\n"
}

// bubble runs a test with a session on a fake modem.
func bubble(t *testing.T, test func(t *testing.T, s *Session, f *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		port, f := pair(t)
		s := New(Options{Port: port, Trace: new(Recorder)})
		defer s.Close()
		test(t, s, f)
	})
}

var bg = context.Background()
