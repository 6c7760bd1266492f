package dwgwire

import (
	"encoding/binary"
	"io"

	"fieldpost/gateway"
)

const (
	// MaxBody bounds the body of a frame, in bytes.
	MaxBody = 64 << 10

	headerSize = 24
)

// Type says what a frame is.
type Type uint16

// The types of frames. The answer to a request is the type that follows it.
const (
	KeepAlive   Type = 0x00 // either way; has no answer
	SendSMS     Type = 0x01 // to the gateway
	SendSMSAck  Type = 0x02
	SendResult  Type = 0x03 // from the gateway
	Received    Type = 0x05 // from the gateway
	PortStatus  Type = 0x07 // from the gateway
	SendUSSD    Type = 0x09 // to the gateway
	SendUSSDAck Type = 0x0A
	USSDReply   Type = 0x0B  // from the gateway
	Signal      Type = 0x0D  // from the gateway
	Login       Type = 0x0F  // from the gateway
	CallState   Type = 0x203 // from the gateway; of no use here, and answered all the same
)

// Ack gives the type of the answer to a request.
func (t Type) Ack() Type { return t + 1 }

// ID names a request; its answer has the same one.
type ID struct {
	MAC    [6]byte // of the device that made it
	Time   uint32  // Unix time in seconds
	Serial uint32
}

// Header is what stands before a body.
type Header struct {
	Length int // of the body, in bytes
	ID     ID
	Type   Type
	Flag   uint16
}

// Frame is a header with its body.
type Frame struct {
	ID   ID
	Type Type
	Body []byte
}

// Encode gives the bytes of a frame. A body beyond MaxBody is KindInvalid.
func (f *Frame) Encode() ([]byte, error) {
	if len(f.Body) > MaxBody {
		return nil, gateway.Invalid("body", "has %d bytes, a frame takes %d", len(f.Body), MaxBody)
	}
	b := make([]byte, 0, headerSize+len(f.Body))
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Body)))
	b = append(b, f.ID.MAC[:]...)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, f.ID.Time)
	b = binary.BigEndian.AppendUint32(b, f.ID.Serial)
	b = binary.BigEndian.AppendUint16(b, uint16(f.Type))
	b = binary.BigEndian.AppendUint16(b, 0) // flag
	return append(b, f.Body...), nil
}

// Answer makes the answer to a request: one byte, 0 for taken.
func Answer(id ID, request Type, code byte) *Frame {
	return &Frame{ID: id, Type: request.Ack(), Body: []byte{code}}
}

// ReadHeader reads a header: io.EOF when nothing comes any more, KindInvalid for a
// body beyond MaxBody, after which the stream makes no sense.
func ReadHeader(r io.Reader) (Header, error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Header{}, err
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > MaxBody {
		return Header{}, gateway.Invalid("length", "a frame says that its body has %d bytes, the most is %d", n, MaxBody)
	}
	h := Header{
		Length: int(n),
		ID:     ID{Time: binary.BigEndian.Uint32(b[12:]), Serial: binary.BigEndian.Uint32(b[16:])},
		Type:   Type(binary.BigEndian.Uint16(b[20:])),
		Flag:   binary.BigEndian.Uint16(b[22:]),
	}
	copy(h.ID.MAC[:], b[4:])
	return h, nil
}

// ReadBody reads the body of a header. One that ends early is io.ErrUnexpectedEOF.
func ReadBody(r io.Reader, h Header) (Frame, error) {
	f := Frame{ID: h.ID, Type: h.Type, Body: make([]byte, h.Length)}
	_, err := io.ReadFull(r, f.Body)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return f, err
}

// Read reads a whole frame.
func Read(r io.Reader) (Frame, error) {
	h, err := ReadHeader(r)
	if err != nil {
		return Frame{}, err
	}
	return ReadBody(r, h)
}
