package sim

import (
	"strconv"
	"strings"
)

// The forms of an extended command (V.250 §5.4).
const (
	execute = iota
	query   // AT+X?
	test    // AT+X=?
	assign  // AT+X=...
)

// call is one command of a line.
type call struct {
	form int
	args string // of an assignment
	last bool   // no other command follows on the line
}

// action does a command. The modem's lock is held.
type action func(m *Modem, c *call) verdict

// commands gives the extended commands by name.
func commands() map[string]action {
	return map[string]action{
		"+CMGS": cmgs, "+CMGW": cmgw, "+CMSS": cmss, "+CMMS": cmms, "+CMGF": cmgf, "+CSCA": csca, "+CSMP": csmp,
		"+CSDH": csdh, "+CSMS": csms, "+CNMI": cnmi, "+CNMA": cnma, "+CPMS": cpms, "+CMGL": cmgl, "+CMGR": cmgr,
		"+CMGD": cmgd, "+CSCS": cscs,
		"+CPIN": cpin, "+CPINR": tries, "^CPIN": tries, "+QPINC": tries, "+SPIC": tries,
		"+CIMI": cimi, "+CCID": ccid, "+ICCID": ccid, "^ICCID": ccid, "+QCCID": ccid, "+CNUM": cnum,
		"+CGMI": manufacturer, "+GMI": manufacturer, "+CGMM": model, "+GMM": model, "+CGMR": revision,
		"+GMR": revision, "+CGSN": serialNumber, "+GSN": serialNumber, "+GCAP": gcap, "+CMEE": cmee,
		"+CREG": creg, "+CGREG": cgreg, "+CEREG": cereg, "+COPS": cops, "+CSQ": csq, "+CFUN": cfun,
		"+CCLK": cclk, "+CTZU": ctzu, "+CTZR": ctzr, "+CUSD": cusd, "+CPAS": cpas, "+IPR": accept, "+IFC": accept, "+ICF": accept,
		"+CLIP": accept, "+CRC": accept, "+CBST": accept, "+CPBS": refuse,
		"^CURC": accept, "^SYSCFG": accept, "^U2DIAG": accept, "^PORTSEL": accept,
	}
}

// run does the commands of a line, one after the other, until one fails
// (V.250 §5.2.1). The lock is held.
func (m *Modem) run(line []byte) verdict {
	body := strings.TrimRight(string(line), "\n \x00")
	for body != "" {
		var v verdict
		if strings.IndexByte("+^*$#%_", body[0]) >= 0 {
			v, body = m.extended(body)
		} else {
			v, body = m.basic(body)
		}
		if v.kind != isOK {
			return v
		}
	}
	return ok()
}

// extended does the first command of a body: AT+NAME, up to its semicolon.
func (m *Modem) extended(body string) (verdict, string) {
	end := separator(body)
	cmd, rest := body[:end], ""
	if end < len(body) {
		rest = body[end+1:]
	}
	name, c := split(cmd)
	c.last = rest == ""
	do, known := m.cmds[name]
	if !known || !m.has(name) {
		return m.unknown(), ""
	}
	return do(m, &c), rest
}

// separator finds the semicolon that ends a command, outside of quotes.
func separator(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return i
		}
	}
	return len(s)
}

func split(cmd string) (string, call) {
	i := strings.IndexAny(cmd, "=?")
	if i < 0 {
		return strings.ToUpper(strings.TrimSpace(cmd)), call{form: execute}
	}
	name, tail := strings.ToUpper(strings.TrimSpace(cmd[:i])), strings.TrimSpace(cmd[i:])
	switch {
	case tail == "?":
		return name, call{form: query}
	case tail == "=?":
		return name, call{form: test}
	case tail[0] == '=':
		return name, call{form: assign, args: tail[1:]}
	}
	return "", call{}
}

