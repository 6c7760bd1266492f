package sim

import (
	"time"

	"fieldpost/gateway/gsm7"
)

// Delivered is an SMS-DELIVER as a device reads it.
type Delivered struct {
	From    string
	At      time.Time // SCTS
	Text    string    // of this segment alone
	DCS     byte
	Septets []byte // of a GSM7 segment
	Octets  []byte // of any other, without its header
	Ref     uint16
	Wide    bool
	Total   int // at least 1
	Seq     int // 1-based
}

// ReadDeliver reads an SMS-DELIVER with its SMSC (TS 23.040 §9.2.2.1).
func ReadDeliver(pdu []byte) (Delivered, error) {
	if len(pdu) < 1 || len(pdu) < 2+int(pdu[0]) {
		return Delivered{}, errTPDU
	}
	b := pdu[1+int(pdu[0]):]
	from, rest, err := deliverAddress(b[1:])
	if err != nil || len(rest) < 10 || b[0]&0x03 != 0 {
		return Delivered{}, errTPDU
	}
	e := Entry{DCS: rest[1], Total: 1, Seq: 1}
	if err := e.userData(int(rest[9]), rest[10:], b[0]&0x40 != 0); err != nil {
		return Delivered{}, err
	}
	return Delivered{
		From: from, At: readTime(rest[2:9]), Text: e.Text, DCS: e.DCS, Septets: e.septets, Octets: e.octets,
		Ref: e.Ref, Wide: e.Wide, Total: e.Total, Seq: e.Seq,
	}, nil
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

// readTime reads a service centre time stamp (TS 23.040 §9.2.3.11).
func readTime(b []byte) time.Time {
	d := func(i int) int { return int(b[i]&0x0F)*10 + int(b[i]>>4) }
	quarters := int(b[6]&0x07)*10 + int(b[6]>>4)
	if b[6]&0x08 != 0 {
		quarters = -quarters
	}
	zone := time.FixedZone("", quarters*900)
	return time.Date(2000+d(0), time.Month(d(1)), d(2), d(3), d(4), d(5), 0, zone)
}

// word reads n septets of an alphanumeric address (TS 23.040 §9.1.2.5).
func word(b []byte, n int) string { return gsm7.DecodeSeptets(gsm7.Unpack(b, n, 0)) }
