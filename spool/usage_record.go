package spool

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of a usage record. Each commit of a channel rewrites one, and those of a
// whole bank are to share a page: times are seconds, counted from the minute's.
const (
	uMinute protowire.Number = iota + 1
	uHour
	uDay
	uMonth
	uRecipients
	uMinuteStart // seconds since 1970
	uHourStart   // from here to uArrived: seconds from uMinuteStart, zigzag
	uDayStart
	uMonthStart
	uSince
	uLastOut
	uArrived
	uReset
	uPeriod
	uToday // SIMDay
	uStreak
	uRefused
)

// firstUsage is the size of a usage record as it was before the record of a SIM came
// in: five counts and four window starts (seconds), u32be each. Its first byte is 0, since
// no SIM sends 16 million segments in a minute.
const firstUsage = 4 * 9

// readUsage reads what is kept of a SIM as a snapshot has it.
func readUsage(b *bbolt.Tx, sim string) (*usage, error) {
	k := usageKey(sim)
	v := b.Bucket(bucketState).Get(k)
	if v == nil {
		return &usage{}, nil
	}
	decode := decodeUsage
	if len(v) == firstUsage && v[0] == 0 {
		decode = decodeFirstUsage
	}
	u, err := decode(k, v)
	if err != nil {
		return nil, fmt.Errorf("state: usage of SIM %s: %w", sim, err)
	}
	return u, nil
}

func encodeUsage(k []byte, u *usage) []byte {
	e := encoder{b: append(make([]byte, 0, 112), recordVersion)}
	for i, n := range []uint32{u.Minute, u.Hour, u.Day, u.Month, u.Recipients} {
		e.uint(uMinute+protowire.Number(i), uint64(n))
	}
	base := max(u.MinuteStart.Unix(), 0)
	e.uint(uMinuteStart, uint64(base))
	for i, at := range u.times() {
		if !at.IsZero() {
			tag := protowire.AppendTag(e.b, uHourStart+protowire.Number(i), protowire.VarintType)
			e.b = protowire.AppendVarint(tag, protowire.EncodeZigZag(at.Unix()-base))
		}
	}
	e.uint(uReset, uint64(u.reset))
	e.uint(uPeriod, uint64(u.period))
	if !u.today.empty() {
		e.nested(uToday, func(e *encoder) { encodeSIMDay(e, &u.today) })
	}
	e.uint(uStreak, uint64(u.streak))
	e.uint(uRefused, uint64(u.refused))
	return seal(k, e.b)
}

// times lists the times of a record that are told from its minute, in the order of
// their fields.
func (u *usage) times() [6]*time.Time {
	return [6]*time.Time{&u.HourStart, &u.DayStart, &u.MonthStart, &u.since, &u.lastOut, &u.arrived}
}

func decodeUsage(k, v []byte) (*usage, error) {
	body, err := unseal(k, v)
	if err != nil {
		return nil, err
	}
	u := &usage{}
	var base int64
	err = decode(body, func(f field) error {
		switch f.n {
		case uMinuteStart:
			base = int64(f.v)
			u.MinuteStart = time.Unix(base, 0).UTC()
		case uHourStart, uDayStart, uMonthStart, uSince, uLastOut, uArrived:
			*u.times()[f.n-uHourStart] = time.Unix(base+protowire.DecodeZigZag(f.v), 0).UTC()
		default:
			return u.takeField(f)
		}
		return nil
	})
	return u, err
}

func (u *usage) takeField(f field) (err error) {
	switch f.n {
	case uMinute:
		return within(&u.Minute, f)
	case uHour:
		return within(&u.Hour, f)
	case uDay:
		return within(&u.Day, f)
	case uMonth:
		return within(&u.Month, f)
	case uRecipients:
		return within(&u.Recipients, f)
	case uReset:
		if f.v > maxResetDay {
			return fmt.Errorf("a reset day of %d", f.v)
		}
		u.reset = int(f.v)
		return nil
	case uPeriod:
		return within(&u.period, f)
	case uToday:
		u.today, err = decodeSIMDay(f.bytes)
		return err
	case uStreak:
		return within(&u.streak, f)
	case uRefused:
		return within(&u.refused, f)
	}
	return unknownField(f)
}

// decodeFirstUsage reads a record of the time when each month began on the first.
func decodeFirstUsage(_, v []byte) (*usage, error) {
	u := &usage{reset: 1}
	for i, n := range []*uint32{&u.Minute, &u.Hour, &u.Day, &u.Month, &u.Recipients} {
		*n = binary.BigEndian.Uint32(v[4*i:])
	}
	for i, at := range []*time.Time{&u.MinuteStart, &u.HourStart, &u.DayStart, &u.MonthStart} {
		*at = time.Unix(int64(binary.BigEndian.Uint32(v[20+4*i:])), 0).UTC()
	}
	u.period = firstPeriod(u.MonthStart)
	return u, nil
}
