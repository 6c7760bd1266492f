package dwgwire

import (
	"encoding/binary"
	"time"

	"fieldpost/gateway"
)

// Submit is the body of SendSMS.
type Submit struct {
	Port     uint8
	Encoding Encoding
	Numbers  []string // as they are dialled
	Content  []byte
}

// Encode gives the body. What does not fit is KindInvalid with its field.
func (s *Submit) Encode() (_ []byte, err error) {
	if n := len(s.Numbers); n < 1 || n > 255 {
		return nil, gateway.Invalid("numbers", "are %d: between 1 and 255", n)
	}
	b := []byte{s.Port, byte(s.Encoding), 0 /* SMS, not MMS */, byte(len(s.Numbers))}
	for _, n := range s.Numbers {
		if b, err = appendField(b, "number", n, numberSize); err != nil {
			return nil, err
		}
	}
	return appendContent(b, s.Content)
}

func appendContent(b, content []byte) ([]byte, error) {
	if most := min(MaxBody-len(b)-2, 1<<16-1); len(content) > most {
		return nil, gateway.Invalid("content", "has %d bytes, a frame takes %d", len(content), most)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)))
	return append(b, content...), nil
}

// DecodeSubmit reads the body of SendSMS.
func DecodeSubmit(b []byte) (Submit, error) {
	if len(b) < 4 {
		return Submit{}, short("a send", len(b), 4)
	}
	s := Submit{Port: b[0], Encoding: Encoding(b[1])}
	numbers, rest, err := numbers(b[3:])
	if err != nil {
		return s, err
	}
	s.Numbers = numbers
	s.Content, err = content(rest)
	return s, err
}

// numbers reads a count and so many numbers.
func numbers(b []byte) (all []string, rest []byte, err error) {
	n := int(b[0])
	if b = b[1:]; len(b) < n*numberSize {
		return nil, nil, gateway.Invalid("count", "says %d numbers, and there are %d bytes", n, len(b))
	}
	for range n {
		all, b = append(all, field(b[:numberSize])), b[numberSize:]
	}
	return all, b, nil
}

// content reads a length and so many bytes. Of one that is cut off it gives what is there.
func content(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, short("a length", len(b), 2)
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < n {
		return append([]byte{}, b...), gateway.Invalid("content", "should have %d bytes, and has %d", n, len(b))
	}
	return append([]byte{}, b[:n]...), nil
}

// Code is the outcome in a send result.
type Code uint8

// The outcomes of a send.
const (
	CodeOK          Code = 0
	CodeFailed      Code = 1
	CodeTimeout     Code = 2
	CodeBadRequest  Code = 3
	CodeUnavailable Code = 4
	CodePartial     Code = 5
	CodeOther       Code = 255
)

// Result is the body of SendResult.
type Result struct {
	Numbers   []string
	Port      uint8
	Code      Code
	Slices    uint8 // segments that the gateway made of it
	Succeeded uint8 // of them
}

// Encode gives the body.
func (r *Result) Encode() (_ []byte, err error) {
	if n := len(r.Numbers); n < 1 || n > 255 {
		return nil, gateway.Invalid("numbers", "are %d: between 1 and 255", n)
	}
	b := []byte{byte(len(r.Numbers))}
	for _, n := range r.Numbers {
		if b, err = appendField(b, "number", n, numberSize); err != nil {
			return nil, err
		}
	}
	return append(b, r.Port, byte(r.Code), r.Slices, r.Succeeded), nil
}

// DecodeResult reads the body of SendResult. One without its counts is read too.
func DecodeResult(b []byte) (Result, error) {
	if len(b) < 1 {
		return Result{}, short("a result", len(b), 29)
	}
	all, rest, err := numbers(b)
	if err != nil {
		return Result{}, err
	}
	if len(rest) < 2 {
		return Result{}, short("a result", len(b), len(b)-len(rest)+4)
	}
	r := Result{Numbers: all, Port: rest[0], Code: Code(rest[1])}
	if len(rest) >= 4 {
		r.Slices, r.Succeeded = rest[2], rest[3]
	}
	return r, nil
}

// Deliver is the body of Received.
type Deliver struct {
	From     string // as the network wrote it
	Port     uint8
	At       time.Time // by the service centre; zero when it cannot be read
	Encoding Encoding
	Content  []byte
}

const (
	stampSize   = 15 // YYYYMMDDHHMMSS and a zero byte
	deliverSize = numberSize + 1 + 1 + stampSize + 1 + 1 + 2
	stampForm   = "20060102150405"
)

// Encode gives the body. The time zone goes in whole hours.
func (d *Deliver) Encode() ([]byte, error) {
	b, err := appendField(nil, "number", d.From, numberSize)
	if err != nil {
		return nil, err
	}
	_, zone := d.At.Zone()
	b = append(b, 0 /* SMS */, d.Port)
	b = append(b, d.At.Format(stampForm)...)
	b = append(b, 0, byte(int8(zone/3600)), byte(d.Encoding))
	return appendContent(b, d.Content)
}

// DecodeDeliver reads the body of Received. With an error it gives what could be read.
func DecodeDeliver(b []byte) (Deliver, error) {
	d := Deliver{}
	if len(b) >= numberSize+2 {
		d.From, d.Port = field(b[:numberSize]), b[numberSize+1]
	}
	if len(b) < deliverSize {
		return d, short("a received message", len(b), deliverSize)
	}
	b = b[numberSize+2:]
	if t, err := time.ParseInLocation(stampForm, field(b[:stampSize]), zoneOf(int8(b[stampSize]))); err == nil {
		d.At = t
	}
	d.Encoding = Encoding(b[stampSize+1])
	var err error
	d.Content, err = content(b[stampSize+2:])
	return d, err
}

// zoneOf reads a time zone: in hours, or in the quarters of hours of the network
// (TS 23.040 §9.2.3.11) where it is no hour that there is.
func zoneOf(v int8) *time.Location {
	if v < -12 || v > 14 {
		return time.FixedZone("", int(v)*900)
	}
	return time.FixedZone("", int(v)*3600)
}
