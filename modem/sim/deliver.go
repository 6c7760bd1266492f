package sim

import (
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
)

// Incoming is a message that somebody sends to one of the network's cards.
type Incoming struct {
	From string // "+" and digits, digits, or up to 11 characters
	To   string // ICCID or number of the card
	Text string
	Ref  uint16 // concatenation reference of a long text
	Wide bool   // the reference has 16 bits
	// Order is the order in which the segments of a long text come, 1-based: {2, 1, 1}
	// brings the second, then the first twice. None is the natural order.
	Order []int
	Flash bool
	At    time.Time // SCTS; zero = now
}

// pdus writes the message's SMS-DELIVER TPDUs with their SMSC (TS 23.040
// §9.2.2.1), in the order in which they come.
func (n *Incoming) pdus(smsc string) ([][]byte, error) {
	segments, err := gsm7.Options{Ref8: !n.Wide}.Cut(n.Text)
	if err != nil {
		return nil, err
	}
	order := n.Order
	if order == nil {
		for i := range segments {
			order = append(order, i+1)
		}
	}
	all := make([][]byte, 0, len(order))
	for _, seq := range order {
		if seq < 1 || seq > len(segments) {
			return nil, gateway.Invalid("order", "the text has %d segments, there is no number %d", len(segments), seq)
		}
		all = append(all, n.pdu(smsc, &segments[seq-1], seq, len(segments)))
	}
	return all, nil
}

func (n *Incoming) pdu(smsc string, s *gsm7.Segment, seq, total int) []byte {
	var header []byte
	switch {
	case total > 1 && n.Wide:
		header = []byte{6, 0x08, 4, byte(n.Ref >> 8), byte(n.Ref), byte(total), byte(seq)}
	case total > 1:
		header = []byte{5, 0x00, 3, byte(n.Ref), byte(total), byte(seq)}
	}
	first := byte(0x04) // SMS-DELIVER, no more messages wait
	if header != nil {
		first |= 0x40
	}
	dcs, udl, ud := userData(header, s)
	if n.Flash {
		dcs |= 0x10
	}
	b := append(appendSMSC(nil, smsc), first)
	b = appendAddress(b, n.From)
	b = append(b, 0x00, dcs)
	b = appendTime(b, n.At)
	return append(append(b, udl), ud...)
}

// delivered writes the SMS-DELIVER that a segment becomes at its recipient.
func (e *Entry) delivered(from, smsc string) []byte {
	in := Incoming{From: from, Ref: e.Ref, Wide: e.Wide, At: e.At, Flash: e.Flash()}
	s := gsm7.Segment{Text: e.Text, Septets: e.septets}
	return in.pdu(smsc, &s, e.Seq, e.Total)
}

// userData gives TP-DCS, TP-UDL and TP-UD.
func userData(header []byte, s *gsm7.Segment) (dcs, udl byte, ud []byte) {
	if s.Septets == nil {
		ud = append(header, gsm7.EncodeUCS2(s.Text)...)
		return 0x08, byte(len(ud)), ud
	}
	bits := len(header) * 8
	fill := (7 - bits%7) % 7
	ud = append(header, gsm7.Pack(s.Septets, fill)...)
	return 0x00, byte((bits+fill)/7 + len(s.Septets)), ud
}

// statusReport writes an SMS-STATUS-REPORT with its SMSC (TS 23.040 §9.2.2.3).
func statusReport(smsc string, e *Entry, st uint8, now time.Time) []byte {
	b := append(appendSMSC(nil, smsc), 0x06, e.MR)
	b = appendAddress(b, e.To)
	b = appendTime(b, e.At)
	b = appendTime(b, now)
	return append(b, st)
}

// appendSMSC writes the SMSC's address as modems hand it over: its length in
// octets first (TS 27.005 §3.1 <pdu>).
func appendSMSC(b []byte, smsc string) []byte {
	digits := strings.TrimPrefix(smsc, "+")
	if digits == "" {
		return append(b, 0)
	}
	b = append(b, byte(1+(len(digits)+1)/2), toa(smsc))
	return appendDigits(b, digits)
}

// appendAddress writes an address field (TS 23.040 §9.1.2.5).
func appendAddress(b []byte, addr string) []byte {
	digits := strings.TrimPrefix(addr, "+")
	if strings.Trim(digits, "0123456789*#") == "" {
		return appendDigits(append(b, byte(len(digits)), toa(addr)), digits)
	}
	septets, ok := gsm7.EncodeSeptets(addr)
	if !ok {
		septets, _ = gsm7.EncodeSeptets("unknown")
	}
	return append(append(b, byte((len(septets)*7+3)/4), 0xD0), gsm7.Pack(septets, 0)...)
}

func toa(addr string) byte {
	if strings.HasPrefix(addr, "+") {
		return 0x91
	}
	return 0x81
}

// appendDigits writes semi-octets, low half first, filled with 1111 (TS 23.040 §9.1.2.3).
func appendDigits(b []byte, digits string) []byte {
	for i := 0; i < len(digits); i += 2 {
		hi := byte(0x0F)
		if i+1 < len(digits) {
			hi = nibble(digits[i+1])
		}
		b = append(b, hi<<4|nibble(digits[i]))
	}
	return b
}

func nibble(c byte) byte {
	switch c {
	case '*':
		return 0x0A
	case '#':
		return 0x0B
	}
	return c - '0'
}

// appendTime writes a service centre time stamp (TS 23.040 §9.2.3.11).
func appendTime(b []byte, t time.Time) []byte {
	_, offset := t.Zone()
	for _, n := range [...]int{t.Year() % 100, int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()} {
		b = append(b, byte(n%10<<4|n/10))
	}
	quarters, sign := offset/900, byte(0)
	if quarters < 0 {
		quarters, sign = -quarters, 0x08
	}
	return append(b, byte(quarters%10<<4|quarters/10)|sign)
}
