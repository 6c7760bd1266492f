package tpdu

import (
	"encoding/hex"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Submit is one segment for the air: SMS-SUBMIT of TS 23.040 §9.2.2.2.
type Submit struct {
	To       gateway.Address // E.164 or a short code
	Segment  gsm7.Segment
	Ref      uint16        // concatenation reference, for Total > 1
	Total    int           // segments of the whole message; 0 or 1 = it stands alone
	Seq      int           // 1-based, for Total > 1
	Report   bool          // TP-SRR: ask for a status report
	Validity time.Duration // TP-VP, relative: 5 minutes to 63 weeks, rounded down; 0 = the SMSC's default
	Flash    bool          // class 0: shown at once, not stored
}

// Encoded is a TPDU as AT+CMGS takes it (TS 27.005 §4.3).
type Encoded struct {
	Hex    string // upper case, behind "00": the SMSC stored in the SIM
	Length int    // <length>: octets of the TPDU without the SMSC
}

// The room for user data in octets of one TPDU (TS 23.040 §9.2.3.16) and in
// septets.
const (
	maxOctets  = 140
	maxSeptets = 160
)

// Encode writes the TPDU. The error is of kind invalid. TP-MR is 0: modems put
// their own there and tell it in +CMGS. There is no "more messages to send" in
// SMS-SUBMIT: that is AT+CMMS.
func (s *Submit) Encode() (Encoded, error) {
	to, err := destination(s.To)
	if err != nil {
		return Encoded{}, err
	}
	t, err := tpdu.NewSubmit()
	if err != nil {
		return Encoded{}, gateway.Errorf(gateway.KindInternal, "making a TPDU: %w", err)
	}
	t.DA = to
	t.DCS = s.dcs()
	if s.Report {
		t.FirstOctet |= tpdu.FoSRR
	}
	if err := s.setValidity(t); err != nil {
		return Encoded{}, err
	}
	if err := s.setUserData(t); err != nil {
		return Encoded{}, err
	}
	octets, err := t.MarshalBinary()
	if err != nil {
		return Encoded{}, gateway.Errorf(gateway.KindInternal, "writing a TPDU: %w", err)
	}
	// S26: old modems know hex in upper case only.
	return Encoded{Hex: "00" + strings.ToUpper(hex.EncodeToString(octets)), Length: len(octets)}, nil
}

// The types of address: TS 23.040 §9.1.2.5.
const (
	toaInternational = 0x91 // and the telephone numbering plan
	toaUnknown       = 0x81
)

// destination writes TP-DA. S1: the library calls every number international, so
// that 12345 would become +12345.
func destination(a gateway.Address) (tpdu.Address, error) {
	switch {
	case a.E164():
		return tpdu.Address{TOA: toaInternational, Addr: string(a[1:])}, nil
	case a.Short():
		return tpdu.Address{TOA: toaUnknown, Addr: string(a)}, nil
	}
	return tpdu.Address{}, gateway.Invalid("to", "is no international number and no short code of 2 to 6 digits")
}

// dcs gives TP-DCS (TS 23.038 §4): general data coding, with class 0 for flash.
func (s *Submit) dcs() tpdu.DCS {
	dcs := tpdu.DCS(0x00)
	if s.Segment.Encoding() == gateway.EncodingUCS2 {
		dcs = tpdu.DcsUCS2Data
	}
	if s.Flash {
		dcs |= 0x10 // a class is given, and it is 0: the template 0xF0 knows no UCS2
	}
	return dcs
}

// setValidity gives TP-VP in the relative format (TS 23.040 §9.2.3.12.1).
func (s *Submit) setValidity(t *tpdu.TPDU) error {
	switch {
	case s.Validity < 0:
		return gateway.Invalid("validity", "is negative; it is 5 minutes to 63 weeks, or 0 for the SMSC's default")
	case s.Validity == 0:
		return nil
	}
	d := s.Validity
	if d < 10*time.Minute {
		d = time.Minute // S7: the library makes 10 minutes of 5 to 10; of less than 5 it makes 5
	}
	var vp tpdu.ValidityPeriod
	vp.SetRelative(d)
	t.SetVP(vp)
	return nil
}

func (s *Submit) setUserData(t *tpdu.TPDU) error {
	header := 0
	if s.Total > 1 {
		if s.Total > gsm7.MaxSegments || s.Seq < 1 || s.Seq > s.Total { // S4: 255 overflow in silence
			return gateway.Invalid("segment", "is number %d of %d; it must be 1 to the total, and the total at most %d", s.Seq, s.Total, gsm7.MaxSegments)
		}
		// S2, S3: the reference is the caller's and has 16 bits (TS 23.040 §9.2.3.24.8).
		// S5: SetUDH also sets TP-UDHI.
		t.SetUDH(tpdu.UserDataHeader{{ID: ieConcat16, Data: []byte{byte(s.Ref >> 8), byte(s.Ref), byte(s.Total), byte(s.Seq)}}})
		header = 7
	}
	data, used := s.Segment.Septets, (len(s.Segment.Septets)*7+7)/8
	if s.Segment.Encoding() == gateway.EncodingUCS2 {
		data = s.Segment.Octets()
		used = len(data)
	}
	if len(data) == 0 {
		return gateway.Invalid("text", "is empty")
	}
	if header+used > maxOctets {
		return gateway.Invalid("text", "takes %d octets in one segment, and %d are free", used, maxOctets-header)
	}
	t.UD = data
	return nil
}
