package spool

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// The buckets of the reports whose send is not known.
var (
	bucketOrphans    = []byte("orphans")     // n u64be -> waitingReport
	bucketOrphansBy  = []byte("orphans.by")  // handle, n -> empty; SIM, n -> empty
	bucketOrphanTold = []byte("orphans.sum") // orphanSum -> waiting u64be, lost u64be
)

var orphanSum = []byte("sum")

const (
	// keepOrphans is how long a report waits for its send.
	keepOrphans = 48 * time.Hour
	// maxOrphans bounds the reports that wait.
	maxOrphans = 10_000
	// trimOrphans is how many old reports one new report may remove.
	trimOrphans = 4
	// orphanLead is how long before our time of a send its report may have come: an
	// older one is for another send under the same reference.
	orphanLead = 15 * time.Minute
)

// waitingReport is a report that found no send yet.
type waitingReport struct {
	Came   time.Time            `json:"came"`
	Report gateway.StatusReport `json:"report"`
}

// UnmatchedReports counts the delivery reports that no send was found for: those
// that wait for it now, and those that waited in vain since the file was made.
func (s *Spool) UnmatchedReports() (waiting, lost uint64, err error) {
	err = s.view(func(b *bbolt.Tx) error {
		waiting, lost = readOrphanSum(b)
		return nil
	})
	return waiting, lost, err
}

func readOrphanSum(b *bbolt.Tx) (waiting, lost uint64) {
	v := b.Bucket(bucketOrphanTold).Get(orphanSum)
	if len(v) != 16 {
		return 0, 0
	}
	return binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
}

func (t *tx) putOrphanSum(waiting, lost uint64) error {
	return t.bucket(bucketOrphanTold).Put(orphanSum, append(u64(waiting), u64(lost)...))
}

// orphan keeps a report until its send is known.
func (t *tx) orphan(r *gateway.StatusReport) error {
	b := t.bucket(bucketOrphans)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	if err := putSealed(b, u64(n), waitingReport{Came: t.now, Report: *r}); err != nil {
		return err
	}
	by := t.bucket(bucketOrphansBy)
	for _, handle := range orphanHandles(r) {
		if err := by.Put(append(handle, u64(n)...), present); err != nil {
			return err
		}
	}
	waiting, lost := readOrphanSum(t.b)
	if err := t.putOrphanSum(waiting+1, lost); err != nil {
		return err
	}
	return t.trimOrphans()
}

// orphanHandles are what a report is looked up by: its reference, and its SIM.
func orphanHandles(r *gateway.StatusReport) [][]byte {
	return [][]byte{handleOf(r), simHandle(r.SIM)}
}

// trimOrphans gives up on reports that waited too long, and on the oldest of too many.
func (t *tx) trimOrphans() error {
	for _, k := range firstKeys(t.bucket(bucketOrphans), nil, trimOrphans) {
		w, err := t.waiting(k)
		if err != nil {
			return t.asideOrphan(k, err)
		}
		waiting, lost := readOrphanSum(t.b)
		if waiting <= maxOrphans && t.now.Sub(w.Came) <= keepOrphans {
			return nil
		}
		if err := t.dropOrphan(k, w); err != nil {
			return err
		}
		if err := t.putOrphanSum(waiting-1, lost+1); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) waiting(k []byte) (*waitingReport, error) {
	w := &waitingReport{}
	return w, readSealed(k, t.bucket(bucketOrphans).Get(k), w)
}

// asideOrphan moves a report that cannot be read to quarantine; it is lost.
func (t *tx) asideOrphan(k []byte, why error) error {
	if t.bucket(bucketOrphans).Get(k) == nil {
		return nil // listed twice, by its reference and by its SIM
	}
	if err := t.asideWithIndex(bucketOrphans, k, why, bucketOrphansBy); err != nil {
		return err
	}
	waiting, lost := readOrphanSum(t.b)
	return t.putOrphanSum(waiting-1, lost+1)
}

func (t *tx) dropOrphan(k []byte, w *waitingReport) error {
	by := t.bucket(bucketOrphansBy)
	for _, handle := range orphanHandles(&w.Report) {
		if err := by.Delete(append(handle, k...)); err != nil {
			return err
		}
	}
	return t.bucket(bucketOrphans).Delete(k)
}

// adopt takes an orphan out of the waiting ones.
func (t *tx) adopt(k []byte, w *waitingReport) error {
	if err := t.dropOrphan(k, w); err != nil {
		return err
	}
	waiting, lost := readOrphanSum(t.b)
	return t.putOrphanSum(waiting-1, lost)
}

// adoptSent applies the reports that came before their send was stored, in the
// order they came.
func (t *tx) adoptSent(handle []byte, to gateway.Address, home sentAs, at time.Time) error {
	for _, k := range firstKeys(t.bucket(bucketOrphansBy), handle, maxOrphans) {
		n := k[handleSize:]
		w, err := t.waiting(n)
		if err != nil {
			if err := t.asideOrphan(n, err); err != nil {
				return err
			}
			continue
		}
		if to != "" && !sameRecipient(to, w.Report.Recipient) || !t.fresh(w, at) {
			continue
		}
		if err := t.adopt(n, w); err != nil {
			return err
		}
		if err := t.reported(home, &w.Report); err != nil {
			return err
		}
	}
	return nil
}

// fresh says that an orphan may be the report of a send at a time.
func (t *tx) fresh(w *waitingReport, at time.Time) bool {
	return t.now.Sub(w.Came) <= keepOrphans && !w.Came.Before(at.Add(-orphanLead))
}

// adoptDoubt applies the first report that fits a doubtful send, which is a doubt
// no longer.
func (t *tx) adoptDoubt(sim string, to gateway.Address, doubt []byte, at time.Time) error {
	home, _, _ := parseRef(doubt)
	home.doubt = true
	for _, k := range firstKeys(t.bucket(bucketOrphansBy), simHandle(sim), maxOrphans) {
		n := bytes.Clone(k[handleSize:])
		w, err := t.waiting(n)
		if err != nil {
			if err := t.asideOrphan(n, err); err != nil {
				return err
			}
			continue
		}
		if w.Report.Ref != "" || !sameRecipient(to, w.Report.Recipient) || !t.fresh(w, at) || !inDoubtSpan(&w.Report, at) || t.rival(&w.Report, home) {
			continue
		}
		if err := t.adopt(n, w); err != nil {
			return err
		}
		if err := t.reported(home, &w.Report); err != nil {
			return err
		}
		return t.endDoubt(doubt, to, &w.Report)
	}
	return nil
}
