package spool

import (
	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// reader reads many messages of one snapshot. Rows of one base lie side by side:
// stepping from one to the next costs the same in a file of any size, where a
// search from the root does not.
type reader struct {
	rows    *bbolt.Cursor
	intents *bbolt.Cursor
	name    func(uint32) (string, bool)
	at      uint64 // where rows stands; 0 = nowhere
	newest  bool   // step backwards
}

func (s *Spool) newReader(b *bbolt.Tx, newest bool) *reader {
	return &reader{
		rows: b.Bucket(bucketMsg).Cursor(), intents: b.Bucket(bucketIntent).Cursor(),
		name: s.laneNamer(b), newest: newest,
	}
}

// message reads a message that the index has: one that is not there is damage.
func (r *reader) message(idm uint64) (*gateway.Message, error) {
	k, v := r.find(idm)
	if len(k) != 8 || u64be(k) != idm {
		r.at = 0
		return nil, &damaged{idm: idm, why: notFound(idm)}
	}
	r.at = idm
	m, err := decodeMessage(idm, v, r.name)
	if err != nil {
		return nil, &damaged{idm: idm, why: err}
	}
	return m, nil
}

func (r *reader) find(idm uint64) (k, v []byte) {
	switch {
	case r.at != 0 && !r.newest && idm == r.at+1:
		if k, v = r.rows.Next(); len(k) == 8 && u64be(k) == idm {
			return k, v
		}
	case r.at != 0 && r.newest && idm == r.at-1:
		if k, v = r.rows.Prev(); len(k) == 8 && u64be(k) == idm {
			return k, v
		}
	}
	return r.rows.Seek(u64(idm))
}

// submitting says that a message may be at a device.
func (r *reader) submitting(idm uint64) bool {
	k, _ := r.intents.Seek(u64(idm))
	return len(k) >= 8 && u64be(k) == idm
}
