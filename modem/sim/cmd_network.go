package sim

import (
	"fmt"
	"strconv"

	"fieldpost/gateway"
)

func creg(m *Modem, c *call) verdict  { return m.registered(c, "+CREG", &m.set.creg) }
func cgreg(m *Modem, c *call) verdict { return m.registered(c, "+CGREG", &m.set.cgreg) }
func cereg(m *Modem, c *call) verdict { return m.registered(c, "+CEREG", &m.set.cereg) }

// registered answers AT+CREG and its kin (TS 27.007 §7.2).
func (m *Modem) registered(c *call, name string, n *int) verdict {
	switch c.form {
	case query:
		m.info(fmt.Sprintf("%s: %d,%s", name, *n, m.where(*n)))
	case test:
		m.info(name + ": (0-2)")
	default:
		return m.toggle(c, name, 2, n)
	}
	return ok()
}

// where gives <stat>, with the cell for <n>=2.
func (m *Modem) where(n int) string {
	r := m.registration()
	if n == 2 && r.Usable() {
		return fmt.Sprintf(`%d,"00C3","0000A1B2"`, r)
	}
	return strconv.Itoa(int(r))
}

// registrationURCs tells the registration to a driver that asked to hear of it.
// The lock is held.
func (m *Modem) registrationURCs() []string {
	var urcs []string
	for _, u := range []struct {
		name string
		n    int
	}{{"+CREG", m.set.creg}, {"+CGREG", m.set.cgreg}, {"+CEREG", m.set.cereg}} {
		if u.n > 0 {
			urcs = append(urcs, u.name+": "+m.where(u.n))
		}
	}
	return urcs
}

// cops tells the operator (TS 27.007 §7.3).
func cops(m *Modem, c *call) verdict {
	switch c.form {
	case query:
		if !m.registration().Usable() {
			m.info("+COPS: 0")
			return ok()
		}
		name := m.net.o.Operator
		if m.set.cops == 2 {
			name = m.net.o.PLMN
		}
		m.info(fmt.Sprintf(`+COPS: 0,%d,"%s"`, m.set.cops, name))
	case test:
		o := &m.net.o
		m.info(fmt.Sprintf(`+COPS: (2,"%s","%s","%s"),,(0-4),(0-2)`, o.Operator, o.Operator, o.PLMN))
	case assign:
		fs := fields(c.args)
		mode, good := number(fs, 0, 0)
		format, fine := number(fs, 1, m.set.cops)
		if !good || !fine || mode > 4 || format > 2 {
			return cmeError(cmeBadParameter)
		}
		m.set.cops = format
	}
	return ok()
}

// csq tells the signal (TS 27.007 §8.5).
func csq(m *Modem, c *call) verdict {
	if c.form == test {
		m.info("+CSQ: (0-31,99),(0-7,99)")
		return ok()
	}
	rssi := m.signal
	if m.set.cfun != 1 {
		rssi = gateway.SignalUnknown
	}
	return m.say(c, fmt.Sprintf("+CSQ: %d,99", rssi))
}

// cfun switches the radio, and restarts (TS 27.007 §8.2).
func cfun(m *Modem, c *call) verdict {
	switch c.form {
	case query:
		m.info("+CFUN: " + strconv.Itoa(m.set.cfun))
	case test:
		m.info("+CFUN: (0,1,4),(0,1)")
	case assign:
		fs := fields(c.args)
		fun, good := number(fs, 0, 1)
		rst, fine := number(fs, 1, 0)
		if !good || !fine || fun != 0 && fun != 1 && fun != 4 || rst > 1 {
			return cmeError(cmeBadParameter)
		}
		if rst == 1 {
			m.then = append(m.then, m.restart)
			return ok()
		}
		before := m.set.cfun
		m.set.cfun = fun
		if before == 0 && fun == 1 { // the card was powered down
			m.set.unlocked = m.card != nil && m.card.lock() == ""
		}
		p, urcs := m.port, m.registrationURCs()
		m.then = append(m.then, func() { m.urc(p, urcs...) }, m.arrive)
	}
	return ok()
}

func cpas(m *Modem, c *call) verdict { return m.say(c, "+CPAS: 0") }
