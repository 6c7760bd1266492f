package sim

import (
	"encoding/json"
	"strconv"
	"time"
)

// dinstarIn is a message that the gateway received.
type dinstarIn struct {
	ID     int    `json:"incoming_sms_id,omitempty"`
	Port   int    `json:"port"`
	Number string `json:"number"`
	SMSC   string `json:"smsc"`
	Time   string `json:"timestamp"`
	Text   string `json:"text"`
	IMSI   string `json:"imsi,omitempty"`
	read   bool
}

// dinstarThread is what the gateway joins segments by (TS 23.040 §9.2.3.24.1).
type dinstarThread struct {
	port  int
	from  string
	ref   uint16
	wide  bool
	total int
}

// receiver takes messages of the network for a card while it is in a port. Reports
// come by Submit's way.
func (d *Dinstar) receiver(p *dinstarPort, card *Card) Receive {
	return func(pdu []byte, report bool) bool {
		if report {
			return true
		}
		in, err := ReadDeliver(pdu)
		d.mu.Lock()
		if d.closed || p.card != card || !p.listening() {
			d.mu.Unlock()
			return false
		}
		if err != nil { // the device has no way to show it
			d.mu.Unlock()
			return true
		}
		kept := d.join(p, &in)
		d.mu.Unlock()
		if kept != nil {
			d.tell(map[string]any{"sms": []*dinstarIn{kept}})
		}
		return true
	}
}

// listening says that messages reach the port: a blocked one receives too.
func (p *dinstarPort) listening() bool { return p.card != nil && p.state() == DinstarRegistered }

// join keeps a message whose segments are all there; nil = some are missing. The
// result is a copy: the inbox goes on to change. The lock is held.
func (d *Dinstar) join(p *dinstarPort, in *Delivered) *dinstarIn {
	text := in.Text
	if in.Total > 1 {
		t := dinstarThread{p.n, in.From, in.Ref, in.Wide, in.Total}
		parts := d.parts[t]
		if parts == nil {
			parts = make([]Entry, in.Total)
			d.parts[t] = parts
		}
		parts[in.Seq-1] = Entry{Seq: in.Seq, Text: in.Text, septets: in.Septets}
		for i := range parts {
			if parts[i].Seq == 0 {
				return nil
			}
		}
		delete(d.parts, t)
		text = joined(parts)
	}
	d.inboxID++
	kept := &dinstarIn{
		ID: d.inboxID, Port: p.n, Number: in.From, SMSC: d.net.o.SMSC, Time: d.local(in.At), Text: text, IMSI: d.imsi(p.card),
	}
	d.inbox = append(d.inbox, kept)
	if over := len(d.inbox) - d.o.Firmware.Inbox; over > 0 {
		d.inbox = d.inbox[over:]
	}
	told := *kept
	return &told
}

// local writes a time in the device's zone.
func (d *Dinstar) local(t time.Time) string { return t.In(d.now().Location()).Format(dinstarTime) }

// Inbox gives how many received messages the gateway holds.
func (d *Dinstar) Inbox() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.inbox)
}

// ClearInbox forgets the received messages, as the GUI does; their ids begin again.
func (d *Dinstar) ClearInbox() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inbox, d.inboxID = nil, 0
}

// queryIncoming gives received messages behind an id, oldest first where the firmware
// does not say otherwise, as many as a page takes. Unread ones are read with that, whether the answer arrives or not.
func (d *Dinstar) queryIncoming(r *dinstarRequest) any {
	q := r.URL.Query()
	after, err := strconv.Atoi(or(q.Get("incoming_sms_id"), "0"))
	ports, named := d.named(q.Get("port"), false)
	flag := or(q.Get("flag"), "unread")
	if err != nil || !named || flag != "unread" && flag != "read" && (flag != "all" || d.o.Firmware.NoAll) {
		return d.head(dinstarBad)
	}
	wanted := map[int]bool{}
	for _, p := range ports {
		wanted[p.n] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &d.o.Firmware
	page := []*dinstarIn{}
	size := 0
	for i := range d.inbox {
		in := d.inbox[i]
		if f.Newest {
			in = d.inbox[len(d.inbox)-1-i]
		}
		if in.ID <= after && !f.NoIDs || !wanted[in.Port] || flag != "all" && in.read != (flag == "read") {
			continue
		}
		told := *in
		if f.NoIDs {
			told.ID = 0
		}
		row, err := json.Marshal(&told)
		if err != nil { // strings and numbers only
			panic(err)
		}
		if size += len(row) + 1; size > f.PageBytes && len(page) > 0 {
			break
		}
		page = append(page, &told)
		in.read = in.read || flag == "unread"
	}
	read := 0
	for _, in := range d.inbox {
		read += b2i(in.read)
	}
	return struct {
		head
		SMS    []*dinstarIn `json:"sms"`
		Read   int          `json:"read"`
		Unread int          `json:"unread"`
	}{d.head(dinstarOK), page, read, len(d.inbox) - read}
}
