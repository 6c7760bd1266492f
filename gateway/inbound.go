package gateway

import "time"

// Inbound is one message that a customer sent us, joined from its segments.
type Inbound struct {
	Seq        uint64 // increasing, never used again; the public id in decimal
	From       Address
	Typed      string // the sender as the network wrote it
	Text       string
	Campaign   string // "" where no campaign owns the DID
	Channel    string // "provider/port" it came in on
	ICCID      string
	SMSC       string
	SentAt     time.Time // SCTS (TS 23.040 §9.2.3.11), or the time it came where that cannot be read
	ReceivedAt time.Time
	Segments   uint8
	Incomplete bool     // delivered before all segments came
	Raw        []string // TPDUs in hex, kept always
	Undecoded  string   // why the TPDU could not be read; "" when it could
	Wish       Wish     // to get no messages, or to get them again
	WishBy     string   // who decided what it asks; "" = its words alone
}

// StatusReport is what a network says of one segment that we sent: SMS-STATUS-REPORT
// of TS 23.040 §9.2.2.3.
type StatusReport struct {
	Channel      string
	SIM          string // Channel.SIMKey of the SIM that received it
	MR           uint8
	Recipient    Address
	SentAt       time.Time // SCTS: when the SMSC took the segment
	DischargedAt time.Time
	ST           uint8  // TP-ST, TS 23.040 §9.2.3.15
	Ref          string // the reference of a device that has no TP-MR
}

// ReportStatus is what a TP-ST means for a segment (TS 23.040 §9.2.3.15):
// delivered for 0x00-0x1F, undelivered for 0x40-0x7F, and StatusNone while the
// SMSC still tries (0x20-0x3F) or for a reserved value.
func ReportStatus(st uint8) Status {
	switch {
	case st <= 0x1F:
		return StatusDelivered
	case st >= 0x40 && st <= 0x7F:
		return StatusUndelivered
	}
	return StatusNone
}
