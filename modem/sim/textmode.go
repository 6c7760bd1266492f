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
		d, err := ReadDeliver(s.pdu)
		if err != nil {
			return fmt.Sprintf(`"%s","",,`, stat)
		}
		return fmt.Sprintf(`"%s","%s",,"%s"`, stat, d.From, textTime(d.At))
	case 0x02:
		to, rest, err := parseAddress(b[2:])
		if err != nil || len(rest) < 15 {
			return fmt.Sprintf(`"%s",%d,%d`, stat, b[0], b[1])
		}
		return fmt.Sprintf(`"%s",%d,%d,"%s",%d,"%s","%s",%d`, stat, b[0], b[1], to, toa(to),
			textTime(readTime(rest)), textTime(readTime(rest[7:])), rest[14])
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
		d, err := ReadDeliver(pdu)
		if err != nil {
			return ""
		}
		return d.Text
	case 0x01:
		e, err := ReadSubmit(pdu)
		if err != nil {
			return ""
		}
		return e.Text
	}
	return ""
}

// textTime writes a time as text mode does.
func textTime(t time.Time) string {
	_, offset := t.Zone()
	return fmt.Sprintf("%s%+03d", t.Format("06/01/02,15:04:05"), offset/900)
}
