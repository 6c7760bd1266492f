package dwgwire

import (
	"encoding/binary"

	"fieldpost/gateway"
)

// Status is the state of a port in PortStatus.
type Status uint8

// The states of a port.
const (
	Works         Status = 0
	NoSIM         Status = 1
	NotRegistered Status = 2
	Unavailable   Status = 3
)

// EncodePorts gives the body of PortStatus or Signal: a count, and one byte a port.
func EncodePorts(all []uint8) ([]byte, error) {
	if len(all) > 255 {
		return nil, gateway.Invalid("count", "is %d: at most 255 ports", len(all))
	}
	return append([]byte{byte(len(all))}, all...), nil
}

// DecodePorts reads the body of PortStatus or Signal.
func DecodePorts(b []byte) ([]uint8, error) {
	if len(b) < 1 || len(b)-1 < int(b[0]) {
		return nil, gateway.Invalid("count", "says more ports than the %d bytes of the body have", len(b))
	}
	return append([]uint8{}, b[1:1+int(b[0])]...), nil
}

// Credentials is the body of Login.
type Credentials struct {
	User     string
	Password string
}

// Encode gives the body.
func (c *Credentials) Encode() ([]byte, error) {
	b, err := appendField(nil, "user", c.User, loginSize)
	if err != nil {
		return nil, err
	}
	return appendField(b, "password", c.Password, loginSize)
}

// CheckCredentials says whether a login can carry them: 1 to 16 printable ASCII
// characters each.
func CheckCredentials(user, password string) error {
	_, err := (&Credentials{user, password}).Encode()
	return err
}

// DecodeCredentials reads the body of Login.
func DecodeCredentials(b []byte) (Credentials, error) {
	if len(b) < 2*loginSize {
		return Credentials{}, short("a login", len(b), 2*loginSize)
	}
	return Credentials{field(b[:loginSize]), field(b[loginSize : 2*loginSize])}, nil
}

// USSDKind says what a USSD request wants.
type USSDKind uint8

// What a USSD request wants.
const (
	USSDSend USSDKind = 1
	USSDEnd  USSDKind = 2
)

// USSDRequest is the body of SendUSSD.
type USSDRequest struct {
	Port uint8
	Kind USSDKind
	Code string
}

// Encode gives the body.
func (u *USSDRequest) Encode() ([]byte, error) {
	for i := range len(u.Code) {
		if u.Code[i] < ' ' || u.Code[i] > '~' {
			return nil, gateway.Invalid("code", "must be printable ASCII, such as *123#")
		}
	}
	return appendContent([]byte{u.Port, byte(u.Kind)}, []byte(u.Code))
}

// DecodeUSSDRequest reads the body of SendUSSD.
func DecodeUSSDRequest(b []byte) (USSDRequest, error) {
	if len(b) < 2 {
		return USSDRequest{}, short("a USSD request", len(b), 4)
	}
	code, err := content(b[2:])
	return USSDRequest{Port: b[0], Kind: USSDKind(b[1]), Code: string(code)}, err
}

// USSDStatus says how a dialogue stands after an answer.
type USSDStatus uint8

// How a dialogue stands.
const (
	USSDDone        USSDStatus = 0
	USSDMore        USSDStatus = 1 // the network waits for an answer
	USSDEnded       USSDStatus = 2 // by the network
	USSDUnsupported USSDStatus = 4
)

// USSDAnswer is the body of USSDReply.
type USSDAnswer struct {
	Port   uint8
	Status USSDStatus
	Text   string
}

// Encode gives the body.
func (u *USSDAnswer) Encode() ([]byte, error) {
	e, c := EncodeText(u.Text)
	b := binary.BigEndian.AppendUint16([]byte{u.Port, byte(u.Status)}, uint16(len(c)))
	if len(b)+1+len(c) > MaxBody || len(c) > 1<<16-1 {
		return nil, gateway.Invalid("text", "has %d bytes, which is more than a frame takes", len(c))
	}
	return append(append(b, byte(e)), c...), nil
}

// DecodeUSSDAnswer reads the body of USSDReply. With an error it gives what could be read.
func DecodeUSSDAnswer(b []byte) (USSDAnswer, error) {
	if len(b) < 2 {
		return USSDAnswer{}, short("a USSD reply", len(b), 5)
	}
	u := USSDAnswer{Port: b[0], Status: USSDStatus(b[1])}
	if len(b) < 5 {
		return u, nil // a dialogue that ended says no more
	}
	n, e := int(binary.BigEndian.Uint16(b[2:])), Encoding(b[4])
	if b = b[5:]; len(b) < n {
		return u, gateway.Invalid("content", "should have %d bytes, and has %d", n, len(b))
	}
	var err error
	u.Text, err = decodeUSSD(e, b[:n])
	return u, err
}
