package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fieldpost/gateway"
)

// Fault is one thing that is wrong in a file.
type Fault struct {
	Line int    // from 1; 0 = the file as a whole
	Key  string // dotted, such as "provider.port.baud"; "" = none
	Text string // what is wrong, and what would be right
}

// Error is everything that is wrong in one file, in the order of its lines. Its
// kind is gateway.KindInvalid.
type Error struct {
	File   string
	Faults []Fault
}

// Error gives one line for each fault: file:line: key: text.
func (e *Error) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteString(": ")
		if f.Key != "" {
			b.WriteString(f.Key + ": ")
		}
		b.WriteString(f.Text)
	}
	return b.String()
}

// Unwrap gives each fault as an error of the house.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		errs[i] = gateway.Invalid(f.Key, "%s", f.Text)
	}
	return errs
}

// faults gathers what is wrong while a file is read.
type faults struct {
	list  []Fault
	lines positions
	at    map[string]bool // paths with a fault
}

// add notes a fault at a path such as provider.1.port.0.baud; what a person reads
// is the key without its indexes, for the line says which one. Inside a value that
// is wrong as a whole nothing else is worth saying.
func (f *faults) add(path, format string, args ...any) {
	for up := path; up != ""; {
		up = up[:max(0, strings.LastIndexByte(up, '.'))]
		if up != "" && f.at[up] {
			return
		}
	}
	if f.at == nil {
		f.at = map[string]bool{}
	}
	f.at[path] = true
	f.list = append(f.list, Fault{
		Line: f.lines.of(path),
		Key:  keyOf(path),
		Text: fmt.Sprintf(format, args...),
	})
}

// faulty says that a path has a fault already.
func (f *faults) faulty(path string) bool { return f.at[path] }

// err gives all faults in the order of their lines; nil when there are none.
func (f *faults) err(file string) error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{File: file, Faults: f.list}
}

// keyOf drops the indexes of a path.
func keyOf(path string) string {
	parts := strings.Split(path, ".")
	parts = slices.DeleteFunc(parts, func(s string) bool {
		return s != "" && strings.Trim(s, "0123456789") == ""
	})
	return strings.Join(parts, ".")
}
