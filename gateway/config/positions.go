package config

import (
	"strconv"
	"strings"
)

// positions says on which line each key of a TOML text stands. The TOML library
// knows, but tells only in the text of some of its errors. A path has the index of
// each table in an array: provider.1.port.0.baud.
type positions map[string]int

// of gives the line of a path, or of the nearest table around it; 0 = neither.
func (p positions) of(path string) int {
	for {
		if n, ok := p[path]; ok {
			return n
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
}

// maxDepth is how deep keys and values may be nested. The TOML library takes time
// and memory that grow with the square of the depth: 100,000 dots on one line would
// end the process. No key of ours is deeper than three.
const maxDepth = 16

// locate scans a text. Up to the first fault of its syntax it sees what the TOML
// library sees; behind it, it ends, and what it finds is of no use. deep is the
// line that is nested too deep, where the scan stops; 0 = none is.
func locate(text string) (lines positions, deep int) {
	s := scanner{text: text, line: 1, found: positions{}, arrays: map[string]int{}}
	table := ""
	for s.blank(); !s.end(); s.blank() {
		if s.peek() == '[' {
			table = s.header()
			continue
		}
		start := s.at
		s.pair(table)
		if s.at == start { // not TOML: go on, never round in circles
			s.next()
		}
	}
	return s.found, s.deep
}

type scanner struct {
	text   string
	at     int
	line   int
	depth  int // of values
	deep   int // the line that is too deep
	found  positions
	arrays map[string]int // tables so far in each array of tables
}

// stop ends the scan: it is too deep here.
func (s *scanner) stop() {
	s.deep, s.at = s.line, len(s.text)
}

func (s *scanner) end() bool { return s.at >= len(s.text) }

func (s *scanner) peek() byte {
	if s.end() {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) next() byte {
	c := s.peek()
	if c == '\n' {
		s.line++
	}
	s.at++
	return c
}

func (s *scanner) has(prefix string) bool {
	return strings.HasPrefix(s.text[min(s.at, len(s.text)):], prefix)
}

// space passes over spaces and tabs.
func (s *scanner) space() {
	for !s.end() && (s.peek() == ' ' || s.peek() == '\t') {
		s.next()
	}
}

// blank passes over white space, line ends and comments.
func (s *scanner) blank() {
	for !s.end() {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.next()
		case '#':
			for !s.end() && s.peek() != '\n' {
				s.next()
			}
		default:
			return
		}
	}
}

// header reads [a.b] or [[a.b]] and gives its path.
func (s *scanner) header() string {
	line := s.line
	s.next()
	array := s.peek() == '['
	if array {
		s.next()
	}
	parts := s.key()
	for !s.end() && s.peek() == ']' {
		s.next()
	}
	path := ""
	for i, part := range parts {
		path = join(path, part)
		if array && i == len(parts)-1 {
			s.arrays[path]++
		}
		s.note(path, line)
		if n := s.arrays[path]; n > 0 {
			path = join(path, strconv.Itoa(n-1))
			s.note(path, line)
		}
	}
	return path
}

// pair reads key = value.
func (s *scanner) pair(table string) {
	line, path := s.line, table
	for _, part := range s.key() {
		path = join(path, part)
		s.note(path, line)
	}
	if s.peek() == '=' {
		s.next()
		s.space()
		s.value(path)
	}
}

// note keeps the first line of a path.
func (s *scanner) note(path string, line int) {
	if _, ok := s.found[path]; !ok {
		s.found[path] = line
	}
}

// key reads a dotted key.
func (s *scanner) key() []string {
	var parts []string
	for {
		s.space()
		start := s.at
		if c := s.peek(); c == '"' || c == '\'' {
			s.quoted()
			parts = append(parts, unquote(s.text[start:min(s.at, len(s.text))]))
		} else {
			for !s.end() && bare(s.peek()) {
				s.next()
			}
			parts = append(parts, s.text[start:s.at])
		}
		s.space()
		if s.peek() != '.' {
			return parts
		}
		if len(parts) == maxDepth {
			s.stop()
			return nil
		}
		s.next()
	}
}

// value passes over a value and notes the keys of the tables in it.
func (s *scanner) value(path string) {
	if s.depth++; s.depth > maxDepth {
		s.stop()
	}
	defer func() { s.depth-- }()
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.next()
		for i := 0; ; i++ {
			if s.blank(); s.end() || s.peek() == ']' {
				break
			}
			s.element(join(path, strconv.Itoa(i)))
		}
		s.next()
	case '{':
		s.next()
		for {
			if s.blank(); s.end() || s.peek() == '}' {
				break
			}
			start := s.at
			s.pair(path)
			if s.blank(); s.peek() == ',' || s.at == start {
				s.next()
			}
		}
		s.next()
	default:
		for !s.end() && !strings.ContainsRune(",]}#\r\n", rune(s.peek())) {
			s.next()
		}
	}
}

// element passes over one element of an array and the comma behind it.
func (s *scanner) element(path string) {
	start := s.at
	s.note(path, s.line)
	s.value(path)
	if s.blank(); s.peek() == ',' || s.at == start {
		s.next()
	}
}

// quoted passes over a string of any of the four kinds.
func (s *scanner) quoted() {
	quote := s.text[s.at : s.at+1]
	long := quote + quote + quote
	if s.has(long) {
		quote = long
	}
	escapes := quote[0] == '"'
	s.at += len(quote)
	for !s.end() {
		switch {
		case escapes && s.peek() == '\\':
			s.next()
			s.next()
		case s.has(quote):
			s.at += len(quote)
			for quote == long && s.peek() == long[0] { // up to two quotes may stand before the end
				s.next()
			}
			return
		default:
			s.next()
		}
	}
}

func bare(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func unquote(s string) string {
	if plain, err := strconv.Unquote(s); err == nil && s[0] == '"' {
		return plain
	}
	return strings.Trim(s, s[:1])
}

func join(path, part string) string {
	if path == "" {
		return part
	}
	return path + "." + part
}
