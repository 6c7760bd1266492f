package sim

import "strings"

// Hang is a modem that stops in the middle of something, and hears and says nothing from
// there on until it is unplugged: no command wakes it.
type Hang struct {
	On   string          // how the command begins that it hangs in, such as "+CMGL"; Payload = what comes behind a prompt; "" = at once
	Said int             // bytes of the answer that still come
	Hit  chan<- struct{} // closed when it hangs; nil = nobody waits
}

// Payload stands for what comes behind the prompt of AT+CMGS.
const Payload = "\x1a"

// Hang makes the modem hang. A new one takes the place of one that was not met yet.
func (m *Modem) Hang(h Hang) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h.On != "" {
		m.hang = &h
		return
	}
	m.hang = nil
	if m.port != nil {
		m.port.hung.Store(true)
	}
	if h.Hit != nil {
		close(h.Hit)
	}
}

// hangs ends a port's life in the middle of a command, where that was asked for. said is
// the answer that the modem would have given.
func (m *Modem) hangs(p *port, command string, said []byte) bool {
	m.mu.Lock()
	h := m.hang
	if h == nil || !strings.HasPrefix(command, h.On) {
		m.mu.Unlock()
		return false
	}
	m.hang = nil
	m.mu.Unlock()
	p.answer(said[:min(h.Said, len(said))])
	p.hung.Store(true)
	if h.Hit != nil {
		close(h.Hit)
	}
	return true
}
