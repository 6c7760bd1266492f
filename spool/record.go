package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"fieldpost/gateway"
)

// recordVersion is the first byte of each record.
const recordVersion = 1

// The fields of a message record. A number is on disk: it is never used again
// for another meaning.
const (
	fLane protowire.Number = iota + 1
	fStatus
	fPriority
	fToPacked
	fText
	fTyped
	fCreated
	fSegments
	fAttempts
	fChannel
	fICCID
	fPart
	fHistory
	fUpload
	fFinished
	fData
	fAgent
	fSource
	fPolicy
	fNotBefore
	fValidUntil
	fKind
	fReason
	fEncoding
	fIMEI
	fOmitted
	fTo
	fTypedSame
)

// seal ends a record with a checksum over its key and its body: a page of a worn
// card is told from a record, and so is a record under another's key.
func seal(key, body []byte) []byte {
	return binary.BigEndian.AppendUint32(body, checksum(key, body))
}

// unseal gives the body of a record after its version byte.
func unseal(key, rec []byte) ([]byte, error) {
	n := len(rec) - 4
	if n < 1 {
		return nil, fmt.Errorf("a record of %d bytes", len(rec))
	}
	if binary.BigEndian.Uint32(rec[n:]) != checksum(key, rec[:n]) {
		return nil, fmt.Errorf("the checksum does not match")
	}
	if rec[0] != recordVersion {
		return nil, fmt.Errorf("record version %d, want %d", rec[0], recordVersion)
	}
	return rec[1:n], nil
}

func checksum(key, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by the standard library
	return crc32.Update(crc32.Update(0, table, key), table, body)
}

// encoder appends fields; zero values are left out.
type encoder struct{ b []byte }

func (e *encoder) uint(n protowire.Number, v uint64) {
	if v != 0 {
		e.b = protowire.AppendVarint(protowire.AppendTag(e.b, n, protowire.VarintType), v)
	}
}

func (e *encoder) string(n protowire.Number, v string) {
	if v != "" {
		e.b = protowire.AppendString(protowire.AppendTag(e.b, n, protowire.BytesType), v)
	}
}

// time keeps microseconds since 1970, zigzag; the zero time is left out.
func (e *encoder) time(n protowire.Number, v time.Time) {
	if !v.IsZero() {
		e.b = protowire.AppendVarint(protowire.AppendTag(e.b, n, protowire.VarintType), protowire.EncodeZigZag(v.UnixMicro()))
	}
}

// nested appends a field that is a record itself, even an empty one: its place counts.
func (e *encoder) nested(n protowire.Number, fill func(*encoder)) {
	var in encoder
	fill(&in)
	e.b = protowire.AppendBytes(protowire.AppendTag(e.b, n, protowire.BytesType), in.b)
}

// field is one field of a record as it was read.
type field struct {
	n     protowire.Number
	typ   protowire.Type
	v     uint64
	bytes []byte // valid while the transaction is
}

func (f field) string() string  { return string(f.bytes) }
func (f field) time() time.Time { return time.UnixMicro(protowire.DecodeZigZag(f.v)).UTC() }

// decode gives each field of a body to take, which refuses a field that it does
// not know: the schema number keeps newer records away, so such a field is damage.
func decode(body []byte, take func(field) error) error {
	for len(body) > 0 {
		n, typ, used := protowire.ConsumeTag(body)
		if used < 0 {
			return protowire.ParseError(used)
		}
		body = body[used:]
		f := field{n: n, typ: typ}
		switch typ {
		case protowire.VarintType:
			f.v, used = protowire.ConsumeVarint(body)
		case protowire.BytesType:
			f.bytes, used = protowire.ConsumeBytes(body)
		default:
			return fmt.Errorf("field %d has wire type %d", n, typ)
		}
		if used < 0 {
			return protowire.ParseError(used)
		}
		body = body[used:]
		if err := take(f); err != nil {
			return err
		}
	}
	return nil
}

// within reads a number that has a largest value.
func within[T ~uint8 | ~uint16 | ~uint32](to *T, f field) error {
	v := T(f.v)
	if uint64(v) != f.v {
		return fmt.Errorf("field %d is %d", f.n, f.v)
	}
	*to = v
	return nil
}

func unknownField(f field) error { return fmt.Errorf("field %d is not known", f.n) }

// encodeMessage makes the record of a message that stands in a lane.
func encodeMessage(lane uint32, m *gateway.Message) []byte {
	e := encoder{b: make([]byte, 0, 160+len(m.Text)+len(m.Data)+48*len(m.History))}
	e.b = append(e.b, recordVersion)
	e.uint(fLane, uint64(lane))
	e.uint(fStatus, uint64(m.Status))
	e.uint(fPriority, uint64(m.Priority))
	if n, ok := m.To.Packed(); ok {
		e.uint(fToPacked, n)
	} else {
		e.string(fTo, string(m.To))
	}
	if m.Typed == string(m.To) && m.Typed != "" {
		e.uint(fTypedSame, 1)
	} else {
		e.string(fTyped, m.Typed)
	}
	e.string(fText, m.Text)
	e.string(fData, m.Data)
	e.string(fAgent, m.Agent)
	e.string(fSource, m.Source)
	e.string(fUpload, m.Upload)
	e.uint(fPolicy, uint64(m.Policy))
	e.time(fCreated, m.Created)
	e.time(fNotBefore, m.NotBefore)
	e.time(fValidUntil, m.ValidUntil)
	e.time(fFinished, m.Finished)
	e.uint(fKind, uint64(m.Kind))
	e.string(fReason, m.Reason)
	e.uint(fEncoding, uint64(m.Encoding))
	e.uint(fSegments, uint64(m.Segments))
	e.uint(fAttempts, uint64(m.Attempts))
	e.string(fChannel, m.Channel)
	e.string(fIMEI, m.IMEI)
	e.string(fICCID, m.ICCID)
	for i := range m.Parts {
		e.nested(fPart, func(e *encoder) { encodePart(e, &m.Parts[i]) })
	}
	for i := range m.History {
		e.nested(fHistory, func(e *encoder) { encodeTransition(e, &m.History[i]) })
	}
	e.uint(fOmitted, uint64(m.Omitted))
	return seal(u64(m.IDM), e.b)
}

