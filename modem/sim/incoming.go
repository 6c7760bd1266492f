package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ackWait is how long a modem waits for +CNMA before it tells the network that
// the message was not taken (TS 27.005 §3.4.4).
const ackWait = 15 * time.Second

// receive takes a TPDU from the network for its card.
func (m *Modem) receive(pdu []byte, report bool) bool {
	m.mu.Lock()
	p, urc, taken := m.port, "", false
	if m.online() && m.card != nil {
		urc, taken = m.route(pdu, report)
	}
	if urc != "" && m.set.cnmi[0] == 0 { // TS 27.005 §3.4.1: buffered in the TA
		m.held = append(m.held, urc)
		if len(m.held) > heldURCs {
			m.held = m.held[1:]
		}
		urc = ""
	}
	m.mu.Unlock()
	if urc != "" {
		m.urc(p, urc)
	}
	return taken
}

// route stores or hands over a TPDU, as +CNMI says (TS 27.005 §3.4.1). The lock is held.
func (m *Modem) route(pdu []byte, report bool) (urc string, taken bool) {
	mt, ds := m.set.cnmi[1], m.set.cnmi[3]
	switch {
	case report && ds == 1:
		return m.direct("+CDS: ", pdu, true)
	case report && ds == 2:
		return m.keepFor("+CDSI: ", pdu)
	case report:
		return "", true // not wanted
	case mt == 2:
		return m.direct("+CMT: ,", pdu, false)
	case mt == 0:
		_, taken = m.keepFor("", pdu)
		return "", taken
	}
	return m.keepFor("+CMTI: ", pdu)
}

// keepFor stores a TPDU and tells where.
func (m *Modem) keepFor(head string, pdu []byte) (urc string, taken bool) {
	index, taken := m.memory(2).put(unread, pdu)
	switch {
	case taken:
		return fmt.Sprintf(`%s"%s",%d`, head, m.set.mem[2], index), true
	case !m.full && m.prof.full != "":
		m.full = true
		return strings.ReplaceAll(m.prof.full, "%m", m.set.mem[2]), false
	}
	return "", false
}

// direct hands a TPDU over at once. With AT+CSMS=1 the driver must acknowledge
// it before the next one comes.
func (m *Modem) direct(head string, pdu []byte, report bool) (urc string, taken bool) {
	if m.unack != nil {
		return "", false
	}
	if m.set.csms == 1 {
		p := &parcel{pdu, report}
		m.unack = p
		iccid := m.card.ICCID()
		m.net.air.after(ackWait, func() { m.unacknowledged(iccid, p) })
	}
	if m.set.text {
		s := &stored{unread, pdu}
		if report {
			return head + strings.TrimPrefix(textHead(s), `"REC UNREAD",`), true
		}
		return strings.TrimSuffix(head, ",") + strings.TrimPrefix(textHead(s), `"REC UNREAD",`) + "\r\n" + textOf(pdu), true
	}
	return head + strconv.Itoa(tpduLen(pdu)) + "\r\n" + upperHex(pdu), true
}

// unacknowledged is what a modem does that waited for +CNMA in vain: the network
// keeps the message, and +CNMI is switched off (TS 27.005 §3.4.4).
func (m *Modem) unacknowledged(iccid string, p *parcel) {
	m.mu.Lock()
	waited := m.unack == p
	if waited {
		m.unack = nil
		m.set.cnmi[1], m.set.cnmi[3] = 0, 0
	}
	m.mu.Unlock()
	if waited {
		m.net.giveBack(iccid, *p)
	}
}

// cnma acknowledges a message (TS 27.005 §3.4.4).
func cnma(m *Modem, c *call) verdict {
	if c.form == test {
		m.info("+CNMA: (0-2)")
		return ok()
	}
	if m.unack == nil {
		return cmsError(340)
	}
	p := m.unack
	m.unack = nil
	if n, good := number(fields(c.args), 0, 0); !good || n == 2 { // the driver could not store it
		if m.card != nil {
			iccid := m.card.ICCID()
			m.then = append(m.then, func() { m.net.giveBack(iccid, *p) })
		}
		return ok()
	}
	m.then = append(m.then, m.arrive)
	return ok()
}

// cnmi says how messages are told (TS 27.005 §3.4.1).
func cnmi(m *Modem, c *call) verdict {
	v := &m.set.cnmi
	switch c.form {
	case query:
		m.info(fmt.Sprintf("+CNMI: %d,%d,%d,%d,%d", v[0], v[1], v[2], v[3], v[4]))
	case test:
		m.info("+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)")
	case assign:
		most := [5]int{3, 3, 3, 2, 1}
		next := *v
		fs := fields(c.args)
		for i := range next {
			n, good := number(fs, i, next[i])
			if !good || n > most[i] {
				return cmsError(303)
			}
			next[i] = n
		}
		*v = next
		m.release()
	}
	return ok()
}

// release tells what +CNMI mode 0 kept back, or forgets it where <bfr> says so.
func (m *Modem) release() {
	if m.set.cnmi[0] == 0 || len(m.held) == 0 {
		return
	}
	p, held := m.port, m.held
	m.held = nil
	if m.set.cnmi[4] == 0 {
		m.then = append(m.then, func() { m.urc(p, held...) })
	}
}
