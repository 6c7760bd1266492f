package sim

import (
	"fmt"
	"time"
)

// textHead writes what text mode says of a stored message before its text
// (TS 27.005 §4.1).
func textHead(s *stored) string {
	stat := [...]string{"REC UNREAD", "REC READ", "STO UNSENT", "STO SENT"}[s.stat]
	b := s.pdu[1+int(s.pdu[0]):]
	switch b[0] & 0x03 {
	case 0x00:
		from, rest, err := deliverAddress(b[1:])
		if err != nil || len(rest) < 9 {
			return fmt.Sprintf(`"%s","",,`, stat)
		}
		return fmt.Sprintf(`"%s","%s",,"%s"`, stat, from, textTime(rest[2:9]))
	case 0x02:
		to, rest, err := parseAddress(b[2:])
		if err != nil || len(rest) < 15 {
			return fmt.Sprintf(`"%s",%d,%d`, stat, b[0], b[1])
		}
		return fmt.Sprintf(`"%s",%d,%d,"%s",%d,"%s","%s",%d`, stat, b[0], b[1], to, toa(to),
			textTime(rest[:7]), textTime(rest[7:14]), rest[14])
	}
	to, _, err := parseAddress(b[2:])
	if err != nil {
		to = ""
	}
	return fmt.Sprintf(`"%s","%s",`, stat, to)
}

// textOf gives the text of a stored message.
func textOf(pdu []byte) string {
	b := pdu[1+int(pdu[0]):]
	switch b[0] & 0x03 {
	case 0x00:
		_, rest, err := deliverAddress(b[1:])
		if err != nil || len(rest) < 10 {
			return ""
		}
		e := Entry{DCS: rest[1]}
		if e.userData(int(rest[9]), rest[10:], b[0]&0x40 != 0) != nil {
			return ""
		}
		return e.Text
	case 0x01:
		e, err := parseSubmit(b)
		if err != nil {
			return ""
		}
		return e.Text
	}
	return ""
}

// deliverAddress reads an originating address, which may be a word.
func deliverAddress(b []byte) (string, []byte, error) {
	if len(b) >= 2 && b[1]&0x70 == 0x50 {
		size := (int(b[0]) + 1) / 2
		if len(b) < 2+size {
			return "", nil, errTPDU
		}
		return word(b[2:2+size], int(b[0])*4/7), b[2+size:], nil
	}
	return parseAddress(b)
}

// textTime reads a time stamp for text mode.
func textTime(b []byte) string {
	d := func(i int) int { return int(b[i]&0x0F)*10 + int(b[i]>>4) }
	t := time.Date(2000+d(0), time.Month(d(1)), d(2), d(3), d(4), d(5), 0, time.UTC)
	zone, sign := int(b[6]&0x07)*10+int(b[6]>>4), '+'
	if b[6]&0x08 != 0 {
		sign = '-'
	}
	return fmt.Sprintf("%s%c%02d", t.Format("06/01/02,15:04:05"), sign, zone)
}
