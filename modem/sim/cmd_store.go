package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// memory gives the store behind <mem1>, <mem2> or <mem3> (TS 27.005 §3.1). The lock is held.
func (m *Modem) memory(i int) *store {
	if m.set.mem[i] == "ME" || m.card == nil {
		return m.me
	}
	return m.card.store
}

func cmgf(m *Modem, c *call) verdict {
	n := 0
	if m.set.text {
		n = 1
	}
	v := m.toggle(c, "+CMGF", 1, &n)
	m.set.text = n == 1
	return v
}

func csdh(m *Modem, c *call) verdict {
	n := 0
	if m.set.csdh {
		n = 1
	}
	v := m.toggle(c, "+CSDH", 1, &n)
	m.set.csdh = n == 1
	return v
}

// csca sets the SMSC (TS 27.005 §3.3.1).
func csca(m *Modem, c *call) verdict {
	if v := m.smsLocked(); v.kind != isOK && c.form != test {
		return v
	}
	switch c.form {
	case query:
		m.info(fmt.Sprintf(`+CSCA: "%s",%d`, m.set.csca, toa(m.set.csca)))
	case assign:
		fs := fields(c.args)
		if len(fs) == 0 {
			return cmsError(305)
		}
		m.set.csca = fs[0]
	}
	return ok()
}

// csms chooses the phase of +CNMA (TS 27.005 §3.2.1).
func csms(m *Modem, c *call) verdict {
	switch c.form {
	case query:
		m.info(fmt.Sprintf("+CSMS: %d,1,1,1", m.set.csms))
	case test:
		m.info("+CSMS: (0,1)")
	case assign:
		n, good := number(fields(c.args), 0, 0)
		if !good || n > 1 {
			return cmsError(303)
		}
		m.set.csms = n
		m.info("+CSMS: 1,1,1")
	}
	return ok()
}

// cpms chooses the memories (TS 27.005 §3.2.2).
func cpms(m *Modem, c *call) verdict {
	if v := m.smsLocked(); v.kind != isOK && c.form != test {
		return v
	}
	switch c.form {
	case test:
		m.info(`+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")`)
		return ok()
	case assign:
		mem := m.set.mem
		for i, f := range fields(c.args) {
			switch {
			case i > 2 || f != "SM" && f != "ME" && f != "":
				return cmsError(302)
			case f != "":
				mem[i] = f
			}
		}
		m.set.mem = mem
	}
	var b strings.Builder
	for i, name := range m.set.mem {
		s := m.memory(i)
		if i > 0 {
			b.WriteByte(',')
		}
		if c.form == query {
			fmt.Fprintf(&b, `"%s",`, name)
		}
		fmt.Fprintf(&b, "%d,%d", s.used(), s.size())
	}
	m.info("+CPMS: " + b.String())
	return ok()
}

// stats reads <stat> of AT+CMGL in both modes (TS 27.005 §3.4.2, §4.1).
func stats(text bool, arg string) (int, bool) {
	if !text {
		if arg == "" {
			return unread, true
		}
		n, err := strconv.Atoi(arg)
		return n, err == nil && n >= 0 && n <= 4
	}
	for i, name := range [...]string{"REC UNREAD", "REC READ", "STO UNSENT", "STO SENT", "ALL"} {
		if arg == name || arg == "" && i == 0 {
			return i, true
		}
	}
	return 0, false
}

// cmgl lists messages.
func cmgl(m *Modem, c *call) verdict {
	if c.form == test {
		if m.set.text {
			m.info(`+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")`)
		} else {
			m.info("+CMGL: (0-4)")
		}
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	stat, good := stats(m.set.text, strings.Trim(c.args, `"`))
	if !good {
		return cmsError(305)
	}
	for _, s := range m.memory(0).list(stat) {
		m.show("+CMGL: "+strconv.Itoa(s.index)+",", &s.stored)
	}
	return ok()
}

// cmgr reads a message (TS 27.005 §3.4.3, §4.2).
func cmgr(m *Modem, c *call) verdict {
	if c.form != assign {
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	index, good := number(fields(c.args), 0, 0)
	s, found := m.memory(0).get(index)
	switch {
	case !good || !found, s.pdu == nil && !m.prof.emptySlotOK:
		return cmsError(321)
	case s.pdu == nil:
		return ok()
	}
	m.show("+CMGR: ", &s)
	return ok()
}

// show writes a stored message behind its head.
func (m *Modem) show(head string, s *stored) {
	if m.set.text {
		m.info(head + textHead(s))
		m.out = append(append(m.out, textOf(s.pdu)...), '\r', '\n')
		return
	}
	m.info(fmt.Sprintf("%s%d,,%d", head, s.stat, tpduLen(s.pdu)))
	m.out = append(append(m.out, upperHex(s.pdu)...), '\r', '\n')
}

// tpduLen gives <length>: the octets without the SMSC (TS 27.005 §3.1).
func tpduLen(pdu []byte) int { return len(pdu) - 1 - int(pdu[0]) }

// cmgd deletes (TS 27.005 §3.5.4), and takes what waited for room.
func cmgd(m *Modem, c *call) verdict {
	if c.form == test {
		m.info(fmt.Sprintf("+CMGD: (1-%d),(0-4)", m.memory(0).size()))
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	fs := fields(c.args)
	index, good := number(fs, 0, 0)
	flag, fine := number(fs, 1, 0)
	if !good || !fine || flag > 4 {
		return cmsError(305)
	}
	if flag > 0 {
		m.memory(0).dropAll(flag)
	} else if !m.memory(0).drop(index) {
		return cmsError(321)
	}
	m.full = false
	m.then = append(m.then, m.arrive)
	return ok()
}
