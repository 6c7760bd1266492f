package spool

import (
	"encoding/binary"
	"time"

	"fieldpost/gateway"
)

// key is a row's place in the index: lane, slot, sort, idm.
type key [21]byte

// slot is a status, or slotLater: queued, and not to be claimed before its time.
type slot uint8

const slotLater slot = 0x80

// status is what rows of the slot have in their record.
func (s slot) status() gateway.Status {
	if s == slotLater {
		return gateway.StatusQueued
	}
	return gateway.Status(s)
}

func makeKey(lane uint32, s slot, sort, idm uint64) key {
	var k key
	binary.BigEndian.PutUint32(k[0:], lane)
	k[4] = byte(s)
	binary.BigEndian.PutUint64(k[5:], sort)
	binary.BigEndian.PutUint64(k[13:], idm)
	return k
}

// parseKey reads a key of the index.
func parseKey(b []byte) (key, bool) {
	if len(b) != len(key{}) {
		return key{}, false
	}
	return key(b), true
}

func (k key) lane() uint32 { return binary.BigEndian.Uint32(k[0:]) }
func (k key) slot() slot   { return slot(k[4]) }
func (k key) sort() uint64 { return binary.BigEndian.Uint64(k[5:]) }
func (k key) idm() uint64  { return binary.BigEndian.Uint64(k[13:]) }

// prefix is the part that all rows of a lane's slot share.
func prefix(lane uint32, s slot) []byte {
	return append(binary.BigEndian.AppendUint32(nil, lane), byte(s))
}

// place says where the index holds a message, once it is stored at now.
func place(lane uint32, m *gateway.Message, now time.Time) key {
	if m.Status == gateway.StatusQueued && m.NotBefore.After(now) {
		return laterKey(lane, m)
	}
	return makeKey(lane, slot(m.Status), sortOf(m), m.IDM)
}

// sortOf orders the rows of a slot: what waits by priority, the rest by entry only.
func sortOf(m *gateway.Message) uint64 {
	if m.Status == gateway.StatusQueued || m.Status == gateway.StatusHeld {
		return uint64(m.Priority)
	}
	return 0
}

// laterKey sorts by time, and rows of one time as the queue will have them.
func laterKey(lane uint32, m *gateway.Message) key {
	return makeKey(lane, slotLater, uint64(max(m.NotBefore.UnixMilli(), 0))<<16|uint64(m.Priority), m.IDM)
}

// due is the time before which a row of slotLater does not leave.
func (k key) due() time.Time { return time.UnixMilli(int64(k.sort() >> 16)).UTC() }
