package spool

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// The buckets of the idempotency keys.
var (
	bucketIdem     = []byte("idempotency")      // hash of scope and key -> answer
	bucketIdemTime = []byte("idempotency.time") // ms u64be, hash -> empty
)

const (
	// keepIdem is how long a key is remembered.
	keepIdem = 7 * 24 * time.Hour
	// maxIdemKey is the longest key, in bytes.
	maxIdemKey = 255
	// trimIdem is how many old keys one new key may remove.
	trimIdem = 4
)

// answer is what a key was given: record version 1, time, body hash, idm, segments.
type answer struct {
	at       time.Time
	body     [32]byte
	idm      uint64
	segments uint8
}

const answerSize = 1 + 8 + 32 + 8 + 1

func (a answer) encode() []byte {
	b := append(make([]byte, 0, answerSize), 1)
	b = binary.BigEndian.AppendUint64(b, uint64(a.at.UnixMilli()))
	b = append(b, a.body[:]...)
	b = binary.BigEndian.AppendUint64(b, a.idm)
	return append(b, a.segments)
}

func decodeAnswer(b []byte) (answer, error) {
	if len(b) != answerSize || b[0] != 1 {
		return answer{}, gateway.Errorf(gateway.KindInternal, "the record of an idempotency key cannot be read")
	}
	return answer{
		at:       time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:]))).UTC(),
		body:     [32]byte(b[9:41]),
		idm:      binary.BigEndian.Uint64(b[41:]),
		segments: b[49],
	}, nil
}

// idempotent looks a key up: seen with the same body, first is the answer that was
// given. KindConflict: the key was used with another body. KindInvalid: no key.
func (t *tx) idempotent(key Idempotency) (first Added, seen bool, err error) {
	if key.Key == "" {
		return Added{}, false, nil
	}
	if len(key.Key) > maxIdemKey {
		return Added{}, false, gateway.Invalid("idempotency_key", "has %d bytes; at most %d are allowed", len(key.Key), maxIdemKey)
	}
	a, ok, err := t.answer(idemHash(key))
	if err != nil || !ok || t.now.Sub(a.at) > keepIdem {
		return Added{}, false, err
	}
	if subtle.ConstantTimeCompare(a.body[:], key.Body[:]) == 0 {
		return Added{}, false, &gateway.Error{
			Kind: gateway.KindConflict, Field: "idempotency_key",
			Text: "was used for another request: a new request needs a new key",
		}
	}
	return Added{IDM: a.idm, Segments: int(a.segments), Repeated: true}, true, nil
}

// remember keeps the answer that a key was given.
func (t *tx) remember(key Idempotency, added Added) error {
	if key.Key == "" {
		return nil
	}
	hash := idemHash(key)
	old, ok, err := t.answer(hash)
	if err != nil {
		return err
	}
	times := t.bucket(bucketIdemTime)
	if ok {
		if err := times.Delete(timeKey(old.at, hash)); err != nil {
			return err
		}
	}
	a := answer{at: t.now, body: key.Body, idm: added.IDM, segments: uint8(added.Segments)}
	if err := times.Put(timeKey(a.at, hash), present); err != nil {
		return err
	}
	if err := t.bucket(bucketIdem).Put(hash, a.encode()); err != nil {
		return err
	}
	return t.trimOld(bucketIdemTime, bucketIdem, keepIdem, trimIdem)
}

func (t *tx) answer(hash []byte) (answer, bool, error) {
	v := t.bucket(bucketIdem).Get(hash)
	if v == nil {
		return answer{}, false, nil
	}
	a, err := decodeAnswer(v)
	return a, err == nil, err
}

// idemHash names a key: callers cannot meet, whatever bytes their keys hold.
func idemHash(key Idempotency) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(key.Scope))))
	h.Write([]byte(key.Scope))
	h.Write([]byte(key.Key))
	return h.Sum(nil)
}

func checkIdempotency(b *bbolt.Tx) error {
	return checkTimes(b, bucketIdem, bucketIdemTime, func(v []byte) (time.Time, error) {
		a, err := decodeAnswer(v)
		return a.at, err
	})
}
