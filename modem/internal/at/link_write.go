package at

import (
	"bytes"
	"errors"
	"io"
)

const (
	ctrlZ = 0x1A // ends a payload (TS 27.005 §3.5.1)
	esc   = 0x1B // cancels it
)

// errGivenUp answers a payload whose command was given up: nothing was written.
var errGivenUp = errors.New("the command was given up before its payload was written")

// Write is the library's writer. It learns here which command is in flight: a
// command ends with CR LF, one with a prompt with CR alone, a payload with Ctrl-Z.
func (l *Link) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := l.note(p); err != nil {
		return 0, err
	}
	// V.250 §5.2.1: CR ends a command line. What follows it could abort the command (§5.6.1).
	if p[0] != esc && bytes.HasSuffix(p, []byte("\r\n")) {
		if n, err := l.port.Write(p[:len(p)-1]); err != nil {
			return n, err
		}
		return len(p), nil
	}
	return l.port.Write(p)
}

func (l *Link) note(p []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return io.ErrClosedPipe
	}
	switch last := p[len(p)-1]; {
	case p[0] == esc:
		l.trace.out([]byte("<ESC>"))
	case last == ctrlZ:
		if !l.cmd.running || l.cmd.payload {
			return errGivenUp
		}
		l.cmd.payload = true
		l.cmd.echo = append(l.cmd.echo[:0], p[:len(p)-1]...)
		l.trace.out(l.cmd.echo)
	default:
		l.fly(bytes.TrimRight(p, "\r\n"), last == '\r')
	}
	return nil
}

// fly begins a command.
func (l *Link) fly(line []byte, sms bool) {
	id := bytes.TrimPrefix(line, []byte("AT"))
	if i := bytes.IndexAny(id, "=?"); i >= 0 {
		id = id[:i]
	}
	l.cmd = flight{
		running: true, sms: sms,
		name: append(l.cmd.name[:0], id...),
		echo: append(l.cmd.echo[:0], line...),
	}
	l.trace.out(line)
}

// Abandon gives the command in flight up: the library gets an ERROR for it, and
// whatever the modem still says to it is swallowed, but for a late +CMGS (A4).
func (l *Link) Abandon() Cut {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := Cut{Running: l.cmd.running, Payload: l.cmd.payload}
	if !l.cmd.running {
		return c
	}
	l.flush() // a text without its end may have eaten the answer
	l.fail()
	l.ready.Signal()
	l.trace.note("given up")
	return c
}

// fail ends the command in flight with a final result of our own.
func (l *Link) fail() {
	l.cmd.running = false
	l.out = append(l.out, "ERROR\n"...)
}

// Listen begins to listen for echoes; Settle then says that a modem without one
// echoes nothing, and that an echo from here on means a restart.
func (l *Link) Listen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute, l.echo = false, false
}

// Settle ends what Listen began.
func (l *Link) Settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = !l.echo
}

// Forget forgets what the last command did: what Wrote says belongs to the next.
func (l *Link) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cmd.running {
		l.cmd.payload = false
	}
}

// Wrote says whether the command in flight has written its payload.
func (l *Link) Wrote() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cmd.payload
}

// Late gives, once, the arguments of a +CMGS that came after its command was given up.
func (l *Link) Late() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.late
	l.late = ""
	return s, s != ""
}
