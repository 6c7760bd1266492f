package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"golang.org/x/term"
)

// clean makes a text safe to print: whatever came over the air or the network
// must not move the cursor or rewrite the screen of whoever reads it.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && moves(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// moves says that a terminal acts on a character instead of showing it.
func moves(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// cell is clean on one line.
func cell(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(clean(s))
}

// printJSON prints one value for a script. What a terminal would act on is escaped
// (RFC 8259 §7): a person may look at it too.
func printJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	var safe strings.Builder
	for _, r := range b.String() {
		if r != '\n' && moves(r) { // all of them are in the basic plane
			fmt.Fprintf(&safe, "\\u%04x", r)
		} else {
			safe.WriteRune(r)
		}
	}
	_, err := io.WriteString(w, safe.String())
	return err
}

// say is fmt.Fprintf for what may come from elsewhere: each text stays on its line
// and moves no cursor.
func say(w io.Writer, format string, args ...any) (int, error) {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = cell(text)
		}
	}
	return fmt.Fprintf(w, format, args...)
}

// said tells that something was done: in words, or as JSON.
func (s *server) said(t terminal, format, name string) error {
	if s.asJSON {
		return printJSON(t.out, map[string]string{"done": fmt.Sprintf(format, name)})
	}
	_, err := say(t.out, format+"\n", name)
	return err
}

// table prints rows in aligned columns for a person.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, heads ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(heads...)
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(t.w, "\t")
		}
		fmt.Fprint(t.w, cell(c))
	}
	fmt.Fprintln(t.w)
}

func (t *table) flush() error { return t.w.Flush() }

// terminalSize gives a screen's columns and lines; 0, 0 when nobody knows.
func terminalSize(w io.Writer) (width, height int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// isTerminal says that a writer is a screen, where lines may move in place.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
