package tpdu

import (
	"strings"
	"time"

	"fieldpost/gateway/gsm7"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Coding is how user data are written (TS 23.038 §4).
type Coding uint8

// The codings.
const (
	GSM7 Coding = iota
	UCS2
	Binary // 8-bit data
)

// Deliver is one inbound segment: SMS-DELIVER of TS 23.040 §9.2.2.1.
type Deliver struct {
	SMSC   string
	From   string    // "+" and digits, digits, or letters, as the network wrote it
	SentAt time.Time // TP-SCTS in UTC; zero where it is no time
	More   bool      // the SMSC has more for us (TP-MMS, §9.2.3.2)
	Flash  bool      // class 0
	PID    byte
	DCS    byte

	Coding  Coding
	Text    string // of a message that stands alone, or that uses a national table; "" otherwise, and for binary
	Septets []byte // user data without header for GSM7, one a byte
	Octets  []byte // user data without header for UCS2 and binary

	Ref   uint16 // concatenation reference, for Total > 1
	Wide  bool   // Ref has 16 bits
	Total int    // 0 or 1 = it stands alone
	Seq   int    // 1-based

	Notes     []string // what was mended
	Raw       string   // the line as it came, in upper case
	Undecoded string   // why it could not be read; "" when it could
}

// The types of message from the network (TS 23.040 §9.2.3.1).
const (
	mtiMask     = 0x03
	mtiDeliver  = 0x00
	mtiReport   = 0x02
	mtiReserved = 0x03
)

// IsReport says that a stored TPDU (+CMGL, +CMGR) is a status report, and not a
// message.
func IsReport(line string, length int) bool {
	var n notes
	_, o, why := open(line, length, &n)
	first, ok := o.octet()
	return why == "" && ok && first&mtiMask == mtiReport
}

// DecodeDeliver reads the line of hex behind +CMT, +CMGL or +CMGR. length is the
// <length> of the line before, 0 when it is not known.
func DecodeDeliver(line string, length int) (d Deliver) {
	raw := strings.ToUpper(strings.TrimSpace(line))
	var n notes
	defer func() {
		if recover() != nil {
			d.Undecoded = faultOfOurs
		}
		d.Raw, d.Notes = raw, n
	}()
	smsc, o, why := open(line, length, &n)
	d.SMSC = smsc
	if why == "" {
		why = d.read(&o)
	}
	d.Undecoded = why
	return d
}

// faultOfOurs stands for a panic of a decoder: the raw hex is kept for us.
const faultOfOurs = "the decoder stopped at a fault of its own"

func (d *Deliver) read(o *octets) (why string) {
	first, ok := o.octet()
	if !ok {
		return "it is empty"
	}
	switch first & mtiMask {
	case mtiDeliver:
	case mtiReserved:
		o.notes.add("its type is reserved, and was read as SMS-DELIVER") // S17
	default:
		return "it is no SMS-DELIVER"
	}
	d.More = first&tpdu.FoMMS == 0 // the bit says "no more"
	if d.From, ok = o.address(); !ok {
		return "it ends inside the sender"
	}
	head, ok := o.take(2)
	if !ok {
		return "it ends behind the sender"
	}
	d.PID, d.DCS = head[0], head[1]
	if d.SentAt, ok = o.timestamp("the SMSC's time"); !ok {
		return "it ends inside the SMSC's time"
	}
	return d.userData(o, first&tpdu.FoUDHI != 0)
}

// userData reads TP-UDL and TP-UD (TS 23.040 §9.2.3.16, §9.2.3.24).
func (d *Deliver) userData(o *octets, withHeader bool) (why string) {
	compressed := d.coding(o.notes)
	udl, ok := o.octet()
	if !ok {
		return "it ends before the text"
	}
	data := d.clamp(int(udl), o)
	h := header{}
	if withHeader {
		if h, ok = readHeader(data, o.notes); !ok {
			why = "the header of the text is longer than the text"
		}
	}
	d.Ref, d.Wide, d.Total, d.Seq = h.ref, h.wide, h.total, h.seq
	switch {
	case compressed:
		d.Octets = data[h.size:]
		return "the text is compressed (TS 23.042)"
	case d.Coding == GSM7:
		d.Septets = body(data, int(udl), h.size)
	default:
		d.Octets = data[h.size:]
	}
	if d.Total <= 1 || h.locking != 0 || h.single != 0 {
		d.Text = d.text(h)
	}
	return why
}

// coding reads TP-DCS (TS 23.038 §4) and says whether the text is compressed.
func (d *Deliver) coding(n *notes) (compressed bool) {
	dcs := tpdu.DCS(d.DCS)
	alphabet, err := dcs.Alphabet()
	if err != nil {
		// S10: "any reserved codings shall be assumed to be the GSM 7 bit default
		// alphabet" (§4).
		n.add("the coding %02X is reserved, and was read as GSM7", d.DCS)
	}
	switch alphabet {
	case tpdu.AlphaUCS2:
		d.Coding = UCS2
	case tpdu.Alpha8Bit:
		d.Coding = Binary
	default:
		d.Coding = GSM7
	}
	class, _ := dcs.Class() // S21: the error only says that there is none, as in plain 0x00
	d.Flash = class == tpdu.MClass0
	return dcs.Compressed()
}

// clamp gives the octets of the text: what is there, where its length says more (S14).
func (d *Deliver) clamp(udl int, o *octets) []byte {
	size := udl
	if d.Coding == GSM7 {
		size = (udl*7 + 7) / 8
	}
	if size > len(o.left) {
		o.notes.add("the text is %d octets shorter than it says", size-len(o.left))
		size = len(o.left)
	}
	if size < len(o.left) {
		o.notes.add("%d octets behind the text were left out", len(o.left)-size)
	}
	data, _ := o.take(size)
	return data
}

// body gives the septets behind a header of size octets, which fill bits bring to a
// septet border (TS 23.040 §9.2.3.24). septets is TP-UDL: the header counts too, and
// there may be fewer.
func body(data []byte, septets, size int) []byte {
	skipped := (size*8 + 6) / 7
	fill := skipped*7 - size*8
	return gsm7.Unpack(data[size:], septets-skipped, fill)
}

func (d *Deliver) text(h header) string {
	switch {
	case d.Coding == UCS2:
		return gsm7.DecodeUCS2(d.Octets)
	case d.Coding == Binary:
		return ""
	case h.locking != 0 || h.single != 0:
		return national(d.Septets, h)
	}
	return gsm7.DecodeSeptets(d.Septets)
}
