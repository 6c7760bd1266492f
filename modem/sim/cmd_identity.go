package sim

import (
	"fmt"
	"strings"
)

// say answers an execution with a line, and a test with OK.
func (m *Modem) say(c *call, line string) verdict {
	switch c.form {
	case execute, query:
		m.info(line)
	case assign:
		return cmeError(cmeBadParameter)
	}
	return ok()
}

func manufacturer(m *Modem, c *call) verdict { return m.say(c, m.prof.manufacturer) }
func model(m *Modem, c *call) verdict        { return m.say(c, m.prof.model) }
func revision(m *Modem, c *call) verdict     { return m.say(c, m.prof.revision) }
func serialNumber(m *Modem, c *call) verdict { return m.say(c, m.o.IMEI) }
func gcap(m *Modem, c *call) verdict         { return m.say(c, "+GCAP: "+m.prof.gcap) }
func cmee(m *Modem, c *call) verdict         { return m.toggle(c, "+CMEE", 2, &m.set.cmee) }

// locked says why the card cannot be used; ok when it can.
func (m *Modem) locked() verdict {
	switch {
	case m.card == nil:
		return cmeError(cmeNoSIM)
	case m.set.unlocked:
		return ok()
	}
	switch m.card.lock() {
	case "blocked":
		return cmeError(cmeSIMFailure)
	case "SIM PUK":
		return cmeError(cmePUK)
	}
	return cmeError(cmePIN)
}

// smsLocked is locked in the words of TS 27.005 §3.2.5.
func (m *Modem) smsLocked() verdict {
	v := m.locked()
	switch v.code {
	case cmeNoSIM:
		return cmsError(310)
	case cmePIN:
		return cmsError(311)
	case cmePUK:
		return cmsError(316)
	case cmeSIMFailure:
		return cmsError(313)
	}
	return v
}

func cimi(m *Modem, c *call) verdict {
	if v := m.locked(); v.kind != isOK && c.form != test {
		return v
	}
	if m.card == nil {
		return ok()
	}
	return m.say(c, m.card.o.IMSI)
}

// ccid tells the ICCID: it can be read before the PIN is given.
func ccid(m *Modem, c *call) verdict {
	if m.card == nil {
		return cmeError(cmeNoSIM)
	}
	return m.say(c, m.prof.ccidPrefix+m.card.ICCID())
}

func cnum(m *Modem, c *call) verdict {
	if v := m.locked(); v.kind != isOK {
		return v
	}
	if c.form == execute && m.card.Number() != "" {
		m.info(fmt.Sprintf(`+CNUM: "","%s",145`, m.card.Number()))
	}
	return ok()
}

// cpin asks for and takes the PIN (TS 27.007 §8.3).
func cpin(m *Modem, c *call) verdict {
	if m.card == nil {
		return cmeError(cmeNoSIM)
	}
	switch c.form {
	case query:
		switch v := m.locked(); {
		case v.kind == isOK:
			m.info("+CPIN: READY")
		case v.code == cmeSIMFailure:
			return v
		default:
			m.info("+CPIN: " + m.card.lock())
		}
		return ok()
	case assign:
		return m.unlock(fields(c.args))
	}
	return ok()
}

func (m *Modem) unlock(fs []string) verdict {
	if m.set.unlocked {
		return cmeError(cmeNotAllowed)
	}
	good := false
	switch m.card.lock() {
	case "SIM PIN":
		good = len(fs) == 1 && m.card.tryPIN(fs[0])
	case "SIM PUK":
		good = len(fs) == 2 && m.card.tryPUK(fs[0], fs[1])
	}
	if !good {
		if v := m.locked(); v.code == cmePUK || v.code == cmeSIMFailure {
			return v
		}
		return cmeError(cmeWrongPIN)
	}
	m.set.unlocked = true
	p := m.port
	m.then = append(m.then, func() { m.announceReady(p) }, m.arrive)
	return ok()
}

// tries tells how many tries are left, each vendor in its way.
func tries(m *Modem, c *call) verdict {
	if m.card == nil {
		return cmeError(cmeNoSIM)
	}
	pin, puk := m.card.Tries()
	switch m.prof.tries {
	case "^CPIN":
		state := "READY"
		if !m.set.unlocked {
			state = m.card.lock()
		}
		left := pin
		if state == "SIM PUK" {
			left = puk
		}
		m.info(fmt.Sprintf("^CPIN: %s,%d,%d,%d,10,3", state, left, puk, pin))
	case "+QPINC":
		m.info(fmt.Sprintf(`+QPINC: "SC",%d,%d`, pin, puk))
	case "+SPIC":
		m.info(fmt.Sprintf("+SPIC: %d,%d,3,10", pin, puk))
	default:
		m.info(fmt.Sprintf("+CPINR: SIM PIN,%d,%d", pin, pinTries))
		m.info(fmt.Sprintf("+CPINR: SIM PUK,%d,%d", puk, pukTries))
	}
	return ok()
}

// cscs chooses the character set of strings (TS 27.007 §5.5).
func cscs(m *Modem, c *call) verdict {
	switch c.form {
	case query:
		m.info(`+CSCS: "` + m.set.cscs + `"`)
	case test:
		m.info(`+CSCS: ("IRA","GSM","UCS2","HEX")`)
	case assign:
		set := strings.ToUpper(strings.Trim(c.args, `"`))
		switch set {
		case "IRA", "GSM", "UCS2", "HEX":
			m.set.cscs = set
		default:
			return cmeError(cmeBadParameter)
		}
	}
	return ok()
}
