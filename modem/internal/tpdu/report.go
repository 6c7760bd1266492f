package tpdu

import (
	"strings"
	"time"
)

// StatusMissing is the TP-ST of a report whose status could not be read: a
// reserved value (TS 23.040 §9.2.3.15), which stands for nothing.
const StatusMissing = 0xFF

// Report is one delivery report: SMS-STATUS-REPORT of TS 23.040 §9.2.2.3.
type Report struct {
	SMSC         string
	MR           byte // TP-MR of the segment that it is about
	Recipient    string
	SentAt       time.Time // TP-SCTS in UTC: when the SMSC took the segment; zero where it is no time
	DischargedAt time.Time // TP-DT in UTC
	ST           byte      // TP-ST, or StatusMissing

	Notes     []string // what was mended
	Raw       string   // the line as it came, in upper case
	Undecoded string   // why it could not be read; "" when it could
}

// DecodeReport reads the line of hex behind +CDS, or a stored report. length is
// the <length> of the line before, 0 when it is not known.
func DecodeReport(line string, length int) (r Report) {
	raw := strings.ToUpper(strings.TrimSpace(line))
	var n notes
	r.ST = StatusMissing
	defer func() {
		if recover() != nil {
			r.Undecoded = faultOfOurs
		}
		r.Raw, r.Notes = raw, n
	}()
	smsc, o, why := open(line, length, &n)
	r.SMSC = smsc
	if why == "" {
		why = r.read(&o)
	}
	r.Undecoded = why
	return r
}

// read stops behind TP-ST: the optional fields say nothing that we use, and
// networks fill them with garbage (S18).
func (r *Report) read(o *octets) (why string) {
	head, ok := o.take(2)
	if !ok {
		return "it is empty"
	}
	if head[0]&mtiMask != mtiReport {
		return "it is no SMS-STATUS-REPORT"
	}
	r.MR = head[1]
	if r.Recipient, ok = o.address(); !ok {
		return "it ends inside the recipient"
	}
	if r.SentAt, ok = o.timestamp("the SMSC's time"); !ok {
		return "it ends inside the SMSC's time"
	}
	if r.DischargedAt, ok = o.timestamp("the discharge time"); !ok {
		return "it ends inside the discharge time"
	}
	st, ok := o.octet()
	if !ok {
		return "it ends before the status"
	}
	r.ST = st
	return ""
}
