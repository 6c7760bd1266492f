package intake

import (
	"context"
	"errors"
	"io"
	"os"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// loadBlacklist lists the numbers of a file, all of them or none: after a stop it
// begins again.
func (i *Intake) loadBlacklist(ctx context.Context, l *load) error {
	f, err := os.Open(l.up.Path)
	if err != nil {
		return gateway.Errorf(gateway.KindInternal, "the stored file is gone: %w", err)
	}
	defer f.Close()
	rows, err := openRows(ctx, f, 0, 0)
	if err != nil {
		return err
	}
	list := &list{in: i, rows: rows, up: l.up, first: true}
	list.up.Rejected, list.up.Bad = 0, nil
	n, err := i.o.Blacklist.ImportBlacklist(ctx, list.next, nil)
	if err != nil {
		return err
	}
	l.up = list.up
	l.up.Accepted, l.up.Offset, l.up.Line = n, rows.offset, rows.line
	return nil
}

// list reads the numbers of a file one by one.
type list struct {
	in    *Intake
	rows  *csvReader
	up    spool.Upload
	first bool
}

// next gives the next number and keeps the rows that hold none.
func (l *list) next() (spool.Listed, error) {
	for {
		rec, err := l.rows.next()
		if errors.Is(err, io.EOF) {
			return spool.Listed{}, io.EOF
		}
		if err != nil {
			return spool.Listed{}, unavailable("read the stored file", err)
		}
		if rec.blank() {
			continue
		}
		header := l.first && rec.fault == "" && blacklistHeader(rec.fields)
		if l.first = false; header {
			continue
		}
		reason := rec.fault
		if reason == "" {
			var e spool.Listed
			if e, reason = l.in.listed(rec.fields, &l.up, l.up.Created); reason == "" {
				return e, nil
			}
		}
		l.reject(rec.line, reason)
	}
}

func (l *list) reject(line int, reason string) {
	l.up.Rejected++
	if len(l.up.Bad) < spool.MaxBadLines {
		l.up.Bad = append(l.up.Bad, spool.BadLine{Line: line, Reason: reason})
	}
}
