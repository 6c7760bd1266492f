package sim

import (
	"fieldpost/gateway/gsm7"
)

// DinstarRefusal makes the network refuse messages: their result is FAILED.
type DinstarRefusal struct {
	Port   int     // -1 = any
	Number string  // "" = any
	After  int     // segments that the network takes before it refuses
	Times  int     // messages; 0 = until Heal
	Chance float64 // share of the messages that it meets; 0 = all
	left   int
}

// Refuse makes the network refuse messages of a port, to a number, or both.
func (d *Dinstar) Refuse(r DinstarRefusal) {
	r.left = r.Times
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusals = append(d.refusals, &r)
}

// refusal says at which segment a message is refused; -1 = it is not.
func (d *Dinstar) refusal(p *dinstarPort, m *dinstarMessage) int {
	for i, r := range d.refusals {
		if r.Port >= 0 && r.Port != p.n || r.Number != "" && r.Number != m.number || r.Times > 0 && r.left == 0 {
			continue
		}
		if r.Chance > 0 && chance(d.net.o.Seed, d.name(p), p.sends, saltFault+uint64(i)) >= r.Chance {
			continue
		}
		r.left--
		return r.After
	}
	return -1
}

// next begins the next message of a port that is free. The lock is held.
func (d *Dinstar) next(p *dinstarPort) {
	if p.current != nil || len(p.queue) == 0 {
		return
	}
	m := p.queue[0]
	p.queue = p.queue[1:]
	p.current = m
	m.refused = d.refusal(p, m)
	m.begun = d.net.o.Now()
	if p.card != nil {
		m.card = p.card
	}
	if len(m.segments) > 1 {
		m.ref = p.ref
		p.ref++
	}
	d.fly(p, m)
}

// fly plans the next segment of a message: it goes on the air when the radio is
// through with it.
func (d *Dinstar) fly(p *dinstarPort, m *dinstarMessage) {
	radio, epoch, life := d.radioTime(p), p.epoch, d.life
	d.net.air.after(radio, func() {
		e, ok := d.segment(p, m, epoch)
		if !ok {
			return
		}
		e.Radio = radio
		part := m.next
		d.net.Submit(e, func(st uint8) { d.reported(m, part, e.MR, st, life) })
		d.net.relay(&e, m.card.Number())
		d.sent(p, m, epoch)
	})
}

// segment takes the next segment of a message to the air; false = it does not get there.
func (d *Dinstar) segment(p *dinstarPort, m *dinstarMessage, epoch int) (Entry, bool) {
	d.mu.Lock()
	if d.closed || p.epoch != epoch {
		d.mu.Unlock()
		return Entry{}, false
	}
	if !p.usable() || m.refused == m.next {
		d.finish(p, m, dinstarFailed)
		d.mu.Unlock()
		d.tellResult(m)
		return Entry{}, false
	}
	defer d.mu.Unlock()
	s := &m.segments[m.next]
	e := Entry{
		At: d.net.o.Now(), Modem: d.name(p), SIM: p.card.ICCID(), MR: p.card.takeMR(), To: m.number, Text: s.Text,
		Total: len(m.segments), Seq: m.next + 1, DCS: dcs(s), Report: m.report, septets: s.Septets,
	}
	if e.Total > 1 {
		e.Ref = uint16(m.ref)
	}
	if m.next == 0 {
		m.mr = e.MR
		if !p.freed.IsZero() {
			e.Gap = m.begun.Sub(p.freed)
		}
	}
	return e, true
}

// dcs gives TP-DCS (TS 23.038 §4).
func dcs(s *gsm7.Segment) byte {
	if s.Septets == nil {
		return 0x08
	}
	return 0x00
}

// sent notes that a segment is on the air, and goes on to the next one.
func (d *Dinstar) sent(p *dinstarPort, m *dinstarMessage, epoch int) {
	d.mu.Lock()
	if d.closed || p.epoch != epoch {
		d.mu.Unlock()
		return
	}
	m.next++
	if m.next < len(m.segments) {
		d.fly(p, m)
		d.mu.Unlock()
		return
	}
	d.finish(p, m, dinstarSent)
	d.settle(m)
	d.mu.Unlock()
	d.tellResult(m)
}

// finish gives a message its status and frees the port. The lock is held.
func (d *Dinstar) finish(p *dinstarPort, m *dinstarMessage, status string) {
	m.status, m.at = status, d.now()
	d.queued--
	p.current, p.freed = nil, d.net.o.Now()
	d.next(p)
}

// reported notes a delivery report of a segment.
func (d *Dinstar) reported(m *dinstarMessage, part int, mr, st uint8, life int) {
	d.mu.Lock()
	if d.closed || d.life != life {
		d.mu.Unlock()
		return
	}
	row := dinstarReport{
		Port: m.port.n, Number: m.number, Time: d.now().Format(dinstarTime), Ref: int(mr), Status: int(st), IMSI: d.imsi(m.card),
		at: d.now(),
	}
	d.reports = append(d.reports, row)
	if over := len(d.reports) - d.o.Firmware.Results; over > 0 {
		d.reports = d.reports[over:]
	}
	if m.arrived == nil {
		m.arrived = map[int]bool{}
	}
	if st == 0 {
		m.arrived[part] = true
	}
	d.settle(m)
	d.mu.Unlock()
	d.tell(map[string]any{"sms_deliver_status": []dinstarReport{row}})
}

// settle makes a sent message delivered once all its segments are. The lock is held.
func (d *Dinstar) settle(m *dinstarMessage) {
	if m.status == dinstarSent && len(m.arrived) == len(m.segments) {
		m.status = dinstarDelivered
	}
}
