package sims

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fieldpost/gateway"
)

// look takes over which card is where, and gives what is closed at the next change.
func (s *SIMs) look() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookLocked()
	return s.watch
}

// stale says that a channel changed since the last look. mu is held.
func (s *SIMs) stale() bool {
	select {
	case <-s.watch:
		return true
	default:
		return s.watch == nil
	}
}

// refresh looks again where a channel changed since the last look: who asks hears of
// what is, and the disk of it a little later. mu is held.
func (s *SIMs) refresh() {
	if s.stale() {
		s.lookLocked()
		s.wake()
	}
}

func (s *SIMs) lookLocked() {
	s.watch = s.o.Bank.Watch()
	now, here := s.now(), map[string][]gateway.Channel{}
	for _, c := range s.o.Bank.Channels() {
		if holdsCard(&c) {
			here[c.SIMKey()] = append(here[c.SIMKey()], c)
		}
	}
	for id, e := range s.cards {
		if e.Channel != "" && len(here[id]) == 0 {
			e.leave(now)
		}
	}
	for id, in := range here {
		if e := s.entry(id, now); e != nil {
			c := e.place(in)
			s.arrive(e, &c, now)
		}
	}
}

// maxWord bounds what a device says of a card and a passport keeps, in bytes.
const maxWord = 100

// holdsCard says that a channel knows its card: a modem that starts may tell the
// IMSI first. What no card is called is no name of one.
func holdsCard(c *gateway.Channel) bool {
	if id := c.SIMKey(); len(id) > maxWord || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	return c.ICCID != "" || c.State == gateway.ChannelReady || c.State == gateway.ChannelResting
}

// word makes what a device says fit to be kept.
func word(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxWord)], "?") }

// entry gives a card's entry, and makes one for a card that was never seen.
func (s *SIMs) entry(id string, now time.Time) *entry {
	if e := s.cards[id]; e != nil {
		return e
	}
	if len(s.cards) >= MaxCards && !s.evict() {
		return nil
	}
	e := &entry{Card: Card{ID: id, First: now, Last: now}}
	s.cards[id] = e
	return e
}

// evict forgets the card that matters least, of those that are in no slot; false when
// every other one is there or held.
func (s *SIMs) evict() bool {
	var out *entry
	for _, e := range s.cards {
		if e.Channel == "" && e.Hold == nil && (out == nil || lesser(e, out)) {
			out = e
		}
	}
	if out == nil {
		return false
	}
	delete(s.cards, out.ID)
	if out.revision > 0 {
		s.gone = append(s.gone, out.ID)
	}
	return true
}

// lesser says that a card goes before another: one that was never held, and then the
// one seen longer ago.
func lesser(a, b *entry) bool {
	if (a.Pardon == nil) != (b.Pardon == nil) {
		return a.Pardon == nil
	}
	return a.Last.Before(b.Last)
}

func (e *entry) leave(now time.Time) {
	e.Channel, e.provider, e.ready, e.signal = "", "", false, 0
	e.Last = now
	e.dirty = e.dirty || now.Sub(e.saved) >= leftEvery
}

// place picks the channel that a card is in, of those that claim it: the one where it
// was, as long as it does. Two that tell the same card must not move it to and fro.
func (e *entry) place(in []gateway.Channel) gateway.Channel {
	at := e.Channel
	if at == "" && len(e.Places) > 0 {
		at = e.Places[0].Channel
	}
	if i := slices.IndexFunc(in, func(c gateway.Channel) bool { return c.ID == at }); i >= 0 {
		return in[i]
	}
	return in[0]
}

// arrive takes over what a channel says of the card in it.
func (s *SIMs) arrive(e *entry, c *gateway.Channel, now time.Time) {
	before := s.book.operatorOf(&e.Card)
	for _, f := range []struct {
		have *string
		told string
	}{{&e.ICCID, c.ICCID}, {&e.IMSI, c.IMSI}, {&e.Number, c.Number}, {&e.Card.Operator, c.Operator}} {
		if told := word(f.told); told != "" && told != *f.have {
			*f.have, e.dirty = told, true
		}
	}
	e.Channel, e.provider, e.ready, e.Last = c.ID, c.Provider, c.State == gateway.ChannelReady, now
	e.dirty = e.dirty || now.Sub(e.saved) >= seenEvery
	s.moved(e, c, now)
	if s.book.operatorOf(&e.Card) != before {
		s.notify()
	}
}

// moved writes a new place into the passport where the card is not where it was.
func (s *SIMs) moved(e *entry, c *gateway.Channel, now time.Time) {
	imei := word(c.IMEI)
	if len(e.Places) > 0 && e.Places[0].Channel == c.ID {
		switch {
		case imei == "" || imei == e.Places[0].IMEI:
			return
		case e.Places[0].IMEI == "": // the modem had not told it yet
			e.Places = slices.Clone(e.Places)
			e.Places[0].IMEI, e.dirty = imei, true
			return
		}
	}
	change, former := "moved", ""
	if len(e.Places) == 0 {
		change = "seen"
	}
	if !e.knows(c.ID) {
		former = s.former(e, c.ID)
	}
	e.Places = slices.Insert(slices.Clone(e.Places), 0, Place{Channel: c.ID, IMEI: imei, Since: now})
	e.Places = e.Places[:min(len(e.Places), maxPlaces)]
	reason := ""
	if former != "" {
		reason = "it took the slot of " + former
	}
	s.tell(e, change, reason, "")
	if former != "" && s.o.Site.ConfirmSwap && e.Hold == nil {
		why := fmt.Sprintf("it took the slot of %s in %s, and waits for a person: \"fieldpost sims confirm %s\"", former, c.ID, e.ID)
		s.alarm(e, fmt.Sprintf("SIM %s sends nothing: %s", e.ID, why))
		s.hold(e, Hold{Since: now, Cause: CauseSwap, Why: why})
	}
}

// former gives the card that was last in a slot, of all others; "" = there was none.
// A card that its device does not tell is no other one, nor is one that it tells by its
// ICCID now and told by its IMSI before.
func (s *SIMs) former(e *entry, channel string) string {
	if e.anonymous() {
		return ""
	}
	var last *entry
	var since time.Time
	for _, o := range s.cards {
		if o == e || o.anonymous() || o.IMSI != "" && o.IMSI == e.IMSI {
			continue
		}
		for _, p := range o.Places {
			if p.Channel == channel && (last == nil || p.Since.After(since)) {
				last, since = o, p.Since
			}
		}
	}
	if last == nil {
		return ""
	}
	return last.ID
}
