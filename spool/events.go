package spool

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"

	"fieldpost/gateway"
)

// The fields of an event record. A message's event keeps its facts and not its
// JSON, which is made when the event is read: it is the most frequent by far.
const (
	eAt protowire.Number = iota + 1
	eKind
	eBody
	eIDM
	eCampaign
	eStatus
	eTo
	eChannel
	eICCID
	eSegments
	eAttempts
	eErrorKind
	eReason
	eData
)

// tail is the end of the outbox, for who waits for news.
type tail struct {
	mu      sync.Mutex
	last    uint64
	changed chan struct{} // closed at the next event
}

func (t *tail) init() { t.changed = make(chan struct{}) }

// emit appends an event to the outbox, in the commit of what it tells. body is
// what json.Marshal takes.
func (t *tx) emit(kind string, body any) error {
	if kind == "" || kind == gateway.EventMessage {
		return gateway.Invalid("kind", "an event of kind %q is not for others to make", kind)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return gateway.Errorf(gateway.KindInternal, "the body of a %s event: %w", kind, err)
	}
	e := encoder{b: []byte{recordVersion}}
	e.time(eAt, t.now)
	e.string(eKind, kind)
	e.string(eBody, string(b))
	return t.append(e.b)
}

// emitMessage appends the event of a message that reached its status.
func (t *tx) emitMessage(m *gateway.Message) error {
	e := encoder{b: append(make([]byte, 0, 128), recordVersion)}
	e.time(eAt, t.now)
	e.uint(eIDM, m.IDM)
	e.string(eCampaign, m.Campaign)
	e.uint(eStatus, uint64(m.Status))
	e.string(eTo, string(m.To))
	e.string(eChannel, m.Channel)
	e.string(eICCID, m.ICCID)
	e.uint(eSegments, uint64(m.Segments))
	e.uint(eAttempts, uint64(m.Attempts))
	e.uint(eErrorKind, uint64(m.Kind))
	e.string(eReason, m.Reason)
	e.string(eData, m.Data)
	return t.append(e.b)
}

func (t *tx) append(body []byte) error {
	out := t.bucket(bucketOutbox)
	seq, err := out.NextSequence()
	if err != nil {
		return err
	}
	t.events++
	k := u64(seq)
	return out.Put(k, seal(k, body))
}

// trimOutbox drops the oldest events past KeepEvents, many at a time: one at a
// time would touch another page in each commit.
func (t *tx) trimOutbox() error {
	if t.events == 0 {
		return nil
	}
	out := t.bucket(bucketOutbox)
	c := out.Cursor()
	k, _ := c.First()
	if k == nil {
		return nil
	}
	keep := uint64(t.s.o.KeepEvents)
	first, last := binary.BigEndian.Uint64(k), out.Sequence()
	if last-first+1 < keep+min(trimChunk, keep/4+1) {
		return nil
	}
	for seq := first; seq+keep <= last && seq < first+maxTrim; seq++ {
		if err := out.Delete(u64(seq)); err != nil {
			return err
		}
	}
	return nil
}

const (
	trimChunk = 1024 // events that gather before they are dropped
	maxTrim   = 8192 // events dropped in one commit
)

func (t *tx) publishEvents() {
	if t.events == 0 {
		return
	}
	l := &t.s.tail
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last += t.events
	close(l.changed)
	l.changed = make(chan struct{})
}

func (s *Spool) loadTail(b *bbolt.Tx) error {
	s.tail.last = b.Bucket(bucketOutbox).Sequence()
	return nil
}

// Tail gives the number of the last event, and a channel that is closed at the next.
func (s *Spool) Tail() (last uint64, changed <-chan struct{}) {
	s.tail.mu.Lock()
	defer s.tail.mu.Unlock()
	return s.tail.last, s.tail.changed
}

// maxEvents is the most events of one answer.
const maxEvents = 1000

// Events gives the events after a number, oldest first, at most limit (1 to 1000;
// 0 = 1000). KindNotFound says that some of them were dropped already, or that the
// number is of another epoch: the reader must begin again at Tail.
func (s *Spool) Events(after uint64, limit int) ([]gateway.Event, error) {
	if limit <= 0 || limit > maxEvents {
		limit = maxEvents
	}
	var events []gateway.Event
	err := s.view(func(b *bbolt.Tx) error {
		out := b.Bucket(bucketOutbox)
		if last := out.Sequence(); after >= last {
			if after > last {
				return gateway.Errorf(gateway.KindNotFound, "event %d has not happened yet: the last is %d", after, last)
			}
			return nil
		}
		c := out.Cursor()
		if k, _ := c.First(); k == nil || binary.BigEndian.Uint64(k) > after+1 {
			return gateway.Errorf(gateway.KindNotFound, "the events after %d are no longer kept", after)
		}
		for k, v := c.Seek(u64(after + 1)); k != nil && len(events) < limit; k, v = c.Next() {
			ev, err := decodeEvent(k, v)
			if err != nil {
				return err
			}
			events = append(events, ev)
		}
		return nil
	})
	return events, err
}

// decodeEvent reads an event. One that cannot be read becomes an alarm at its
// number, so that the sequence has no gap and the reader is not stuck before it.
func decodeEvent(k, v []byte) (gateway.Event, error) {
	if len(k) != 8 {
		return gateway.Event{}, fmt.Errorf("outbox: a key of %d bytes", len(k))
	}
	seq := binary.BigEndian.Uint64(k)
	ev, err := parseEvent(k, v)
	if err == nil {
		ev.Seq = seq
		return ev, nil
	}
	body, err := json.Marshal(gateway.AlarmEvent{Reason: fmt.Sprintf("event %d cannot be read: %v", seq, err)})
	return gateway.Event{Seq: seq, Kind: gateway.EventAlarm, Body: body}, err
}

func parseEvent(k, v []byte) (ev gateway.Event, err error) {
	body, err := unseal(k, v)
	if err != nil {
		return ev, err
	}
	ev.Kind = gateway.EventMessage
	var m gateway.MessageEvent
	var at time.Time
	err = decode(body, func(f field) error {
		switch f.n {
		case eAt:
			at = f.time()
		case eKind:
			ev.Kind = f.string()
		case eBody:
			ev.Body = append([]byte(nil), f.bytes...)
		default:
			return takeEventField(&m, f)
		}
		return nil
	})
	ev.At = at
	if err == nil && ev.Kind == gateway.EventMessage {
		ev.Body, err = json.Marshal(&m)
	}
	return ev, err
}

func takeEventField(m *gateway.MessageEvent, f field) error {
	switch f.n {
	case eIDM:
		m.ID = strconv.FormatUint(f.v, 10)
	case eCampaign:
		m.Campaign = f.string()
	case eStatus:
		m.Status = gateway.Status(f.v).String()
	case eTo:
		m.To = f.string()
	case eChannel:
		m.Channel = f.string()
	case eICCID:
		m.ICCID = f.string()
	case eSegments:
		m.Segments = int(f.v)
	case eAttempts:
		m.Attempts = int(f.v)
	case eErrorKind:
		if f.v != 0 {
			m.Kind = gateway.Kind(f.v).String()
		}
	case eReason:
		m.Reason = f.string()
	case eData:
		m.Data = f.string()
	default:
		return unknownField(f)
	}
	return nil
}
