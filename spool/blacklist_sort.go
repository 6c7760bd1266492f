package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"fieldpost/gateway"
)

const (
	sortChunk  = 1 << 19  // entries sorted in memory at once: 8 MiB
	sortBuffer = 32 << 10 // read buffer of one run
)

// stream gives entries in order, one a call; false at the end.
type stream func() (listing, bool, error)

// sorter sorts more entries than memory holds: full chunks are sorted and
// spilled to one temporary file, one run each, and the runs are merged when read.
type sorter struct {
	dir   string
	size  int // entries in a chunk
	chunk []listing
	file  *os.File
	runs  []run
	end   int64 // of file
}

// run is one sorted chunk in the file.
type run struct{ from, bytes int64 }

func newSorter(dir string, size int) *sorter {
	return &sorter{dir: dir, size: size}
}

// add takes one entry.
func (s *sorter) add(l listing) error {
	if len(s.chunk) == s.size {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.chunk = append(s.chunk, l)
	return nil
}

// sorted gives all entries in order. Equal ones follow each other. The sorter
// takes no more afterwards.
func (s *sorter) sorted() (stream, error) {
	if s.file == nil {
		slices.SortFunc(s.chunk, listing.compare)
		return sliceStream(s.chunk), nil
	}
	if len(s.chunk) > 0 {
		if err := s.spill(); err != nil {
			return nil, err
		}
	}
	s.chunk = nil // the merge needs none of it
	runs := make([]stream, len(s.runs))
	for i, r := range s.runs {
		runs[i] = runStream(io.NewSectionReader(s.file, r.from, r.bytes))
	}
	return merge(runs...)
}

// close gives the disk back.
func (s *sorter) close() error {
	s.chunk = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// spill writes the chunk as a run: number deltas and scopes.
func (s *sorter) spill() error {
	if err := s.open(); err != nil {
		return err
	}
	slices.SortFunc(s.chunk, listing.compare)
	w := bufio.NewWriterSize(s.file, sortBuffer)
	var buf [2 * binary.MaxVarintLen64]byte
	var last uint64
	from := s.end
	for _, l := range s.chunk {
		b := binary.AppendUvarint(buf[:0], l.number-last)
		b = binary.AppendUvarint(b, uint64(l.scope))
		if _, err := w.Write(b); err != nil {
			return sortError(err)
		}
		last = l.number
		s.end += int64(len(b))
	}
	if err := w.Flush(); err != nil {
		return sortError(err)
	}
	s.runs = append(s.runs, run{from, s.end - from})
	s.chunk = s.chunk[:0]
	return nil
}

// open makes the temporary file. Its name is removed at once, so that no end of
// the process leaves it behind.
func (s *sorter) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, ".blacklist-*")
	if err != nil {
		return sortError(err)
	}
	s.file = f
	if err := os.Remove(f.Name()); err != nil {
		return sortError(err)
	}
	return nil
}

func sortError(err error) error {
	return gateway.Errorf(gateway.KindUnavailable, "sorting the list needs free space beside the spool: %w", err)
}

// sortDir is where the temporary file of a sort goes.
func sortDir(spool string) string { return filepath.Dir(spool) }

func sliceStream(ls []listing) stream {
	i := 0
	return func() (listing, bool, error) {
		if i == len(ls) {
			return listing{}, false, nil
		}
		i++
		return ls[i-1], true, nil
	}
}

// runStream reads one spilled run.
func runStream(r io.Reader) stream {
	br := bufio.NewReaderSize(r, sortBuffer)
	var at listing
	return func() (listing, bool, error) {
		delta, err := binary.ReadUvarint(br)
		if errors.Is(err, io.EOF) {
			return listing{}, false, nil
		}
		if err != nil {
			return listing{}, false, sortError(err)
		}
		scope, err := binary.ReadUvarint(br)
		if err != nil {
			return listing{}, false, sortError(err)
		}
		at.number += delta
		at.scope = uint32(scope)
		return at, true, nil
	}
}

// merge joins sorted streams into one that gives each entry once.
func merge(streams ...stream) (stream, error) {
	m := &merger{}
	for _, s := range streams {
		h := head{next: s}
		ok, err := h.advance()
		if err != nil {
			return nil, err
		}
		if ok {
			m.heads = append(m.heads, h)
		}
	}
	for i := len(m.heads)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m.next, nil
}

// merger is a heap of streams, ordered by the entry that each gives next.
type merger struct {
	heads []head
	last  listing
	begun bool
}

type head struct {
	at   listing
	next stream
}

func (h *head) advance() (bool, error) {
	var ok bool
	var err error
	h.at, ok, err = h.next()
	return ok, err
}

func (m *merger) next() (listing, bool, error) {
	for len(m.heads) > 0 {
		l := m.heads[0].at
		ok, err := m.heads[0].advance()
		if err != nil {
			return listing{}, false, err
		}
		if !ok {
			n := len(m.heads) - 1
			m.heads[0] = m.heads[n]
			m.heads = m.heads[:n]
		}
		m.down(0)
		if m.begun && l == m.last {
			continue
		}
		m.last, m.begun = l, true
		return l, true, nil
	}
	return listing{}, false, nil
}

func (m *merger) down(i int) {
	h := m.heads
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].at.compare(h[least].at) < 0 {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// subtract gives the entries of all that are not in less; both are sorted.
func subtract(all, less stream) stream {
	var away listing
	more, begun := true, false
	return func() (listing, bool, error) {
		for {
			l, ok, err := all()
			if err != nil || !ok {
				return l, ok, err
			}
			for more && (!begun || away.compare(l) < 0) {
				begun = true
				if away, more, err = less(); err != nil {
					return listing{}, false, err
				}
			}
			if !more || away != l {
				return l, true, nil
			}
		}
	}
}
