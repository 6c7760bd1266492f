package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// view shows a picture of lines that changes: in place on a terminal, and as one
// plain line now and then in a pipe.
type view struct {
	w       io.Writer
	inPlace bool
	size    func() (width, height int) // of the terminal
	drawn   int                        // lines of the picture on the screen
	plain   time.Time
	every   time.Duration // between two plain lines
}

func newView(w io.Writer) *view {
	return &view{w: w, inPlace: isTerminal(w), size: func() (int, int) { return terminalSize(w) }, every: time.Second}
}

// show draws the picture; in a pipe it prints the summary instead, at most one a
// second, and always when it is the last.
func (v *view) show(now time.Time, picture []string, summary string, last bool) {
	if !v.inPlace {
		if last || now.Sub(v.plain) >= v.every {
			fmt.Fprintln(v.w, summary)
			v.plain = now
		}
		return
	}
	picture = fit(picture, v.size)
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn) // cursor up over the old picture
	}
	for _, line := range picture {
		b.WriteString("\x1b[2K") // erase what was on this line
		b.WriteString(line)
		b.WriteByte('\n')
	}
	for range v.drawn - len(picture) {
		b.WriteString("\x1b[2K\n")
	}
	v.drawn = max(v.drawn, len(picture))
	io.WriteString(v.w, b.String())
}

// fit cuts a picture to the terminal: a line that wraps, or one above the top,
// would be drawn anew each time instead of in place. What is left out is said.
func fit(picture []string, size func() (width, height int)) []string {
	width, height := size()
	if most := height - 1; most > 1 && len(picture) > most {
		left := len(picture) - (most - 1)
		picture = append(picture[:most-1:most-1], "... and "+plural(left, "line")+" more: make the window higher")
	}
	cut := make([]string, len(picture))
	for i, line := range picture {
		if r := []rune(line); width > 0 && len(r) > width {
			line = string(r[:width])
		}
		cut[i] = line
	}
	return cut
}

// bar draws a share of a whole, width characters wide.
func bar(part, whole uint64, width int) string {
	full := 0
	if whole > 0 {
		full = int(min(part, whole) * uint64(width) / whole)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
}