// has says that the vendor's modems know a command that not all do.
func (m *Modem) has(name string) bool {
	switch name {
	case "+CCID", "+ICCID", "^ICCID", "+QCCID":
		return name == m.prof.ccid || name == m.prof.ccidAlso
	case "+CPINR", "^CPIN", "+QPINC", "+SPIC":
		return name == m.prof.tries
	case "^CURC", "^SYSCFG", "^U2DIAG", "^PORTSEL":
		return m.o.Vendor == Huawei
	case "+CEREG":
		return m.prof.lte
	}
	return true
}

// unknown is the answer to a command that the modem does not have.
func (m *Modem) unknown() verdict {
	if m.prof.unknown != "" {
		return verdict{kind: isText, text: m.prof.unknown}
	}
	if m.set.cmee > 0 {
		return cmeError(cmeNotSupported)
	}
	return plainError()
}

// basic does the first command of a body: a letter, or & and a letter, and a
// number (V.250 §5.3.1).
func (m *Modem) basic(body string) (verdict, string) {
	n := 1
	if body[0] == '&' && len(body) > 1 {
		n = 2
	}
	name := strings.ToUpper(body[:n])
	if name == "D" { // the rest of the line is the number
		return verdict{kind: isText, text: "NO CARRIER"}, ""
	}
	end := n
	for end < len(body) && strings.IndexByte("0123456789=?", body[end]) >= 0 {
		end++
	}
	value, _ := strconv.Atoi(body[n:end])
	rest := strings.TrimLeft(body[end:], "; ")
	switch name {
	case "E":
		m.set.echo = value != 0
	case "V":
		m.set.verbose = value != 0
	case "Q":
		m.set.quiet = value != 0
	case "Z", "&F":
		m.reset()
	case "I":
		for _, l := range m.prof.ati {
			m.info(strings.ReplaceAll(l, "%i", m.o.IMEI))
		}
	case "H", "S", "X", "L", "M", "A", "&C", "&D", "&K", "&S", "&W":
	default:
		return m.unknown(), ""
	}
	return ok(), rest
}

// reset puts back what a profile holds: not the SIM's state, nor the radio's.
func (m *Modem) reset() {
	unlocked, fun, mem := m.set.unlocked, m.set.cfun, m.set.mem
	unack, held, ussd := m.unack, m.held, m.ussd
	m.powerUp()
	m.set.unlocked, m.set.cfun, m.set.mem = unlocked, fun, mem
	m.unack, m.held, m.ussd = unack, held, ussd
}

// fields cuts arguments at their commas, outside of quotes, and takes the quotes off.
func fields(args string) []string {
	if args == "" {
		return nil
	}
	var fs []string
	quoted, from := false, 0
	for i := 0; i <= len(args); i++ {
		switch {
		case i == len(args) || args[i] == ',' && !quoted:
			fs = append(fs, strings.Trim(strings.TrimSpace(args[from:i]), `"`))
			from = i + 1
		case args[i] == '"':
			quoted = !quoted
		}
	}
	return fs
}

// number reads the nth argument; def stands for one that is left out.
func number(fs []string, n, def int) (int, bool) {
	if n >= len(fs) || fs[n] == "" {
		return def, true
	}
	v, err := strconv.Atoi(fs[n])
	return v, err == nil && v >= 0
}

// accept takes a command that changes nothing here.
func accept(*Modem, *call) verdict { return ok() }

// refuse knows a command and cannot do it.
func refuse(*Modem, *call) verdict { return cmeError(cmeNotAllowed) }

// toggle does a command with one number from 0 to most.
func (m *Modem) toggle(c *call, name string, most int, v *int) verdict {
	switch c.form {
	case query:
		m.info(name + ": " + strconv.Itoa(*v))
	case test:
		m.info(name + ": (0-" + strconv.Itoa(most) + ")")
	case assign:
		n, good := number(fields(c.args), 0, 0)
		if !good || n > most {
			return cmeError(cmeBadParameter)
		}
		*v = n
	case execute:
		*v = 0
	}
	return ok()
}
