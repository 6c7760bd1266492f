package sim

import (
	"time"

	"fieldpost/gateway/gsm7"
)

// Entry is one SMS-SUBMIT that went on the air.
type Entry struct {
	At     time.Time // when the network took it
	Modem  string    // name of the modem or device
	SIM    string    // ICCID
	MR     uint8     // TP-MR that the modem chose (TS 23.040 §9.2.3.6)
	To     string    // "+" and digits for an international number, digits otherwise
	Text   string    // of this segment alone
	Ref    uint16    // concatenation reference; 0 for a message of its own
	Wide   bool      // Ref has 16 bits
	Total  int       // segments of the message, at least 1
	Seq    int       // 1-based
	DCS    byte      // TP-DCS
	Report bool      // TP-SRR: a delivery report was asked for
	// Gap is how long the modem lay idle between its last answer to a send and this
	// send's AT+CMGS; zero for the first one.
	Gap time.Duration
	// Radio is how long the network took for it: the modem was busy, and nobody's fault.
	Radio time.Duration

	septets []byte // joined before they are decoded; nil in the ledger for a message of its own
	octets  []byte // of a text that is not GSM7; nil in the ledger
}

// Message is a text that is complete at the handset, joined from its segments.
type Message struct {
	To       string
	Text     string
	SIM      string
	Ref      uint16
	Segments []Entry // in the order of Seq
	At       time.Time
}

// Copy names a message as the person who reads it sees it.
type Copy struct {
	To   string
	Text string
}

// thread is what a handset joins segments by (TS 23.040 §9.2.3.24.1).
type thread struct {
	sim   string
	to    string
	ref   uint16
	wide  bool
	total int
}

// joiner is a handset: it joins segments in the order in which they came.
type joiner struct {
	open map[thread][][]Entry // by seq-1, waiting for the others
	done []Message
}

// join reads entries as the handsets did.
func join(entries []Entry) *joiner {
	j := &joiner{open: map[thread][][]Entry{}}
	for i := range entries {
		j.add(entries[i])
	}
	return j
}

func (j *joiner) add(e Entry) {
	if e.Total <= 1 {
		j.done = append(j.done, Message{To: e.To, Text: e.Text, SIM: e.SIM, Segments: []Entry{e}, At: e.At})
		return
	}
	k := thread{e.SIM, e.To, e.Ref, e.Wide, e.Total}
	slots := j.open[k]
	if slots == nil {
		slots = make([][]Entry, e.Total)
		j.open[k] = slots
	}
	slots[e.Seq-1] = append(slots[e.Seq-1], e)
	for _, waiting := range slots {
		if len(waiting) == 0 {
			return
		}
	}
	m := Message{To: e.To, SIM: e.SIM, Ref: e.Ref, At: e.At}
	left := 0
	for i := range slots {
		m.Segments = append(m.Segments, slots[i][0])
		slots[i] = slots[i][1:]
		left += len(slots[i])
	}
	if left == 0 {
		delete(j.open, k)
	}
	m.Text = joined(m.Segments)
	j.done = append(j.done, m)
}

// joined decodes the segments as one text: an escape pair may be split over two.
func joined(es []Entry) string {
	var septets []byte
	var text string
	flush := func() {
		text += gsm7.DecodeSeptets(septets)
		septets = septets[:0]
	}
	for i := range es {
		if es[i].septets != nil {
			septets = append(septets, es[i].septets...)
			continue
		}
		flush()
		text += es[i].Text
	}
	flush()
	return text
}

// unpaired gives the segments whose message is not complete at the handset.
func (j *joiner) unpaired() []Entry {
	var es []Entry
	for _, slots := range j.open {
		for _, waiting := range slots {
			es = append(es, waiting...)
		}
	}
	return es
}

// Flash says that the handset shows it at once: class 0 (TS 23.038 §4).
func (e *Entry) Flash() bool { return e.DCS&0xD0 == 0x10 && e.DCS&0x03 == 0 || e.DCS&0xF3 == 0xF0 }