// decodeMessage reads a message record. It keeps nothing of rec.
func decodeMessage(idm uint64, rec []byte, name func(lane uint32) (string, bool)) (*gateway.Message, error) {
	body, err := unseal(u64(idm), rec)
	if err != nil {
		return nil, err
	}
	m := &gateway.Message{IDM: idm}
	var lane uint32
	same := false
	err = decode(body, func(f field) error {
		switch f.n {
		case fLane:
			return within(&lane, f)
		case fTypedSame:
			same = true
			return nil
		}
		return takeField(m, f)
	})
	if err != nil {
		return nil, err
	}
	if same {
		m.Typed = string(m.To)
	}
	var ok bool
	if m.Campaign, ok = name(lane); !ok {
		return nil, fmt.Errorf("lane %d is not known", lane)
	}
	if !stored(m.Status) {
		return nil, fmt.Errorf("status %d is never stored", m.Status)
	}
	return m, nil
}

func takeField(m *gateway.Message, f field) error {
	switch f.n {
	case fStatus:
		return within(&m.Status, f)
	case fPriority:
		return within(&m.Priority, f)
	case fToPacked:
		m.To = gateway.Unpack(f.v)
	case fTo:
		m.To = gateway.Address(f.bytes)
	case fTyped:
		m.Typed = f.string()
	case fText:
		m.Text = f.string()
	case fData:
		m.Data = f.string()
	case fAgent:
		m.Agent = f.string()
	case fSource:
		m.Source = f.string()
	case fUpload:
		m.Upload = f.string()
	case fPolicy:
		return within(&m.Policy, f)
	case fCreated:
		m.Created = f.time()
	case fNotBefore:
		m.NotBefore = f.time()
	case fValidUntil:
		m.ValidUntil = f.time()
	case fFinished:
		m.Finished = f.time()
	case fKind:
		return within(&m.Kind, f)
	case fReason:
		m.Reason = f.string()
	case fEncoding:
		return within(&m.Encoding, f)
	case fSegments:
		return within(&m.Segments, f)
	case fAttempts:
		return within(&m.Attempts, f)
	case fChannel:
		m.Channel = f.string()
	case fIMEI:
		m.IMEI = f.string()
	case fICCID:
		m.ICCID = f.string()
	case fPart:
		p, err := decodePart(f.bytes)
		m.Parts = append(m.Parts, p)
		return err
	case fHistory:
		tr, err := decodeTransition(f.bytes)
		m.History = append(m.History, tr)
		return err
	case fOmitted:
		return within(&m.Omitted, f)
	default:
		return unknownField(f)
	}
	return nil
}

// stored says that a status may stand in a record: a claim is memory only, and a
// row with an open intent is stored as queued.
func stored(s gateway.Status) bool {
	switch s {
	case gateway.StatusNone, gateway.StatusClaimed, gateway.StatusSubmitting:
		return false
	}
	return s < gateway.NumStatus
}

func encodePart(e *encoder, p *gateway.Part) {
	e.uint(1, uint64(p.Status))
	if p.HasMR {
		e.uint(2, uint64(p.MR)+1)
	}
	e.string(3, p.Ref)
	e.uint(4, uint64(p.ST))
	e.time(5, p.At)
}

func decodePart(body []byte) (p gateway.Part, err error) {
	err = decode(body, func(f field) error {
		switch f.n {
		case 1:
			return within(&p.Status, f)
		case 2:
			if f.v == 0 || f.v > math.MaxUint8+1 {
				return fmt.Errorf("a message reference of %d", f.v)
			}
			p.MR, p.HasMR = uint8(f.v-1), true
		case 3:
			p.Ref = f.string()
		case 4:
			return within(&p.ST, f)
		case 5:
			p.At = f.time()
		default:
			return unknownField(f)
		}
		return nil
	})
	return p, err
}

func encodeTransition(e *encoder, tr *gateway.Transition) {
	e.time(1, tr.At)
	e.uint(2, uint64(tr.Status))
	e.string(3, tr.Channel)
	e.uint(4, uint64(tr.Kind))
	e.string(5, tr.Code)
	e.string(6, tr.Text)
}

func decodeTransition(body []byte) (tr gateway.Transition, err error) {
	err = decode(body, func(f field) error {
		switch f.n {
		case 1:
			tr.At = f.time()
		case 2:
			return within(&tr.Status, f)
		case 3:
			tr.Channel = f.string()
		case 4:
			return within(&tr.Kind, f)
		case 5:
			tr.Code = f.string()
		case 6:
			tr.Text = f.string()
		default:
			return unknownField(f)
		}
		return nil
	})
	return tr, err
}
