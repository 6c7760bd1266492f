package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// demoBase is the sample base of the demo: rows that a branch would send, with a
// share of everything that goes wrong in real bases. Each text is different, so
// that the ledger of the air can tell a second copy from a second message.
type demoBase struct {
	rows     int
	campaign string
	plain    bool // only rows of one segment that can be sent
	first    int  // the rows that it has: first, first+step, ...; all of them where step is 0
	step     int
}

// each calls fn for every row that the base has.
func (d demoBase) each(fn func(row int)) {
	for row := d.first; row < d.rows; row += max(d.step, 1) {
		fn(row)
	}
}

// upload names a file of the base, among those of the demo.
func (d demoBase) upload(kind string) string {
	return strings.TrimPrefix(d.campaign+"-"+kind, demoName+"-")
}

// blocks says that the blacklist holds a number of the base.
func (d demoBase) blocks() (some bool) {
	d.each(func(row int) { some = some || d.listed(row) })
	return some
}

// The share of rows of each sort: one in so many.
const (
	demoListedEvery  = 50 // on the blacklist
	demoBadEvery     = 67 // a number with letters
	demoLongEvery    = 20 // more than one segment
	demoUnicodeEvery = 9  // UCS2, with an emoji
)

// number gives a row's destination: a mobile of Uruguay, each row its own.
func (d demoBase) number(row int) string { return fmt.Sprintf("09%07d", 1_000_000+row) }

func (d demoBase) listed(row int) bool { return !d.plain && row%demoListedEvery == demoListedEvery-1 }
func (d demoBase) bad(row int) bool {
	return !d.plain && !d.listed(row) && row%demoBadEvery == demoBadEvery-1
}

// text gives a row's message.
func (d demoBase) text(row int) string {
	switch {
	case d.plain:
	case row%demoLongEvery == demoLongEvery-1:
		return fmt.Sprintf("Notice %d: your appointment of Thursday moves to Friday at 15:30. Please bring your "+
			"identity card and the papers that we asked for; if the new time does not suit you, call the branch "+
			"before noon and we find another one together.", row)
	case row%demoUnicodeEvery == demoUnicodeEvery-1:
		return fmt.Sprintf("Turno %d: ¡lo esperamos mañana! 🙂 Año 2026", row)
	}
	return fmt.Sprintf("Reminder %d: your turn is tomorrow at 10:00.", row)
}

// write streams the base as a CSV file.
func (d demoBase) write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "campaign;destination;message;priority")
	d.each(func(row int) {
		to := d.number(row)
		if d.bad(row) {
			to = "call-me-" + to
		}
		fmt.Fprintf(b, "%s;%s;\"%s\";9999;row-%d\n", d.campaign, to, d.text(row), row)
	})
	return b.Flush()
}

// writeListed streams the numbers that the demo's blacklist holds.
func (d demoBase) writeListed(w io.Writer) error {
	b := bufio.NewWriter(w)
	d.each(func(row int) {
		if d.listed(row) {
			fmt.Fprintf(b, "%s;%s\n", d.number(row), d.campaign)
		}
	})
	return b.Flush()
}
