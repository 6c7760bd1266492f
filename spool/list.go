package spool

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"slices"
	"strconv"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

const (
	defaultList = 100
	maxList     = 1000
	// maxScan bounds the rows that one page looks at: a page of a rare upload may hold
	// less than it was asked for, and still have a next one.
	maxScan = 10_000
)

// List gives a page of messages by entry position, newest first unless asked
// otherwise. A page may hold fewer rows than Limit, or none, and still have a Next:
// only a page without one is the last. StatusClaimed matches nothing, since the
// spool knows of no claims.
func (s *Spool) List(q Query) (Page, error) {
	if q.Limit == 0 {
		q.Limit = defaultList
	}
	if q.Limit < 1 || q.Limit > maxList {
		return Page{}, gateway.Invalid("limit", "a page has 1 to %d rows, not %d", maxList, q.Limit)
	}
	var from uint64
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 10, 64)
		if err != nil || n == 0 {
			return Page{}, gateway.Invalid("cursor", "%q is not one that a page gave", q.Cursor)
		}
		from = n
	}
	for {
		page, err := s.list(&q, from)
		var d *damaged
		if !errors.As(err, &d) {
			return page, err
		}
		if err := s.quarantine(context.Background(), d.idm); err != nil {
			return Page{}, err
		}
	}
}

func (s *Spool) list(q *Query, from uint64) (page Page, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		l := &lister{s: s, b: b, q: q, from: from}
		rows, err := l.rows()
		if err != nil {
			return err
		}
		page, err = l.page(rows)
		return err
	})
	return page, err
}

// lister answers one query from one snapshot.
type lister struct {
	s    *Spool
	b    *bbolt.Tx
	q    *Query
	from uint64 // the last row of the page before; 0 = begin
}

// page reads rows until the page is full or enough were looked at.
func (l *lister) page(rows idms) (Page, error) {
	var p Page
	read := l.s.newReader(l.b, !l.q.Oldest)
	last := l.from
	for seen := 0; ; seen++ {
		idm, ok := rows.next()
		if !ok {
			return p, nil
		}
		if seen == maxScan || len(p.Messages) == l.q.Limit {
			p.Next = strconv.FormatUint(last, 10)
			return p, nil
		}
		last = idm
		m, err := read.message(idm)
		if err != nil {
			return p, err
		}
		if read.submitting(idm) {
			m.Status = gateway.StatusSubmitting
		}
		if l.matches(m) {
			p.Messages = append(p.Messages, *m)
		}
	}
}

func (l *lister) matches(m *gateway.Message) bool {
	q := l.q
	return (q.Campaign == "" || q.Campaign == m.Campaign) &&
		(q.Upload == "" || q.Upload == m.Upload) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, m.Status))
}

// rows gives the entry positions that may match, in the order of the query.
func (l *lister) rows() (idms, error) {
	if l.q.Campaign == "" && len(l.q.Statuses) == 0 {
		return l.records(), nil
	}
	lanes := l.lanes()
	all := &merged{oldest: l.q.Oldest}
	for _, lane := range lanes {
		for _, sl := range l.slots() {
			if err := l.addSlot(all, lane, sl); err != nil {
				return nil, err
			}
		}
	}
	if slices.Contains(l.q.Statuses, gateway.StatusSubmitting) && !slices.Contains(l.q.Statuses, gateway.StatusQueued) {
		all.add(l.submitting())
	}
	return all, nil
}

func (l *lister) lanes() []uint32 {
	if l.q.Campaign != "" {
		if lane, ok := laneOf(l.b, l.q.Campaign); ok {
			return []uint32{lane}
		}
		return nil
	}
	var lanes []uint32
	for _, lane := range l.s.laneIDs() {
		lanes = append(lanes, lane)
	}
	return lanes
}

func (l *lister) slots() []slot {
	var slots []slot
	for _, st := range gateway.Statuses() {
		if !stored(st) || len(l.q.Statuses) > 0 && !slices.Contains(l.q.Statuses, st) {
			continue
		}
		slots = append(slots, slot(st))
		if st == gateway.StatusQueued {
			slots = append(slots, slotLater)
		}
	}
	return slots
}

// records walks the messages themselves.
func (l *lister) records() idms {
	c := l.b.Bucket(bucketMsg).Cursor()
	return l.walk(c, nil, func(k []byte) uint64 { return u64be(k) })
}

// maxSorts is how many priorities of a slot are merged; more are sorted in memory.
const maxSorts = 64

