package tpdu

import (
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// timestamp reads a time of seven octets (TS 23.040 §9.2.3.11) and gives it in UTC.
// One that is no time is noted and gives the zero time (S16: the library gives up
// on the whole TPDU, or makes 30 November 1999 of seven zeros). False says that the
// TPDU ends inside it.
func (o *octets) timestamp(name string) (time.Time, bool) {
	b, ok := o.take(7)
	if !ok {
		return time.Time{}, false
	}
	var t tpdu.Timestamp
	if !plausible(b) || t.UnmarshalBinary(b) != nil || t.Day() != swapped(b[2]) {
		o.notes.add("%s is no time: %X", name, b)
		return time.Time{}, true
	}
	return t.UTC(), true
}

// plausible says that each field of a time has digits and lies in its range.
func plausible(b []byte) bool {
	for _, f := range b[:6] {
		if f&0xF > 9 || f>>4 > 9 {
			return false
		}
	}
	month, day := swapped(b[1]), swapped(b[2])
	hour, minute, second := swapped(b[3]), swapped(b[4]), swapped(b[5])
	zone := swapped(b[6] &^ 0x08) // the sign is bit 3
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59 &&
		b[6]>>4 <= 9 && zone <= maxZone
}

// maxZone is the widest offset believed, in quarters of an hour: 15 hours.
const maxZone = 60

// swapped reads two digits, the units in the high half.
func swapped(b byte) int { return int(b&0xF)*10 + int(b>>4) }
