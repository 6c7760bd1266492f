package at

import (
	"bytes"
	"io"
	"sync"
)

// urcQueue is how many unsolicited lines wait for a slow listener, which puts what it
// cannot store at once aside. It is held for each modem, used or not: 12 KiB.
const urcQueue = 256

// Cut is what a command had done when it was given up.
type Cut struct {
	Running bool // it was still running; otherwise its answer had just come
	Payload bool // its payload was written, or begun: it may take effect
}

// LinkStats counts what a Link took out of the stream, since it began.
type LinkStats struct {
	Lost  uint64 // unsolicited lines that nobody fetched in time
	Noise uint64 // lines that were too long or were none
	Stale uint64 // answers that came after their command was given up
}

// Link stands between a port and the library. Its pump reads the port, sends
// unsolicited lines one way, in order, and the answer of the command in flight the
// other. It hands the library one prompt and one final result a command, whatever
// comes in, and can make up the final result of a command that is given up.
type Link struct {
	port  io.ReadWriter
	trace *Recorder
	extra map[string]bool // names of further unsolicited lines; never written
	urcs  chan URC
	ended chan struct{} // closed when the pump has returned

	mu    sync.Mutex
	ready sync.Cond // out or over changed
	out   []byte    // what the library has not read yet
	over  bool      // the port is gone
	split splitter
	cmd   flight
	open  pending
	late  string // the "+CMGS: n" of a command that was given up
	heard uint64 // bytes read: it stands still while the modem is quiet
	mute  bool   // the modem was told to echo nothing, and obeyed
	echo  bool   // it has echoed since
	stats LinkStats
}

// flight is the command that waits for its answer.
type flight struct {
	running  bool
	payload  bool   // the payload was written
	sms      bool   // it has a prompt
	prompted bool   // and it came
	stale    bool   // an answer of an earlier command was seen: its final is not ours
	name     []byte // such as +CMGS
	echo     []byte // what the modem may echo: the command, then the payload
	size     int    // bytes of the answer so far
}

// pending is an unsolicited line that is not complete.
type pending struct {
	active bool
	shape  shape
	urc    URC
	text   []byte
}

// NewLink starts to pump a port. extra names unsolicited lines beside the known
// ones. The pump ends when the port gives an error.
func NewLink(port io.ReadWriter, trace *Recorder, extra ...string) *Link {
	l := &Link{port: port, trace: trace, urcs: make(chan URC, urcQueue), ended: make(chan struct{})}
	l.ready.L = &l.mu
	l.extra = make(map[string]bool, len(extra))
	for _, n := range extra {
		l.extra[n] = true
	}
	go l.pump()
	return l
}

// URCs gives the unsolicited lines in the order in which they came (A6). It is
// closed when the port is gone.
func (l *Link) URCs() <-chan URC { return l.urcs }

// Ended is closed when the port is gone and nothing more is read.
func (l *Link) Ended() <-chan struct{} { return l.ended }

// Stats gives the counters.
func (l *Link) Stats() LinkStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Noise += l.split.dropped
	return s
}

// Heard grows with each byte that the modem sends.
func (l *Link) Heard() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

