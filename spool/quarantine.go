package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"fieldpost/gateway"
)

// damaged is a record that cannot be read, or an index entry without its record.
type damaged struct {
	idm uint64
	why error
}

func (d *damaged) Error() string { return fmt.Sprintf("message %d cannot be read: %v", d.idm, d.why) }
func (d *damaged) Unwrap() error { return d.why }

// The fields of a quarantine record.
const (
	qBucket protowire.Number = iota + 1
	qKey
	qValue
	qReason
	qAt
)

// quarantine moves a message's record out of the way, as it is, in a commit of
// its own. A record that can be read by then stays.
func (s *Spool) quarantine(ctx context.Context, idm uint64) error {
	return s.update(ctx, func(t *tx) error {
		_, err := t.message(idm)
		var d *damaged
		switch {
		case errors.As(err, &d):
			return t.quarantine(idm, d.why)
		case gateway.KindOf(err) == gateway.KindNotFound:
			if _, listed := t.search(idm); listed {
				return t.quarantine(idm, errors.New("the index has it, and there is no record"))
			}
		}
		return clean(err)
	})
}

// quarantine moves a record aside and takes its row out of its campaign, where it
// counts as deleted. Nothing is lost: the bytes are kept, an alarm says so.
func (t *tx) quarantine(idm uint64, why error) error {
	k := u64(idm)
	v := t.bucket(bucketMsg).Get(k)
	m, unread := decodeMessage(idm, v, t.laneName)
	if err := t.putAside(bucketMsg, k, v, why); err != nil {
		return err
	}
	if err := t.bucket(bucketMsg).Delete(k); err != nil {
		return err
	}
	if err := t.forgetTries(idm); err != nil {
		return err
	}
	if home, ok := t.search(idm); ok {
		return t.remove(home)
	}
	if unread != nil {
		return nil
	}
	lane, err := t.lane(m.Campaign)
	if err != nil {
		return err
	}
	return t.count(lane, m.Status, gateway.StatusNone)
}

// search finds a row's place in the index when its record cannot tell it. It walks
// the whole index: damage is rare, and a row must not be counted for ever.
func (t *tx) search(idm uint64) (key, bool) {
	tail := u64(idm)
	c := t.bucket(bucketIndex).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if key, ok := parseKey(k); ok && bytes.HasSuffix(k, tail) {
			return key, true
		}
	}
	return key{}, false
}

// putAside keeps the bytes of a record that cannot be read, and raises an alarm.
func (t *tx) putAside(bucket, k, v []byte, why error) error {
	q := t.bucket(bucketQuarantine)
	n, err := q.NextSequence()
	if err != nil {
		return err
	}
	e := encoder{b: []byte{recordVersion}}
	e.string(qBucket, string(bucket))
	e.string(qKey, string(k))
	e.string(qValue, string(v))
	e.string(qReason, why.Error())
	e.time(qAt, t.now)
	at := u64(n)
	if err := q.Put(at, seal(at, e.b)); err != nil {
		return err
	}
	t.after(func() {
		t.s.stats.quarantined.Add(1)
		t.s.log.Error("record in quarantine", "bucket", string(bucket), "key", fmt.Sprintf("%x", k), "error", why)
	})
	text := "a record of the spool could not be read and is in quarantine"
	if len(k) == 8 && string(bucket) == string(bucketMsg) {
		text = "message " + strconv.FormatUint(u64be(k), 10) + " could not be read and is in quarantine"
	}
	return t.emit(gateway.EventAlarm, gateway.AlarmEvent{Reason: text})
}
