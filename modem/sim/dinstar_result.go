package sim

import (
	"slices"
	"time"

	"fieldpost/gateway/gsm7"
)

// The words of query_sms_result.
const (
	dinstarSending   = "SENDING"
	dinstarSent      = "SENT_OK"
	dinstarDelivered = "DELIVERED"
	dinstarFailed    = "FAILED"
	dinstarCanceled  = "Canceled"
)

// dinstarMessage is one recipient's message. Everything but what it was accepted
// with is under the gateway's lock.
type dinstarMessage struct {
	task     int
	userID   int
	number   string
	segments []gsm7.Segment
	report   bool
	port     *dinstarPort
	card     *Card // whose queue it is in

	status  string
	at      time.Time // of the status, by the device's clock
	begun   time.Time // when its port took it, by the network's clock
	next    int       // segments that are on the air
	refused int       // segment that the network refuses; -1 = none
	ref     uint8     // concatenation reference
	mr      uint8     // of the first segment
	arrived map[int]bool
	unseen  int // queries that do not find it yet
}

// dinstarReport is a row of query_sms_deliver_status.
type dinstarReport struct {
	Port   int    `json:"port"`
	Number string `json:"number"`
	Time   string `json:"time"`
	Ref    int    `json:"ref_id"`
	Status int    `json:"status_code"`
	IMSI   string `json:"imsi,omitempty"`
	at     time.Time
}

// dinstarResult is a row of query_sms_result.
type dinstarResult struct {
	Port      int    `json:"port"`
	UserID    *int   `json:"user_id,omitempty"` // absent in a push
	Number    string `json:"number"`
	Time      string `json:"time"`
	Status    string `json:"status"`
	Count     int    `json:"count"`
	Succeeded int    `json:"succ_count"`
	Ref       int    `json:"ref_id"`
	IMSI      string `json:"imsi,omitempty"`
}

// row tells what is known of a message. The lock is held.
func (d *Dinstar) row(m *dinstarMessage) dinstarResult {
	return dinstarResult{
		Port: m.port.n, UserID: &m.userID, Number: m.number, Time: m.at.Format(dinstarTime), Status: m.status,
		Count: len(m.segments), Succeeded: m.next, Ref: int(m.mr), IMSI: d.imsi(m.card),
	}
}

// dinstarFilter is what the two queries filter by; what is absent matches all.
type dinstarFilter struct {
	Number []string `json:"number"`
	Port   []int    `json:"port"`
	UserID []int    `json:"user_id"`
	After  string   `json:"time_after"`
	Before string   `json:"time_before"`

	after, before time.Time
}

// filterMost is the most numbers, and user_ids, that a query may name.
const filterMost = 32

// filter reads a query; an empty body asks for everything.
func (d *Dinstar) filter(r *dinstarRequest) (*dinstarFilter, bool) {
	f := &dinstarFilter{}
	if len(r.body) > 0 && !r.decode(f) || len(f.Number) > filterMost || len(f.UserID) > filterMost {
		return nil, false
	}
	zone := d.now().Location()
	for _, t := range []struct {
		s  string
		to *time.Time
	}{{f.After, &f.after}, {f.Before, &f.before}} {
		if t.s == "" {
			continue
		}
		at, err := time.ParseInLocation(dinstarTime, t.s, zone)
		if err != nil {
			return nil, false
		}
		*t.to = at
	}
	return f, true
}

func (f *dinstarFilter) matches(port int, number string, at time.Time) bool {
	at = at.Truncate(time.Second)
	switch {
	case len(f.Port) > 0 && !slices.Contains(f.Port, port):
		return false
	case len(f.Number) > 0 && !slices.Contains(f.Number, number):
		return false
	case !f.after.IsZero() && at.Before(f.after), !f.before.IsZero() && at.After(f.before):
		return false
	}
	return true
}

// queryResult tells what became of messages.
func (d *Dinstar) queryResult(r *dinstarRequest) any {
	f, ok := d.filter(r)
	if !ok {
		return d.head(dinstarBad)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []dinstarResult{}
	for _, m := range d.results {
		if !f.matches(m.port.n, m.number, m.at) || len(f.UserID) > 0 && !slices.Contains(f.UserID, m.userID) {
			continue
		}
		if m.unseen > 0 {
			m.unseen--
			continue
		}
		rows = append(rows, d.row(m))
	}
	return struct {
		head
		Result []dinstarResult `json:"result"`
	}{d.head(dinstarOK), rows}
}

// queryDelivered tells the delivery reports. They do not know the user_id.
func (d *Dinstar) queryDelivered(r *dinstarRequest) any {
	f, ok := d.filter(r)
	if !ok {
		return d.head(dinstarBad)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []dinstarReport{}
	for _, row := range d.reports {
		if f.matches(row.Port, row.Number, row.at) {
			rows = append(rows, row)
		}
	}
	return struct {
		head
		Result []dinstarReport `json:"result"`
	}{d.head(dinstarOK), rows}
}

// tellResult pushes what became of a message, without its user_id.
func (d *Dinstar) tellResult(m *dinstarMessage) {
	d.mu.Lock()
	row := d.row(m)
	d.mu.Unlock()
	row.UserID = nil
	d.tell(map[string]any{"sms_result": []dinstarResult{row}})
}
