package sim

import (
	"encoding/hex"
	"fmt"
	"strings"

	"fieldpost/gateway/gsm7"
)

// cusd runs a USSD dialogue (TS 27.007 §7.15): the answer comes later, as a URC.
func cusd(m *Modem, c *call) verdict {
	switch c.form {
	case query:
		n := 0
		if m.set.cusd {
			n = 1
		}
		m.info(fmt.Sprintf("+CUSD: %d", n))
		return ok()
	case test:
		m.info("+CUSD: (0-2)")
		return ok()
	case execute:
		return ok()
	}
	fs := fields(c.args)
	n, good := number(fs, 0, 0)
	if !good || n > 2 {
		return cmeError(cmeBadParameter)
	}
	if n == 2 {
		m.ussd = nil
		return ok()
	}
	m.set.cusd = n == 1
	if len(fs) < 2 {
		return ok()
	}
	if v := m.locked(); v.kind != isOK {
		return v
	}
	if !m.online() {
		return cmeError(cmeNoNetwork)
	}
	code, good := m.ussdCode(fs[1])
	if !good {
		return cmeError(cmeBadParameter)
	}
	m.dial(code)
	return ok()
}

// dial asks the network, and tells the answer after the radio's time.
func (m *Modem) dial(code string) {
	menu := m.ussd
	if menu == nil {
		menu = m.net.o.USSD
	}
	next, known := menu[code]
	m.ussd = next.Next
	p, line := m.port, "+CUSD: 4" // operation not supported
	if known {
		n := 0
		if len(next.Next) > 0 {
			n = 1
		}
		line = fmt.Sprintf(`+CUSD: %d,%s`, n, m.ussdText(next.Text))
	}
	if !m.set.cusd {
		return
	}
	m.then = append(m.then, func() {
		m.net.air.after(m.o.Latency, func() { m.urc(p, line) })
	})
}

// ussdCode reads what the driver asks for, by the vendor's habit and +CSCS.
func (m *Modem) ussdCode(s string) (string, bool) {
	switch {
	case m.prof.packedUSSD:
		b, err := hex.DecodeString(s)
		return gsm7.DecodeSeptets(gsm7.UnpackUSSD(b)), err == nil
	case m.set.cscs == "UCS2":
		b, err := hex.DecodeString(s)
		return gsm7.DecodeUCS2(b), err == nil
	}
	return s, true
}

// ussdText writes the network's answer with its <dcs> (TS 23.038 §5).
func (m *Modem) ussdText(s string) string {
	septets, gsm := gsm7.EncodeSeptets(s)
	switch {
	case !gsm:
		return `"` + upperHex(gsm7.EncodeUCS2(s)) + `",72`
	case m.prof.packedUSSD:
		return `"` + upperHex(gsm7.PackUSSD(septets)) + `",15`
	case m.set.cscs == "UCS2":
		return `"` + upperHex(gsm7.EncodeUCS2(s)) + `",15`
	}
	return `"` + strings.ReplaceAll(s, `"`, "'") + `",15`
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
