package sim

import "time"

// Deed is what a fault does.
type Deed uint8

// The deeds. "On the air" means that the ledger has the message.
const (
	Refuse       Deed = iota + 1 // +CMS ERROR: Code after the message was handed over; not on the air
	RefuseSoon                   // +CMS ERROR: Code instead of the prompt
	NoPrompt                     // silence instead of the prompt
	Silence                      // no answer after Ctrl-Z; not on the air
	LoseAnswer                   // no answer after Ctrl-Z; on the air
	Late                         // on the air at once, the answer late; the modem hears nothing meanwhile
	LateAside                    // on the air at once, the answer late; the modem answers other commands meanwhile
	LateRefusal                  // not on the air, +CMS ERROR: Code late; the modem answers other commands meanwhile
	Stall                        // late on the air, then answered as usual; the modem hears nothing meanwhile
	VanishBefore                 // the device is gone after Ctrl-Z; not on the air
	VanishAfter                  // the device is gone after Ctrl-Z; on the air
	Noise                        // garbage on the line before the answer
	Interleave                   // a URC inside the answer, between +CMGS and OK
	HangAfter                    // on the air, no answer; the modem hears and says nothing more until it is unplugged
	Restart                      // the modem starts again after Ctrl-Z, on the same port; not on the air
)

// Fault is something that goes wrong with a send of a modem. A send is counted
// when its AT+CMGS comes.
type Fault struct {
	At     int     // the nth send from now, 1-based; 0 = by Chance, at every send
	Chance float64 // 0 to 1
	Do     Deed
	Code   int             // <err> of TS 27.005 §3.2.5, for the refusals; 0 = 38
	Delay  time.Duration   // for the late ones and Stall
	Until  <-chan struct{} // instead of Delay: late until it is closed
	// Hit is closed when the fault's deed begins; nil = nobody waits. For faults with At.
	Hit chan<- struct{}
	// Said is closed when a LateAside or LateRefusal has answered; nil = nobody waits.
	Said chan<- struct{}
}

// code gives the <err> of a refusal.
func (f *Fault) code() int {
	if f.Code == 0 {
		return 38 // network out of order (TS 24.011 §8.2.5.4)
	}
	return f.Code
}

// armed is a fault that waits for its send.
type armed struct {
	Fault
	at uint64 // the modem's send number
}

// pick takes the fault of a modem's nth send: a counted one first, else one by chance.
// The caller holds the modem's lock.
func (m *Modem) pick(n uint64, card *Card, cardSend uint64) *Fault {
	for i := range m.faults {
		if f := m.faults[i]; f.at == n {
			m.faults = append(m.faults[:i:i], m.faults[i+1:]...)
			return &f.Fault
		}
	}
	for i := range m.faults {
		f := &m.faults[i]
		if f.at == 0 && chance(m.net.o.Seed, card.ICCID(), cardSend, saltFault+uint64(i)) < f.Chance {
			hit := f.Fault
			return &hit
		}
	}
	return nil
}

// Inject arms faults: those with At count the sends from now.
func (m *Modem) Inject(faults ...Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range faults {
		a := armed{Fault: f}
		if f.At > 0 {
			a.at = m.sends + uint64(f.At)
		}
		m.faults = append(m.faults, a)
	}
}

// Heal takes every armed fault away.
func (m *Modem) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = nil
}
