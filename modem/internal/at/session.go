package at

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/warthog618/modem/at"
)

// Options say how to talk to a modem.
type Options struct {
	Port  io.ReadWriteCloser // open; the session closes it
	URCs  []string           // names of unsolicited lines beside the known ones
	Trace *Recorder          // nil = none
	Times Times              // zero times = those for real modems
}

// Session is a conversation with one modem: one command at a time, each with a
// deadline. It is safe for use by many goroutines.
type Session struct {
	port  *SafePort
	link  *Link
	at    *at.AT
	trace *Recorder
	times Times
	turn  turn

	calls   chan call
	results chan result

	// Owned by whoever holds the turn.
	silent bool // the modem did not answer, and did not come back to sync
	timer  *time.Timer
}

type call struct{ cmd, payload string }

type result struct {
	info []string
	err  error
}

// Why a command has no answer.
var (
	ErrNoAnswer = errors.New("no answer")                 // to this command; the modem is in sync again
	ErrSilent   = errors.New("the modem does not answer") // to anything: Revive may help
)

// New starts a session on an open port. It writes nothing yet: see Init.
func New(o Options) *Session {
	port := NewSafePort(o.Port)
	link := NewLink(port, o.Trace, o.URCs...)
	s := &Session{
		port: port, link: link, trace: o.Trace, times: o.Times.or(standard),
		calls: make(chan call, 1), results: make(chan result, 1),
		timer: time.NewTimer(time.Hour),
	}
	// The session keeps the time itself: the library's own timer would send ESC after
	// Ctrl-Z, which aborts a send in progress on some modems.
	s.at = at.New(link, at.WithTimeout(-1), at.WithCmds(initCommands...))
	go s.work()
	return s
}

// initCommands put a modem into the state that the Link expects. ATZ is not among
// them: it loads a profile that may bring the echo back.
var initCommands = []string{"E0", "V1", "Q0", "+CMEE=1", "+CMGF=0"}

// work runs the commands: the library cannot be interrupted, its caller must be.
func (s *Session) work() {
	for {
		select {
		case c := <-s.calls:
			s.results <- s.do(c)
		case <-s.at.Closed():
			return
		}
	}
}

func (s *Session) do(c call) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("at panicked: %v", p)
		}
	}()
	if c.payload != "" {
		r.info, r.err = s.at.SMSCommand(c.cmd, c.payload)
		return r
	}
	r.info, r.err = s.at.Command(c.cmd)
	return r
}

// URCs gives the unsolicited lines, in order; closed when the port is gone.
func (s *Session) URCs() <-chan URC { return s.link.URCs() }

// Done is closed when the port is gone. Cause then says why.
func (s *Session) Done() <-chan struct{} { return s.port.Done() }

// Cause says why the port is gone; nil while it is there.
func (s *Session) Cause() error { return s.port.Cause() }

// Stats gives the counters of the Link.
func (s *Session) Stats() LinkStats { return s.link.Stats() }

// Close closes the port and waits, for a bounded time, for what reads from it.
func (s *Session) Close() error {
	s.port.Close()
	t := time.NewTimer(CloseGrace)
	defer t.Stop()
	for _, ended := range []<-chan struct{}{s.link.Ended(), s.at.Closed()} {
		select {
		case <-ended:
		case <-t.C: // a system call that the kernel does not end: see SafePort
			return nil
		}
	}
	return nil
}

// CloseWith closes the port for a reason, which Cause then tells.
func (s *Session) CloseWith(cause error) { s.port.CloseWith(cause) }
