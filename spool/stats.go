package spool

import (
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// Stats are figures of the storage since Open, for metrics.
type Stats struct {
	BytesWritten uint64 // pages that commits wrote
	Syncs        uint64 // two a commit: the data, then the page that makes it valid
	Commits      uint64
	Requests     uint64 // that shared them
	FileSize     int64  // bytes
	FreeBytes    int64  // of pages in the file that can be used again
	Readers      int    // snapshots that are open now
	Quarantined  uint64 // records in quarantine, from before Open too
}

// counted is what the writer counts.
type counted struct {
	commits, requests, quarantined atomic.Uint64
	size, free                     atomic.Int64 // as the last commit left the file
}

// measure keeps the size of the file as the last commit left it: pages are
// allotted while a commit is written, so that its own transaction does not know.
func (s *Spool) measure() error {
	st := s.db.Stats()
	s.stats.free.Store(int64(st.FreePageN+st.PendingPageN) * int64(s.db.Info().PageSize))
	return s.db.View(func(b *bbolt.Tx) error {
		s.stats.size.Store(b.Size())
		return nil
	})
}

// Stats gives the figures of the storage.
func (s *Spool) Stats() Stats {
	st := s.db.Stats()
	commits := s.stats.commits.Load()
	return Stats{
		BytesWritten: uint64(st.TxStats.GetPageAlloc()) + commits*uint64(s.db.Info().PageSize),
		Syncs:        2 * commits,
		Commits:      commits,
		Requests:     s.stats.requests.Load(),
		FileSize:     s.stats.size.Load(),
		FreeBytes:    s.stats.free.Load(),
		Readers:      st.OpenTxN,
		Quarantined:  s.stats.quarantined.Load(),
	}
}

func (s *Spool) loadStats(b *bbolt.Tx) error {
	if k, _ := b.Bucket(bucketQuarantine).Cursor().First(); k != nil {
		// Nothing is ever taken out of quarantine, so the sequence counts it.
		s.stats.quarantined.Store(b.Bucket(bucketQuarantine).Sequence())
	}
	return nil
}
