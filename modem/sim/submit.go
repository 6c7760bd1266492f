package sim

import (
	"errors"
	"strings"

	"fieldpost/gateway/gsm7"
)

// The alphabets of user data (TS 23.038 §4).
const (
	alphabetGSM7 = iota
	alphabet8Bit
	alphabetUCS2
)

// alphabet reads a TP-DCS (TS 23.038 §4).
func alphabet(dcs byte) int {
	switch {
	case dcs&0x80 == 0 && dcs&0x20 != 0: // compressed: not readable here
		return alphabet8Bit
	case dcs&0x80 == 0:
		switch dcs >> 2 & 3 {
		case 1:
			return alphabet8Bit
		case 2:
			return alphabetUCS2
		}
	case dcs&0xF0 == 0xE0:
		return alphabetUCS2
	case dcs&0xF4 == 0xF4:
		return alphabet8Bit
	}
	return alphabetGSM7 // the reserved groups too
}

// errTPDU is the fault of a TPDU that a modem refuses with +CMS ERROR: 304.
var errTPDU = errors.New("no sms-submit")

// ReadSubmit reads an SMS-SUBMIT with its SMSC, as far as an Entry tells it.
func ReadSubmit(pdu []byte) (Entry, error) {
	if len(pdu) < 1 || len(pdu) < 1+int(pdu[0]) {
		return Entry{}, errTPDU
	}
	return parseSubmit(pdu[1+int(pdu[0]):])
}

// parseSubmit reads an SMS-SUBMIT (TS 23.040 §9.2.2.2).
func parseSubmit(b []byte) (Entry, error) {
	var e Entry
	if len(b) < 4 || b[0]&0x03 != 0x01 { // TP-MTI
		return e, errTPDU
	}
	first := b[0]
	e.Report = first&0x20 != 0 // TP-SRR
	to, rest, err := parseAddress(b[2:])
	if err != nil || len(rest) < 3 {
		return e, errTPDU
	}
	e.To, e.DCS = to, rest[1]
	rest = rest[2:]
	switch first & 0x18 { // TP-VPF
	case 0x10:
		rest = rest[1:]
	case 0x08, 0x18:
		if len(rest) < 8 {
			return e, errTPDU
		}
		rest = rest[7:]
	}
	if len(rest) < 1 {
		return e, errTPDU
	}
	e.Total, e.Seq = 1, 1
	return e, e.userData(int(rest[0]), rest[1:], first&0x40 != 0)
}

// userData reads TP-UD (TS 23.040 §9.2.3.24).
func (e *Entry) userData(udl int, ud []byte, udhi bool) error {
	header := 0
	if udhi {
		if len(ud) == 0 || int(ud[0])+1 > len(ud) {
			return errTPDU
		}
		header = int(ud[0]) + 1
		if err := e.header(ud[1:header]); err != nil {
			return err
		}
	}
	if a := alphabet(e.DCS); a != alphabetGSM7 {
		if udl != len(ud) {
			return errTPDU
		}
		e.octets = ud[header:]
		if a == alphabetUCS2 {
			e.Text = gsm7.DecodeUCS2(e.octets)
		} else {
			e.Text = latin1(e.octets)
		}
		return nil
	}
	if (udl*7+7)/8 != len(ud) || udl > 160 {
		return errTPDU
	}
	bits := header * 8
	fill := (7 - bits%7) % 7
	e.septets = gsm7.Unpack(ud[header:], udl-(bits+fill)/7, fill)
	e.Text = gsm7.DecodeSeptets(e.septets)
	return nil
}

// header reads the information elements of a user data header.
func (e *Entry) header(h []byte) error {
	for len(h) >= 2 {
		id, n := h[0], int(h[1])
		if 2+n > len(h) {
			return errTPDU
		}
		v := h[2 : 2+n]
		switch {
		case id == 0x00 && n == 3: // TS 23.040 §9.2.3.24.1
			e.Ref, e.Total, e.Seq = uint16(v[0]), int(v[1]), int(v[2])
		case id == 0x08 && n == 4: // §9.2.3.24.8
			e.Ref, e.Wide, e.Total, e.Seq = uint16(v[0])<<8|uint16(v[1]), true, int(v[2]), int(v[3])
		}
		h = h[2+n:]
	}
	if e.Total == 0 || e.Seq == 0 || e.Seq > e.Total { // to be ignored, says the clause
		e.Ref, e.Wide, e.Total, e.Seq = 0, false, 1, 1
	}
	return nil
}

// parseAddress reads an address field and gives what follows it (TS 23.040 §9.1.2.5).
func parseAddress(b []byte) (string, []byte, error) {
	if len(b) < 2 {
		return "", nil, errTPDU
	}
	n, toa := int(b[0]), b[1]
	size := (n + 1) / 2
	if n == 0 || n > 20 || len(b) < 2+size || toa&0x80 == 0 {
		return "", nil, errTPDU
	}
	var s strings.Builder
	if toa&0x70 == 0x10 { // international
		s.WriteByte('+')
	}
	for i := range n {
		d := b[2+i/2] >> (4 * (i % 2)) & 0x0F
		if d > 0x0E {
			return "", nil, errTPDU
		}
		s.WriteByte("0123456789*#abc"[d])
	}
	return s.String(), b[2+size:], nil
}

func latin1(b []byte) string {
	rs := make([]rune, len(b))
	for i, c := range b {
		rs[i] = rune(c)
	}
	return string(rs)
}
