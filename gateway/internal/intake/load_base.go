package intake

import (
	"context"
	"errors"
	"io"
	"os"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// The size of a chunk, which is one commit.
const (
	chunkRows  = 2000
	chunkBytes = 1 << 20 // of the file
)

// chunk is a stretch of a base: its messages, and where it ends.
type chunk struct {
	messages []gateway.Message
	bad      []spool.BadLine // the first of them
	rejected int
	invalid  int   // of the messages: they can never be sent
	offset   int64 // in the file, behind it
	line     int
	err      error // reading ended; nil with the last chunk
}

// loadBase adds the rows of a base from where its record stands. While one chunk is
// committed the next is read and normalised.
func (i *Intake) loadBase(ctx context.Context, l *load) error {
	f, err := os.Open(l.up.Path)
	if err != nil {
		return gateway.Errorf(gateway.KindInternal, "the stored file is gone: %w", err)
	}
	defer f.Close()
	rows, err := openRows(ctx, f, l.up.Offset, l.up.Line)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	chunks := make(chan chunk)
	go i.parse(ctx, rows, l.up, chunks)
	defer func() {
		stop()
		for range chunks { // parse ends before the file is closed
		}
	}()
	for c := range chunks {
		if c.err != nil {
			return c.err
		}
		if err := i.commit(ctx, l, c); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// openRows finds out how a file is written and reads on at a place in it, until
// ctx ends.
func openRows(ctx context.Context, f *os.File, offset int64, line int) (*csvReader, error) {
	s, err := sniff(&patient{ctx, f})
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, unavailable("read the stored file", err)
	}
	return newCSVReader(&patient{ctx, f}, s.charset(), offset, line), nil
}

// parse reads a base to its end, in chunks. It closes out.
func (i *Intake) parse(ctx context.Context, rows *csvReader, up spool.Upload, out chan<- chunk) {
	defer close(out)
	first := rows.offset == 0
	for last := false; !last; {
		c := chunk{messages: make([]gateway.Message, 0, chunkRows)}
		last, c.err = i.fill(&c, rows, &up, &first)
		c.offset, c.line = rows.offset, rows.line
		select {
		case out <- c:
		case <-ctx.Done():
			return
		}
	}
}

// fill reads one chunk; last says that the file ends with it.
func (i *Intake) fill(c *chunk, rows *csvReader, up *spool.Upload, first *bool) (last bool, err error) {
	now, start := i.o.Now().UTC(), rows.offset
	for len(c.messages)+c.rejected < chunkRows && rows.offset-start < chunkBytes {
		rec, err := rows.next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return true, unavailable("read the stored file", err)
		}
		if rec.blank() {
			continue
		}
		header := *first && rec.fault == "" && baseHeader(rec.fields)
		if *first = false; header {
			continue
		}
		reason := rec.fault
		if reason == "" {
			var m gateway.Message
			if m, reason = i.message(rec.fields, up, now); reason == "" {
				c.add(m)
				continue
			}
		}
		c.reject(rec.line, reason)
	}
	return false, nil
}

func (c *chunk) add(m gateway.Message) {
	if m.Status == gateway.StatusInvalid {
		c.invalid++
	}
	c.messages = append(c.messages, m)
}

func (c *chunk) reject(line int, reason string) {
	c.rejected++
	if len(c.bad) < spool.MaxBadLines {
		c.bad = append(c.bad, spool.BadLine{Line: line, Reason: reason})
	}
}

// commit adds a chunk and the progress in one commit. That is not given up when the
// loader ends: whether it happened must be known, or its rows would be lost or
// doubled.
func (i *Intake) commit(ctx context.Context, l *load, c chunk) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	up := l.up
	up.Offset, up.Line = c.offset, c.line
	up.Accepted += len(c.messages)
	up.Invalid += c.invalid
	up.Rejected += c.rejected
	up.Bad = append(up.Bad[:len(up.Bad):len(up.Bad)], c.bad[:min(len(c.bad), spool.MaxBadLines-len(up.Bad))]...)
	up, err := i.o.Store.AddBatch(context.WithoutCancel(ctx), up, c.messages)
	if err != nil {
		return err
	}
	l.up = up
	return nil
}