// addSlot adds the rows of a slot. Within one sort they are in order already.
func (l *lister) addSlot(all *merged, lane uint32, sl slot) error {
	pre := prefix(lane, sl)
	c := l.b.Bucket(bucketIndex).Cursor()
	var sorts [][]byte
	for k, _ := c.Seek(pre); bytes.HasPrefix(k, pre); {
		key, ok := parseKey(k)
		if !ok {
			return errKey(k)
		}
		if len(sorts) == maxSorts {
			all.add(l.collect(pre))
			return nil
		}
		sorts = append(sorts, key[:13:13])
		end := makeKey(lane, sl, key.sort(), ^uint64(0))
		k, _ = c.Seek(end[:])
	}
	for _, one := range sorts {
		all.add(l.walk(l.b.Bucket(bucketIndex).Cursor(), one, func(k []byte) uint64 { return key(k).idm() }))
	}
	return nil
}

// walk gives the keys of a prefix whose tails are entry positions in order.
func (l *lister) walk(c *bbolt.Cursor, pre []byte, idm func([]byte) uint64) idms {
	var k []byte
	move := c.Next
	if l.q.Oldest {
		k, _ = c.Seek(append(slices.Clone(pre), u64(l.from+1)...))
	} else {
		move = c.Prev
		before := l.from
		if before == 0 {
			before = ^uint64(0)
		}
		if k, _ = c.Seek(append(slices.Clone(pre), u64(before)...)); k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
	}
	return idmsFunc(func() (uint64, bool) {
		if k == nil || !bytes.HasPrefix(k, pre) {
			return 0, false
		}
		n := idm(k)
		k, _ = move()
		return n, true
	})
}

// collect gives the next rows of a slot whose rows are not in the order of the
// query, as many as one page can look at. It reads the keys of the slot only.
func (l *lister) collect(pre []byte) idms {
	var rows []uint64
	c := l.b.Bucket(bucketIndex).Cursor()
	for k, _ := c.Seek(pre); bytes.HasPrefix(k, pre); k, _ = c.Next() {
		if n := key(k).idm(); l.ahead(n) {
			if rows = append(rows, n); len(rows) == 4*maxScan {
				rows = l.sorted(rows)
			}
		}
	}
	return list(l.sorted(rows))
}

// sorted keeps the rows that come first in the order of the query: one more than a
// page looks at, so that the page knows that there are more.
func (l *lister) sorted(rows []uint64) []uint64 {
	slices.Sort(rows)
	if !l.q.Oldest {
		slices.Reverse(rows)
	}
	return rows[:min(len(rows), maxScan+1)]
}

// ahead says that a row is behind the page before.
func (l *lister) ahead(idm uint64) bool {
	return l.from == 0 || (l.q.Oldest && idm > l.from) || (!l.q.Oldest && idm < l.from)
}

// submitting gives the rows that devices may have: as many as there are channels.
func (l *lister) submitting() idms {
	var rows []uint64
	c := l.b.Bucket(bucketIntent).Cursor()
	for k, _ := c.First(); len(k) > 8; k, _ = c.Next() {
		if n := u64be(k); l.ahead(n) {
			rows = append(rows, n)
		}
	}
	rows = l.sorted(rows)
	return list(slices.Compact(rows))
}

// idms gives entry positions, one by one.
type idms interface{ next() (uint64, bool) }

type idmsFunc func() (uint64, bool)

func (f idmsFunc) next() (uint64, bool) { return f() }

func list(rows []uint64) idms {
	return idmsFunc(func() (n uint64, ok bool) {
		if len(rows) == 0 {
			return 0, false
		}
		n, rows = rows[0], rows[1:]
		return n, true
	})
}

// merged gives the rows of many streams in one order: a heap by their first row.
type merged struct {
	oldest  bool
	streams []front
}

type front struct {
	idm  uint64
	rest idms
}

func (m *merged) add(s idms) {
	if n, ok := s.next(); ok {
		heap.Push(m, front{n, s})
	}
}

func (m *merged) next() (uint64, bool) {
	if len(m.streams) == 0 {
		return 0, false
	}
	first := m.streams[0].idm
	if n, ok := m.streams[0].rest.next(); ok {
		m.streams[0].idm = n
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return first, true
}

func (m *merged) Len() int      { return len(m.streams) }
func (m *merged) Swap(i, j int) { m.streams[i], m.streams[j] = m.streams[j], m.streams[i] }
func (m *merged) Push(x any)    { m.streams = append(m.streams, x.(front)) }

func (m *merged) Less(i, j int) bool {
	return (m.streams[i].idm < m.streams[j].idm) == m.oldest
}

func (m *merged) Pop() any {
	last := m.streams[len(m.streams)-1]
	m.streams = m.streams[:len(m.streams)-1]
	return last
}
