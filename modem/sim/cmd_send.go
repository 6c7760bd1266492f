package sim

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway/gsm7"
)

// body is the message that a prompt asked for.
type body struct {
	length int    // of the TPDU in octets; PDU mode
	to     string // text mode
	store  bool   // AT+CMGW: it is stored, not sent
	stat   int    // of a stored one
	fault  *Fault
	send   uint64        // the card's number of the send
	gap    time.Duration // since the last answer
}

// cmgs takes a message for the air (TS 27.005 §3.5.1, §4.3).
func cmgs(m *Modem, c *call) verdict {
	if c.form != assign {
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	b, good := m.asked(c)
	if !good {
		return cmsError(304)
	}
	if !m.last.IsZero() {
		b.gap = time.Since(m.last)
	}
	m.sends++
	b.send = m.card.nextSend()
	b.fault = m.pick(m.sends, m.card, b.send)
	if f := b.fault; f != nil {
		switch f.Do {
		case RefuseSoon:
			f.begin()
			return cmsError(f.code())
		case NoPrompt:
			f.begin()
			return verdict{kind: isSilent}
		}
	}
	m.body = b
	return verdict{kind: isPrompt}
}

// begin tells whoever waits that the fault is there.
func (f *Fault) begin() {
	if f.Hit != nil && f.At > 0 {
		close(f.Hit)
	}
}

// cmgw stores a message (TS 27.005 §3.5.3, §4.4).
func cmgw(m *Modem, c *call) verdict {
	if c.form == test {
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	b, good := m.asked(c)
	if !good {
		return cmsError(304)
	}
	stat, good := number(fields(c.args), 1, unsent)
	if m.set.text {
		stat, good = unsent, true
	}
	if !good || stat > sent {
		return cmsError(304)
	}
	b.store, b.stat = true, stat
	m.body = b
	return verdict{kind: isPrompt}
}

// asked reads the length, or the number in text mode.
func (m *Modem) asked(c *call) (*body, bool) {
	if !c.last {
		return nil, false
	}
	if m.set.text {
		fs := fields(c.args)
		if len(fs) == 0 || fs[0] == "" {
			return nil, false
		}
		to := fs[0]
		if t, good := number(fs, 1, 129); good && t == 145 && to[0] != '+' {
			to = "+" + to
		}
		return &body{to: to}, true
	}
	n, good := number(fields(c.args), 0, 0)
	return &body{length: n}, good && n >= 7 && n <= 164
}

// message takes what came behind a prompt.
func (m *Modem) message(p *port, data []byte, end byte) {
	b := m.body
	m.body = nil
	if m.hangs(p, Payload, nil) {
		return
	}
	if end == escape { // nothing was sent (TS 27.005 §3.5.1)
		m.reply(p, ok())
		return
	}
	pdu, tpdu, v := m.decode(b, data)
	if v.kind != isOK {
		m.reply(p, v)
		return
	}
	if b.store {
		m.write(p, b, pdu)
		return
	}
	m.send(p, b, tpdu)
}

// decode checks a message: its PDU with the SMSC, and what is in it.
func (m *Modem) decode(b *body, data []byte) ([]byte, Entry, verdict) {
	pdu, err := m.octets(b, data)
	if err != nil {
		return nil, Entry{}, cmsError(304)
	}
	e, err := ReadSubmit(pdu)
	if err != nil {
		return nil, Entry{}, cmsError(304)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if pdu[0] == 0 && m.set.csca == "" {
		return nil, Entry{}, cmsError(330)
	}
	return pdu, e, ok()
}

// octets gives the PDU that was typed in hex, or that a text makes.
func (m *Modem) octets(b *body, data []byte) ([]byte, error) {
	m.mu.Lock()
	text, set := m.set.text, m.set
	m.mu.Unlock()
	if text {
		return textPDU(&set, b.to, data)
	}
	for len(data) > 0 && data[0] <= ' ' {
		data = data[1:]
	}
	for len(data) > 0 && data[len(data)-1] <= ' ' {
		data = data[:len(data)-1]
	}
	pdu := make([]byte, hex.DecodedLen(len(data)))
	if _, err := hex.Decode(pdu, data); err != nil {
		return nil, err
	}
	if len(pdu) == 0 || len(pdu)-1-int(pdu[0]) != b.length {
		return nil, errTPDU
	}
	return pdu, nil
}

// textPDU makes an SMS-SUBMIT of a text, as +CSMP and +CSCS say.
func textPDU(set *settings, to string, data []byte) ([]byte, error) {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if set.cscs == "UCS2" {
		b, err := hex.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		text = gsm7.DecodeUCS2(b)
		if n, err := hex.DecodeString(to); err == nil {
			to = gsm7.DecodeUCS2(n)
		}
	}
	segments, err := gsm7.Cut(text)
	if err != nil || len(segments) != 1 {
		return nil, errTPDU
	}
	b := appendAddress([]byte{0, byte(set.csmp[0])&^0x03 | 0x01, 0}, to)
	dcs, udl, ud := userData(nil, &segments[0])
	b = append(b, byte(set.csmp[2]), dcs)
	if set.csmp[0]&0x18 == 0x10 {
		b = append(b, byte(set.csmp[1]))
	}
	return append(append(b, udl), ud...), nil
}

// write stores a message and tells its index.
func (m *Modem) write(p *port, b *body, pdu []byte) {
	m.mu.Lock()
	index, stored := m.memory(1).put(b.stat, pdu)
	m.out = m.out[:0]
	if stored {
		m.info("+CMGW: " + strconv.Itoa(index))
		m.finish(ok())
	} else {
		m.finish(cmsError(322))
	}
	m.mu.Unlock()
	p.answer(m.out)
}

// cmss sends a stored message (TS 27.005 §3.5.2).
func cmss(m *Modem, c *call) verdict {
	if c.form != assign {
		return ok()
	}
	if v := m.smsLocked(); v.kind != isOK {
		return v
	}
	index, good := number(fields(c.args), 0, 0)
	s, found := m.memory(1).get(index)
	if !good || !found || s.pdu == nil {
		return cmsError(321)
	}
	e, err := ReadSubmit(s.pdu)
	if err != nil {
		return cmsError(304)
	}
	m.sends++
	b := &body{send: m.card.nextSend()}
	b.fault = m.pick(m.sends, m.card, b.send)
	p := m.port
	m.then = append(m.then, func() { m.send(p, b, e) })
	return verdict{kind: isSilent}
}

// linkKept is how long the radio link stays open for the next message (TS 27.005
// §3.5.6: 1 to 5 s).
const linkKept = 5 * time.Second

// cmms keeps the radio link open between messages. Mode 1 ends with the link, mode 2 lasts.
func cmms(m *Modem, c *call) verdict {
	now := m.net.o.Now()
	if m.set.cmms == 1 && now.Sub(m.linked) > linkKept {
		m.set.cmms = 0
	}
	if c.form == assign {
		m.linked = now
	}
	return m.toggle(c, "+CMMS", 2, &m.set.cmms)
}

// csmp sets the header of text mode (TS 27.005 §3.3.1).
func csmp(m *Modem, c *call) verdict {
	v := &m.set.csmp
	switch c.form {
	case query:
		m.info(fmt.Sprintf("+CSMP: %d,%d,%d,%d", v[0], v[1], v[2], v[3]))
	case assign:
		fs := fields(c.args)
		for i := range v {
			n, good := number(fs, i, v[i])
			if !good || n > 255 {
				return cmsError(305)
			}
			v[i] = n
		}
	}
	return ok()
}
