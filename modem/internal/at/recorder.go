package at

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"
)

const (
	traceLines = 160 // kept by a Recorder: some minutes of a channel that works
	traceWidth = 80  // bytes kept of each
)

// Recorder keeps the last lines between us and a modem, as evidence when something
// goes wrong: PDUs as their length, digits of numbers and texts as stars, no PIN.
// A nil Recorder records nothing.
type Recorder struct {
	Now func() time.Time // nil = time.Now; set once

	mu   sync.Mutex
	ring [traceLines]traced
	next int
}

type traced struct {
	at  int64 // Unix ms
	dir byte  // '<' from the modem, '>' to it, '-' a remark
	n   uint8
	b   [traceWidth]byte
}

// in keeps what the modem said. A line that is no result and no answer may be the text of
// a message, from a modem that fell back to text mode: its length is kept.
func (r *Recorder) in(b []byte) {
	if r != nil && !formal(b) {
		b = fmt.Appendf(nil, "<%d octets>", len(b))
	}
	r.put('<', b)
}

func (r *Recorder) out(b []byte)  { r.put('>', b) }
func (r *Recorder) note(s string) { r.put('-', []byte(s)) }

// formal says that a line has the form of a result code, of an answer that names its
// command, of an echo, or of a number.
func formal(b []byte) bool {
	if len(b) == 0 || isFinal(b) || isHex(b) || digitRun(b) == len(b) || bytes.HasPrefix(b, []byte("AT")) {
		return true
	}
	if _, ok := known[string(name(b))]; ok {
		return true
	}
	return len(b) > 2 && (b[0] == '+' || b[0] == '^') && b[1] >= 'A' && b[1] <= 'Z' && bytes.IndexByte(b, ':') > 0
}

func (r *Recorder) put(dir byte, b []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &r.ring[r.next%traceLines]
	r.next++
	if r.Now == nil {
		r.Now = time.Now
	}
	e.at, e.dir = r.Now().UnixMilli(), dir
	e.n = uint8(redact(e.b[:], b))
}

// Lines gives what is kept, oldest first.
func (r *Recorder) Lines() []string {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for i := max(0, r.next-traceLines); i < r.next; i++ {
		e := &r.ring[i%traceLines]
		lines = append(lines, fmt.Sprintf("%s %c %s", time.UnixMilli(e.at).UTC().Format("15:04:05.000"), e.dir, e.b[:e.n]))
	}
	return lines
}

var pinLine = []byte("AT+CPIN=")

// redact copies b to dst without what must not be kept, and gives the length.
// What is in quotes and is a text, a number or a PIN becomes stars; so do runs of
// seven digits and more, but for the last three.
func redact(dst, b []byte) int {
	if bytes.HasPrefix(b, pinLine) {
		return copy(dst, "AT+CPIN=***")
	}
	if len(b) >= 20 && isHex(b) {
		n := copy(dst, "<pdu ")
		n += copy(dst[n:], strconv.AppendInt(dst[n:n], int64(len(b)/2), 10))
		return n + copy(dst[n:], " octets>")
	}
	n := 0
	var quote bool
	private := secret(b)
	for i := 0; i < len(b) && n < len(dst); {
		if d := digitRun(b[i:]); d >= 7 || d > 0 && quote && private {
			n += stars(dst[n:], b[i:i+d], private)
			i += d
			continue
		}
		c := b[i]
		switch {
		case c == '"':
			quote = !quote
		case quote && private || c < 0x20:
			c = '*'
		}
		dst[n] = c
		n++
		i++
	}
	return n
}

// secret says that what a line holds in quotes is a PIN or a text.
func secret(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("AT"))
	if len(b) < 5 || b[0] != '+' {
		return bytes.IndexByte(b, '"') >= 0 && b[0] != '^'
	}
	switch string(b[1:5]) {
	case "CUSD", "CLCK", "CPWD", "CPBR", "CNUM", "CMT:", "CMGL", "CMGR":
		return true
	}
	return false
}

func digitRun(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// stars writes digits as stars, all but the last three unless they are secret.
func stars(dst, digits []byte, all bool) int {
	n := 0
	for i, c := range digits {
		if n == len(dst) {
			break
		}
		if all || i < len(digits)-3 {
			c = '*'
		}
		dst[n] = c
		n++
	}
	return n
}
