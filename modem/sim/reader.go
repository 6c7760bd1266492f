package sim

import (
	"bytes"
	"time"
)

// longest is the longest command line or message that a modem takes in.
const longest = 4096

// The characters that end a message (TS 27.005 §3.5.1).
const (
	ctrlZ  = 0x1A
	escape = 0x1B
)

// shareEvery is how often a port that is spoken to is made free for other drivers.
const shareEvery = time.Second

// serve reads a port until it vanishes. It begins when the reader before it has ended.
func (m *Modem) serve(p *port, before <-chan struct{}, done chan<- struct{}) {
	defer m.wg.Done()
	defer close(done)
	if before != nil {
		<-before
	}
	m.line, m.body, m.deaf = m.line[:0], nil, false
	buf := make([]byte, longest)
	var shared time.Time
	for {
		n, err := p.read(buf)
		if err != nil {
			return
		}
		if now := time.Now(); now.Sub(shared) > shareEvery {
			p.share()
			shared = now
		}
		m.feed(p, buf[:n])
		if p.hung.Load() {
			<-p.gone
			return
		}
	}
}

// feed takes bytes from the driver.
func (m *Modem) feed(p *port, b []byte) {
	for len(b) > 0 && !p.hung.Load() {
		i := m.end(b)
		if i < 0 {
			m.echo(p, b)
			m.keep(b)
			return
		}
		m.echo(p, b[:i+1])
		line := b[:i]
		if len(m.line) > 0 {
			m.keep(line)
			line = m.line
		}
		last := b[i]
		b = b[i+1:]
		deaf := m.deaf
		m.line, m.deaf = m.line[:0], false
		switch {
		case deaf:
			m.body = nil
			m.reply(p, cmsError(304))
		case m.body != nil:
			m.message(p, line, last)
		default:
			m.commandLine(p, line)
		}
	}
}

// end finds where a line or a message ends.
func (m *Modem) end(b []byte) int {
	if m.body == nil {
		return bytes.IndexByte(b, '\r')
	}
	i := bytes.IndexByte(b, ctrlZ)
	if j := bytes.IndexByte(b, escape); j >= 0 && (i < 0 || j < i) {
		return j
	}
	return i
}

func (m *Modem) keep(b []byte) {
	if len(m.line)+len(b) > longest {
		m.deaf = true
		return
	}
	m.line = append(m.line, b...)
}

// echo gives back what was read (V.250 §6.2.4).
func (m *Modem) echo(p *port, b []byte) {
	m.mu.Lock()
	on := m.set.echo
	m.mu.Unlock()
	if on {
		p.answer(bytes.TrimRight(b, "\x1a\x1b"))
	}
}

// commandLine runs a command line. Whatever comes before "AT" is noise
// (V.250 §5.2.1); a line without it gets no answer.
func (m *Modem) commandLine(p *port, line []byte) {
	body, ok := afterAT(line)
	if !ok {
		return
	}
	m.mu.Lock()
	m.out = m.out[:0]
	v := m.run(body)
	m.finish(v)
	then := m.then
	m.then = nil
	m.mu.Unlock()
	if m.hangs(p, string(body), m.out) {
		return
	}
	if v.kind == isPrompt {
		m.prompt(p)
	} else {
		p.answer(m.out)
	}
	for _, fn := range then {
		fn()
	}
}

// afterAT gives what follows the first AT of a line.
func afterAT(line []byte) ([]byte, bool) {
	for i := 0; i+1 < len(line); i++ {
		if line[i]|0x20 == 'a' && line[i+1]|0x20 == 't' {
			return line[i+2:], true
		}
	}
	return nil, false
}

// prompt asks for a message (TS 27.005 §3.5.1, §4.3).
func (m *Modem) prompt(p *port) {
	m.out = append(m.out, "\r\n>"...)
	if d := m.o.Line.SplitPrompt; d > 0 {
		p.answer(m.out)
		m.pause(p, d, nil)
		m.out = m.out[:0]
	}
	m.out = append(m.out, ' ')
	if m.o.Line.DoublePrompt {
		m.out = append(m.out, "\r\n> "...)
	}
	p.answer(m.out)
}

// reply writes a result alone.
func (m *Modem) reply(p *port, v verdict) {
	m.mu.Lock()
	m.out = m.out[:0]
	m.finish(v)
	m.mu.Unlock()
	p.answer(m.out)
}

// pause waits d, or until a channel is closed where there is one. It is false when
// the device vanished meanwhile.
func (m *Modem) pause(p *port, d time.Duration, until <-chan struct{}) bool {
	var timer <-chan time.Time
	switch {
	case until == nil && d <= 0:
		select {
		case <-p.gone:
			return false
		default:
			return true
		}
	case until == nil:
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-timer:
		return true
	case <-until:
		return true
	case <-p.gone:
		return false
	}
}
