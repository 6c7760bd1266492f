package gsm7

import "fieldpost/gateway"

// Segment is one piece of a text, as it goes into one TPDU.
type Segment struct {
	Text    string
	Septets []byte   // unpacked, one a byte, for GSM7; nil for UCS2
	Units   []uint16 // UTF-16 for UCS2; nil for GSM7
}

// Encoding says how the segment travels.
func (s *Segment) Encoding() gateway.Encoding {
	if s.Septets == nil {
		return gateway.EncodingUCS2
	}
	return gateway.EncodingGSM7
}

// Octets gives the units big endian (TS 23.038 §6.2.3); nil for GSM7.
func (s *Segment) Octets() []byte {
	if s.Units == nil {
		return nil
	}
	return EncodeUCS2(s.Text)
}

// Cut cuts a text with the zero Options.
func Cut(text string) ([]Segment, error) { return Options{}.Cut(text) }

// Cut cuts a text into segments, as Plan says and with its errors.
func (o Options) Cut(text string) ([]Segment, error) {
	l, err := o.layout(text)
	if err != nil {
		return nil, err
	}
	segments := make([]Segment, l.segments)
	start := 0
	for i := range segments {
		segments[i] = segment(text[start:l.ends[i]], l.encoding)
		start = l.ends[i]
	}
	return segments, nil
}

func segment(text string, e gateway.Encoding) Segment {
	if e == gateway.EncodingGSM7 {
		septets, _ := EncodeSeptets(text) // the layout proved that it fits
		return Segment{Text: text, Septets: septets}
	}
	octets := EncodeUCS2(text)
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
	}
	return Segment{Text: text, Units: units}
}
