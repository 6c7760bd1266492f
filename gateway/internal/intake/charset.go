package intake

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"fieldpost/gateway"
)

// charset is how the letters of a file are written.
type charset uint8

const (
	charsetUTF8 charset = iota
	charset1252
)

// mark is the byte order mark of UTF-8.
var mark = []byte("\xEF\xBB\xBF")

// sniffer finds out how a file is written while its bytes pass. A file with a mark
// is UTF-8; so is one without a wrong byte, and one in which letters of UTF-8
// outnumber the wrong bytes: then the lines with these are at fault, not the file.
type sniffer struct {
	head  []byte // the first bytes, to see marks
	tail  []byte // the beginning of a letter that the last bytes cut
	multi int    // letters of two bytes and more
	wrong int    // bytes that are not UTF-8
	size  int64
	zero  bool
}

// Write looks at the next bytes; it never fails.
func (s *sniffer) Write(p []byte) (int, error) {
	if n := 4 - len(s.head); n > 0 {
		s.head = append(s.head, p[:min(n, len(p))]...)
	}
	s.size += int64(len(p))
	s.zero = s.zero || bytes.IndexByte(p, 0) >= 0
	b := p
	if len(s.tail) > 0 {
		b = append(s.tail, p...)
		s.tail = nil
	}
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[ascii(b):]
			continue
		}
		if !utf8.FullRune(b) {
			s.tail = bytes.Clone(b)
			break
		}
		if r, n := utf8.DecodeRune(b); r == utf8.RuneError && n == 1 {
			s.wrong++
			b = b[1:]
		} else {
			s.multi++
			b = b[n:]
		}
	}
	return len(p), nil
}

// ascii counts the ASCII bytes that b begins with.
func ascii(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// check refuses a file that holds no text.
func (s *sniffer) check() error {
	switch {
	case s.size == 0 || s.size == int64(len(mark)) && bytes.Equal(s.head, mark):
		return gateway.Invalid("file", "is empty")
	case bytes.HasPrefix(s.head, []byte("\xFF\xFE")) || bytes.HasPrefix(s.head, []byte("\xFE\xFF")):
		return gateway.Invalid("file", "is UTF-16: save it as CSV in UTF-8")
	case bytes.HasPrefix(s.head, []byte("PK\x03\x04")):
		return gateway.Invalid("file", "is a spreadsheet or an archive: save it as CSV")
	case s.zero:
		return gateway.Invalid("file", "is binary, not text: save it as CSV")
	}
	return nil
}

func (s *sniffer) charset() charset {
	wrong := s.wrong + len(s.tail)
	if wrong == 0 || s.multi > wrong || bytes.HasPrefix(s.head, mark) {
		return charsetUTF8
	}
	return charset1252
}

// sniff reads a whole file.
func sniff(r io.Reader) (*sniffer, error) {
	s := &sniffer{}
	_, err := io.Copy(s, r)
	return s, err
}

// text gives a line as UTF-8, and whether it can be.
func (c charset) text(line []byte) (string, bool) {
	if ascii(line) == len(line) {
		return string(line), true
	}
	if c == charset1252 {
		out, err := charmap.Windows1252.NewDecoder().Bytes(line)
		return string(out), err == nil
	}
	return string(line), utf8.Valid(line)
}
