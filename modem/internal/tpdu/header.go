package tpdu

import "encoding/binary"

// The information elements that are understood (TS 23.040 §9.2.3.24).
const (
	ieConcat8    = 0x00
	iePort16     = 0x05
	ieConcat16   = 0x08
	ieSingle     = 0x24 // national language single shift
	ieLocking    = 0x25 // national language locking shift
	headerLength = 1
)

// header is what a user data header says.
type header struct {
	size            int // octets with its length octet; 0 = there is none
	ref             uint16
	wide            bool
	total, seq      int
	locking, single byte // national language tables (TS 23.038 §6.2.1.2.4); 0 = the default
}

// readHeader reads the header at the beginning of user data. False says that its
// length goes past the end of them.
func readHeader(data []byte, n *notes) (header, bool) {
	if len(data) < headerLength || headerLength+int(data[0]) > len(data) {
		return header{}, false
	}
	h := header{size: headerLength + int(data[0])}
	for ies := data[headerLength:h.size]; len(ies) > 0; {
		if len(ies) < 2 || 2+int(ies[1]) > len(ies) {
			n.add("an element of the header goes past its end and was left out") // S20
			break
		}
		id, value := ies[0], ies[2:2+int(ies[1])]
		h.element(id, value, n)
		ies = ies[2+len(value):]
	}
	return h, true
}

// element reads one information element; of two that say the same the last one
// counts (§9.2.3.24).
func (h *header) element(id byte, value []byte, n *notes) {
	switch {
	case id == ieConcat8 && len(value) == 3:
		h.concat(uint16(value[0]), false, value[1], value[2], n)
	case id == ieConcat16 && len(value) == 4:
		h.concat(binary.BigEndian.Uint16(value), true, value[2], value[3], n)
	case id == ieSingle && len(value) == 1:
		h.single = value[0]
	case id == ieLocking && len(value) == 1:
		h.locking = value[0]
	case id == iePort16 && len(value) == 4:
		n.add("it is for application port %d", binary.BigEndian.Uint16(value))
	}
}

// concat takes a concatenation element, which is to be ignored as a whole where its
// numbers make no sense (§9.2.3.24.1).
func (h *header) concat(ref uint16, wide bool, total, seq byte, n *notes) {
	if total == 0 || seq == 0 || seq > total {
		n.add("segment %d of %d makes no sense and was left out", seq, total)
		return
	}
	h.ref, h.wide, h.total, h.seq = ref, wide, int(total), int(seq)
}
