package spool

import (
	"time"

	"go.etcd.io/bbolt"
)

// tx is one group commit while it is made: many requests write through it, and
// one sync answers them all. It lives in the writer's goroutine only. What it
// holds in memory is dropped with it when the commit does not happen.
type tx struct {
	s   *Spool
	b   *bbolt.Tx
	now time.Time // the one time of this commit, UTC

	hooks  []func()           // after the sync, in order
	homes  map[uint64]key     // where the index holds a row that was read
	counts map[uint32]*tally  // counters as this commit leaves them
	usages map[string]*usage  // SIM usage as this commit leaves it
	rings  map[string]int     // ring cursors as this commit leaves them
	lanes  map[string]uint32  // lanes allotted in this commit
	queued map[uint32]arrival // rows that came into a queue
	events uint64             // events appended
}

func (s *Spool) newTx(b *bbolt.Tx) *tx {
	return &tx{
		s: s, b: b, now: s.o.Now().UTC(),
		homes:  map[uint64]key{},
		counts: map[uint32]*tally{},
		usages: map[string]*usage{},
		rings:  map[string]int{},
		lanes:  map[string]uint32{},
		queued: map[uint32]arrival{},
	}
}

// bucket gives a bucket of the file, which Open made.
func (t *tx) bucket(name []byte) *bbolt.Bucket {
	b := t.b.Bucket(name)
	if appended(name) {
		b.FillPercent = fillAppended
	}
	return b
}

// after runs fn once, after the sync, when the request that asked for it is on
// disk. It runs in the writer's goroutine and must not block.
func (t *tx) after(fn func()) { t.hooks = append(t.hooks, fn) }

// flush writes what the commit gathered in memory: one put for each record
// however many requests changed it.
func (t *tx) flush() error {
	for _, put := range []func() error{t.flushCounters, t.flushUsage, t.flushRings, t.trimOutbox} {
		if err := put(); err != nil {
			return err
		}
	}
	return nil
}

// publish shows the commit to the readers of the memory mirrors, once it is on disk.
func (t *tx) publish() {
	t.publishLanes()
	t.publishCounters()
	t.publishEvents()
	for _, fn := range t.hooks {
		fn()
	}
	t.publishQueued()
}
