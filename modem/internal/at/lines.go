package at

import "bytes"

// Bounds of what is read.
const (
	maxLine  = 4096 // bytes of a line: the longest answers (+COPS=?, USSD in hex) stay below half of it
	maxQuote = 4096 // bytes of a USSD text over several lines
	// bytes of an answer: +CMGL of a memory of 255 messages takes 96 KiB
	maxAnswer = 256 << 10
)

// splitter cuts a stream of bytes into lines. CR and LF both end one, blank lines
// are dropped, and so are lines longer than maxLine (A3) and lines that are noise.
type splitter struct {
	buf     []byte
	skip    bool // within a line that is too long
	dropped uint64
}

// feed calls line for each complete line of p. Before each byte that would begin a
// line it asks prompt whether a '>' there is the prompt of a command; true takes
// the '>' out. The line is valid during the call only.
func (s *splitter) feed(p []byte, line func([]byte), prompt func() bool) {
	for len(p) > 0 {
		if len(s.buf) == 0 && !s.skip {
			p = s.start(p, prompt)
			if len(p) == 0 {
				return
			}
		}
		end := lineEnd(p)
		if end < 0 {
			s.keep(p)
			return
		}
		s.finish(p[:end], line)
		p = p[end+1:]
	}
}

// start eats what may come before a line: line ends, blanks, NULs, and the prompt.
// A13: the blank behind the prompt is eaten here, in the same read or a later one.
func (s *splitter) start(p []byte, prompt func() bool) []byte {
	for len(p) > 0 {
		switch p[0] {
		case '\r', '\n', ' ', 0:
		case '>':
			if !prompt() {
				return p
			}
		default:
			return p
		}
		p = p[1:]
	}
	return p
}

func lineEnd(p []byte) int {
	for i, c := range p {
		if c == '\r' || c == '\n' {
			return i
		}
	}
	return -1
}

func (s *splitter) keep(p []byte) {
	if s.skip {
		return
	}
	if len(s.buf)+len(p) > maxLine {
		s.skip, s.buf = true, s.buf[:0]
		return
	}
	s.buf = append(s.buf, p...)
}

func (s *splitter) finish(tail []byte, line func([]byte)) {
	whole := tail
	if len(s.buf) > 0 && !s.skip {
		if len(s.buf)+len(tail) > maxLine {
			s.skip = true
		} else {
			s.buf = append(s.buf, tail...)
			whole = s.buf
		}
	}
	bad := s.skip || len(whole) > maxLine
	s.skip = false
	if bad {
		s.dropped++
	} else if whole = bytes.TrimRight(whole, " \x00"); len(whole) > 0 {
		line(whole)
	}
	s.buf = s.buf[:0]
}

// noise says that a line holds control characters, which no answer does. Ctrl-Z
// and ESC are part of an echo.
func noise(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != 0x1A && c != 0x1B || c == 0x7F {
			return true
		}
	}
	return b[0] >= 0x80
}

// isHex says that b is a PDU line: an even number of hex digits, at least four octets.
func isHex(b []byte) bool {
	if len(b) < 8 || len(b)%2 != 0 {
		return false
	}
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'F', c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}
