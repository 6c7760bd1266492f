package dialer

import (
	"log/slog"
	"strings"
	"time"

	"fieldpost/gateway"
)

// SIMs tell what is known of the cards, which are named by gateway.Channel.SIMKey.
// The loop asks them: they answer from memory, at once.
type SIMs interface {
	Held(sim string) string          // why this card must not send, in words; "" = it may
	Operator(sim string) string      // name of the card's operator; "" = not known
	Owner(to gateway.Address) string // name of the operator that owns the number's prefix; "" = not known
	Watch() <-chan struct{}          // closed at the next change of any answer
}

// noSIMs know of no card.
type noSIMs struct{}

func (noSIMs) Held(string) string           { return "" }
func (noSIMs) Operator(string) string       { return "" }
func (noSIMs) Owner(gateway.Address) string { return "" }
func (noSIMs) Watch() <-chan struct{}       { return nil }

// refreshSIMs takes over what is known of the cards.
func (d *Dialer) refreshSIMs() {
	for _, m := range d.sims {
		d.ask(m)
	}
	d.moved = true
}

func (d *Dialer) ask(m *sim) { m.held, m.operator = d.o.SIMs.Held(m.key), d.o.SIMs.Operator(m.key) }

// simFor gives the card of a key.
func (d *Dialer) simFor(key string) *sim {
	m := d.sims[key]
	if m == nil {
		m = &sim{key: key, refusals: d.refusedBefore(key)}
		d.sims[key] = m
	}
	return m
}

// refusedBefore gives the refusals in a row that are on disk: a card without credit
// does not use up rows anew after each start. It is let try once before it rests, for
// it may have been topped up.
func (d *Dialer) refusedBefore(key string) int {
	r, err := d.o.Meter.SIMRecord(key)
	if err != nil {
		d.o.Logger.Warn("the refusals of a SIM begin anew: its record cannot be read", slog.Any("error", err))
		return 0
	}
	return int(min(r.Refusals, refusalsInARow-1))
}

// remembered is how long the refusals of a card outlive its channel: long enough
// for a modem that starts again, and for somebody who tries the card elsewhere.
const remembered = time.Hour

// tidySIMs forgets the cards that no channel holds.
func (d *Dialer) tidySIMs() {
	used := make(map[*sim]bool, len(d.slots))
	for _, s := range d.slots {
		used[s.sim] = true
		for _, f := range [...]*flight{s.next, s.flying, s.closing} {
			if f != nil {
				used[f.sim] = true
			}
		}
	}
	for key, m := range d.sims {
		if !used[m] && (m.refusals == 0 || d.mono.Sub(m.refused) > remembered) {
			delete(d.sims, key)
		}
	}
}

// insert puts a card into a slot. Another one than before begins anew: the faults were
// of the pair, and a rest that the old card earned by refusals goes with it. A device
// that starts again does not tell its card at first, and changes nothing. What is
// known of the card is asked for before it sends: it may be held for being here.
func (d *Dialer) insert(s *slot, m *sim) {
	s.sim = m
	d.ask(m)
	if m.nameless() {
		return
	}
	if s.card != "" && s.card != m.key {
		s.faults = 0
		if old := d.sims[s.card]; old != nil && old.until.After(d.mono) {
			d.rests = append(d.rests, rest{id: s.id}) // ends it
		}
	}
	s.card = m.key
	if left := m.until.Sub(d.mono); left > 0 {
		d.rest(s, left, m.why)
	}
}

// nameless says that the device does not tell its card, or not yet.
func (m *sim) nameless() bool { return strings.HasPrefix(m.key, "channel:") }

// refusedBy counts a refusal against the card, and lets it rest when it is due,
// wherever it is now.
func (d *Dialer) refusedBy(m *sim, r *rule, hint time.Duration, why string) {
	m.refusals++
	m.refused = d.mono
	t := r.restFor(m.refusals, hint)
	if t <= 0 {
		return
	}
	m.until, m.why = d.mono.Add(t), why
	for _, s := range d.row {
		if s.sim == m {
			d.rest(s, t, why)
		}
	}
}

// cardWords names the card in a slot without telling all of its number.
func cardWords(s *slot) string {
	key := s.sim.key
	if s.sim.nameless() || len(key) < 4 {
		return "the SIM in " + s.id
	}
	return "SIM ..." + key[len(key)-4:] + " in " + s.id
}
