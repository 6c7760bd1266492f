package sim

import (
	"strconv"
	"time"
)

// noise is what a bad line looks like.
const noise = "\xff\x00\x7f\xc3\xa9~~\x11\x13"

// send puts a message on the air and answers, as far as its fault lets it.
func (m *Modem) send(p *port, b *body, e Entry) {
	f := b.fault
	if f == nil {
		f = &Fault{}
	}
	f.begin()
	switch f.Do {
	case VanishBefore:
		m.Unplug()
		return
	case Restart:
		m.reboot(p)
		return
	case Stall:
		if !m.pause(p, f.Delay, f.Until) {
			return
		}
	}
	if !m.pause(p, m.radioTime(b.send), nil) {
		return
	}
	switch f.Do {
	case Silence:
	case Refuse:
		m.answerSend(p, cmsError(f.code()))
	case LateRefusal:
		code := f.code()
		m.aside(p, f, func() { m.late(p, "", cmsError(code)) })
	default:
		m.transmit(p, b, e, f)
	}
}

// radioTime gives how long the nth send of the card takes: the latency, give or
// take its jitter.
func (m *Modem) radioTime(n uint64) time.Duration {
	spread := 2*chance(m.net.o.Seed, m.o.IMEI, n, saltRadio) - 1
	return m.o.Latency + time.Duration(spread*m.o.Jitter*float64(m.o.Latency))
}

// transmit puts a message on the air, which a modem without network cannot.
func (m *Modem) transmit(p *port, b *body, e Entry, f *Fault) {
	m.mu.Lock()
	online, card := m.online(), m.card
	m.mu.Unlock()
	if !online || card == nil {
		m.answerSend(p, cmsError(331))
		return
	}
	e.At, e.Modem, e.SIM, e.MR, e.Gap = m.net.o.Now(), m.o.Name, card.ICCID(), card.takeMR(), b.gap
	e.Radio = m.radioTime(b.send)
	m.net.enter(e)
	reports, copies := m.net.report(&e, b.send)
	if reports.Early {
		m.bring(&e, reports, copies, 0)
	}
	m.answerAccepted(p, f, "+CMGS: "+strconv.Itoa(int(e.MR)))
	if !reports.Early {
		m.bring(&e, reports, copies, reports.Delay)
	}
	m.net.relay(&e, card.Number())
}

// answerAccepted tells the TP-MR, as far as the fault lets it.
func (m *Modem) answerAccepted(p *port, f *Fault, line string) {
	switch f.Do {
	case LoseAnswer:
	case HangAfter:
		p.hung.Store(true)
	case VanishAfter:
		m.Unplug()
	case Late:
		if m.pause(p, f.Delay, f.Until) {
			m.answerSend(p, ok(), line)
		}
	case LateAside:
		m.aside(p, f, func() { m.late(p, line, ok()) })
	case Noise:
		p.answer([]byte(noise))
		m.answerSend(p, ok(), line)
	case Interleave:
		m.mu.Lock()
		urc := "+CREG: " + m.where(m.set.creg)
		m.mu.Unlock()
		m.answerSend(p, ok(), line, urc)
	default:
		m.answerSend(p, ok(), line)
	}
}

// answerSend writes the end of a send. It runs in the reader.
func (m *Modem) answerSend(p *port, v verdict, lines ...string) {
	m.mu.Lock()
	m.out = m.out[:0]
	m.ending(v, lines)
	m.mu.Unlock()
	m.last = time.Now()
	m.linked = m.net.o.Now()
	p.answer(m.out)
}

func (m *Modem) ending(v verdict, lines []string) {
	for _, l := range lines {
		m.info(l)
	}
	if m.o.Line.Terse && len(lines) > 0 {
		m.out = append(m.out, "OK\r\n"...)
		return
	}
	m.finish(v)
}

// late writes the end of a send that the driver has given up, beside the reader.
func (m *Modem) late(p *port, line string, v verdict) {
	m.mu.Lock()
	text := m.resultText(v)
	m.mu.Unlock()
	if line != "" {
		m.urc(p, line, text)
		return
	}
	m.urc(p, text)
}

// aside waits for a fault's end in a goroutine of its own, then does fn.
func (m *Modem) aside(p *port, f *Fault, fn func()) {
	m.wg.Add(1) // the reader holds one: the counter is not 0
	go func() {
		defer m.wg.Done()
		if m.pause(p, f.Delay, f.Until) {
			fn()
		}
		if f.Said != nil && f.At > 0 {
			close(f.Said)
		}
	}()
}

// bring carries the reports of an entry to the card, after a delay.
func (m *Modem) bring(e *Entry, r Reports, copies int, delay time.Duration) {
	for range copies {
		entry := *e
		deliver := func() {
			pdu := statusReport(m.net.o.SMSC, &entry, r.Status, m.net.o.Now())
			m.net.carry(entry.SIM, parcel{pdu, true})
		}
		if delay <= 0 {
			deliver()
			continue
		}
		m.net.air.after(delay, deliver)
	}
}

// reboot starts the modem again on the same port, as one on a UART does.
func (m *Modem) reboot(p *port) {
	m.mu.Lock()
	m.powerUp()
	m.mu.Unlock()
	m.urc(p, m.prof.boot...)
	m.announceReady(p)
	m.arrive()
}