func (l *Link) pump() {
	defer close(l.ended)
	defer close(l.urcs)
	defer l.end()
	buf := make([]byte, 2048)
	for {
		n, err := l.port.Read(buf)
		if n > 0 {
			l.take(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (l *Link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	l.over = true
	l.cmd.running = false
	l.ready.Broadcast()
}

func (l *Link) take(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard += uint64(len(p))
	l.split.feed(p, l.line, l.prompt)
	if len(l.out) > 0 {
		l.ready.Signal()
	}
}

// prompt takes a '>' at the beginning of a line. The library gets it once a command
// (A14) and never otherwise: it would write the payload again. Within a USSD text
// it is part of the text.
func (l *Link) prompt() bool {
	if l.open.active && l.open.shape == quoted {
		return false
	}
	if l.cmd.running && l.cmd.sms && !l.cmd.prompted {
		l.cmd.prompted = true
		l.out = append(l.out, '>')
	}
	return true
}

// line sends one line where it belongs.
func (l *Link) line(b []byte) {
	if l.open.active && l.more(b) {
		return
	}
	if noise(b) {
		l.stats.Noise++
		return
	}
	if l.echoed(b) {
		l.reborn()
		return
	}
	l.trace.in(b)
	n := name(b)
	if s, ok := l.unsolicited(n, b); ok {
		l.begin(s, n, b)
		return
	}
	l.answer(n, b)
}

// echoed says that a line is what we wrote ourselves.
func (l *Link) echoed(b []byte) bool {
	return l.cmd.running && len(l.cmd.echo) > 0 && bytes.Equal(bytes.TrimRight(b, "\x1a"), l.cmd.echo)
}

// reborn takes note of an echo. A modem that echoes again has started again in
// silence, and may be in text mode: there, the length in AT+CMGS is a number, and the
// TPDU in hex would be its text.
func (l *Link) reborn() {
	l.echo = true
	if !l.mute {
		return
	}
	l.mute = false
	l.trace.note("it echoes: it has started again")
	l.emit(URC{Name: Restarted})
	if l.cmd.sms && !l.cmd.payload {
		l.fail() // no prompt is passed on any more
	}
}

// unsolicited says whether nobody asked for a line, and how it goes on.
func (l *Link) unsolicited(n, b []byte) (shape, bool) {
	s, ok := known[string(n)]
	if !ok && !l.extra[string(n)] {
		return 0, false
	}
	switch asked := l.cmd.running && bytes.Equal(n, l.cmd.name); {
	case s == final:
		return s, l.cmd.running
	case !asked, s == withPDU:
		return s, true
	case s == quoted:
		return s, bytes.IndexByte(l.cmd.echo, '=') > 0 // only AT+CUSD? has an answer of that name
	case s == status:
		return s, !isStatusAnswer(args(b))
	}
	return s, false
}

// begin starts an unsolicited line, and ends it where it is complete.
func (l *Link) begin(s shape, n, b []byte) {
	if s == final {
		l.answer(n, []byte("ERROR"))
		return
	}
	u := URC{Name: string(n), Args: string(args(b))}
	switch {
	case s == withPDU:
		l.open = pending{active: true, shape: s, urc: u}
	case s == quoted && !closed(args(b)):
		l.open = pending{active: true, shape: s, urc: u, text: append(l.open.text[:0], args(b)...)}
	default:
		l.emit(u)
	}
}

// more gives an open line its next line. false says that b does not belong to it.
func (l *Link) more(b []byte) bool {
	if l.open.shape == withPDU {
		if !isHex(b) { // A16: the PDU was lost; the next line is somebody else's
			l.flush()
			return false
		}
		l.trace.in(b)
		l.open.urc.PDU = string(b)
		l.flush()
		return true
	}
	if l.cmd.payload && l.cmd.running && outcome(b) { // a text without its end must not cost a message its outcome
		l.flush()
		return false
	}
	l.open.text = append(append(l.open.text, '\n'), b...)
	if closed(l.open.text) || len(l.open.text) > maxQuote {
		l.flush()
	}
	return true
}

// flush hands out what is open as it is.
func (l *Link) flush() {
	if !l.open.active {
		return
	}
	u := l.open.urc
	if l.open.shape == quoted {
		u.Args = string(l.open.text)
	}
	l.open.active = false
	l.emit(u)
}

func (l *Link) emit(u URC) {
	select {
	case l.urcs <- u:
	default:
		l.stats.Lost++ // the pump must not wait: answers would stop. Sweeps find what +CMTI told
	}
}

var smsReference = []byte("+CMGS")

// answer hands a line to the library, if a command waits for it.
func (l *Link) answer(n, b []byte) {
	ends := isFinal(b)
	if !l.cmd.running || !l.cmd.payload && bytes.Equal(n, smsReference) {
		l.stale(n, b)
		return
	}
	if ends && l.cmd.stale { // the OK behind a late +CMGS
		l.cmd.stale = false
		l.stats.Stale++
		return
	}
	if l.cmd.size += len(b); l.cmd.size > maxAnswer && !ends {
		l.stats.Noise++
		return
	}
	l.out = append(append(l.out, b...), '\n')
	if ends {
		l.cmd.running = false
	}
}

// stale takes a line that came too late: after the final result, after its command
// was given up (A4), or a reference that the command in flight cannot have (A4b).
func (l *Link) stale(n, b []byte) {
	l.stats.Stale++
	if bytes.Equal(n, smsReference) {
		l.late = string(args(b))
		l.cmd.stale = l.cmd.running
	}
}

// Read is the library's reader: it waits for lines that answer a command.
func (l *Link) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.out) == 0 {
		if l.over {
			return 0, io.EOF
		}
		l.ready.Wait()
	}
	n := copy(p, l.out)
	l.out = l.out[:copy(l.out, l.out[n:])]
	return n, nil
}
