package dialer

import (
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
)

// Explain says in sentences why a message went where it went, or why it waits.
func (d *Dialer) Explain(m gateway.Message) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	said := told(&m)
	if !m.Status.Waiting() && m.Status != gateway.StatusSubmitting || m.Status == gateway.StatusHeld {
		return append(said, endWords(&m))
	}
	if w := d.flightWords(m.IDM); w != "" {
		return append(said, w)
	}
	l := d.lanes[m.Campaign]
	if l == nil {
		return append(said, fmt.Sprintf("It waits: there is no campaign or dialer %q now.", m.Campaign))
	}
	return append(said, d.waitWords(l, &m)...)
}

// told gives what was tried already.
func told(m *gateway.Message) []string {
	var said []string
	if m.Attempts > 0 && m.Channel != "" {
		said = append(said, fmt.Sprintf("It was tried %s, last over channel %s.", times(m.Attempts), m.Channel))
	}
	if m.Status.Waiting() && m.Reason != "" {
		said = append(said, fmt.Sprintf("The last try ended %s: %s.", m.Kind, m.Reason))
	}
	if n := out(m); n > 0 && n < segments(m) {
		said = append(said, fmt.Sprintf("%d of %d segments went out; the others must follow over the same SIM.", n, segments(m)))
	}
	return said
}

func times(n uint16) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// out counts the segments that went out.
func out(m *gateway.Message) int {
	n := 0
	for i := range m.Parts {
		if taken(m.Parts[i].Status) {
			n++
		}
	}
	return n
}

func endWords(m *gateway.Message) string {
	w := "It is " + m.Status.String()
	if m.Status == gateway.StatusHeld {
		return w + ": it was loaded and not released."
	}
	if m.Channel != "" {
		w += ", over channel " + m.Channel
	}
	if m.Reason != "" {
		w += ": " + m.Reason
	}
	return w + "."
}

// flightWords says what a message does that is on a channel now.
func (d *Dialer) flightWords(idm uint64) string {
	for _, s := range d.row {
		switch {
		case s.next != nil && s.next.m.IDM == idm:
			return "Its intent is being written; then it goes over channel " + s.id + "."
		case s.flying != nil && s.flying.m.IDM == idm:
			return "Channel " + s.id + " is sending it; the outcome is not known yet."
		case s.closing != nil && s.closing.m.IDM == idm:
			return "Channel " + s.id + " has an outcome for it, which is being written."
		}
	}
	return ""
}

// waitWords gives everything that keeps a queued message, most general first.
func (d *Dialer) waitWords(l *lane, m *gateway.Message) []string {
	now := d.o.Now().UTC()
	var said []string
	add := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	if m.NotBefore.After(now) {
		again := ""
		if m.Attempts > 0 {
			again = "tried again, but "
		}
		add("It is %snot due before %s.", again, inZone(m.NotBefore, l.def.Zone))
	}
	switch {
	case d.draining:
		add("fieldpost is shutting down; it goes after the next start.")
	case l.def.Fault != "":
		add("%s cannot send: %s.", l.def.Name, l.def.Fault)
	case !l.def.Running:
		add("%s is stopped or disabled.", l.def.Name)
	case !d.scheduled(l, now):
		add("%s sends nothing: %s.", l.def.Name, d.closedWords(l, now))
	}
	if d.store.err != nil {
		add("Sending holds, because the store takes nothing now: %v.", d.store.err)
	}
	if l.fault != nil {
		add("%s sends nothing: %s.", l.def.Name, l.faultWords())
	}
	if h := d.numbers[m.To]; h != nil && h.idm != m.IDM && (h.flying || now.Before(h.until)) {
		add("Another message to its number (%d) is on its way; one goes at a time.", h.idm)
	}
	said = append(said, d.portWords(l, m)...)
	behind := behindWords(l, m)
	free := len(said) == 0 && behind == ""
	if w := l.pace.wait(time.Now()); l.def.Running && w > 0 {
		add("%s leaves %v between two messages.", l.def.Name, l.pace.every)
	}
	switch {
	case free:
		add("%s", d.nextWords(l, m))
		if w := d.passedWords(l, m); w != "" {
			add("Passed over: %s.", w)
		}
	case behind != "":
		add("%s", behind)
	}
	return said
}

// behindWords says how many rows of its lane go before a message; "" when none is
// known to.
func behindWords(l *lane, m *gateway.Message) string {
	for i := range l.buf {
		if l.buf[i].IDM == m.IDM {
			if i == 0 {
				return ""
			}
			return fmt.Sprintf("It is in memory, behind %d rows of %s.", i, l.def.Name)
		}
	}
	if len(l.buf) > 0 && rankOf(&l.buf[len(l.buf)-1]).before(rankOf(m)) {
		return fmt.Sprintf("It is behind at least %d rows of %s.", len(l.buf), l.def.Name)
	}
	return ""
}

// nextWords says where a message goes that nothing keeps, and why there.
func (d *Dialer) nextWords(l *lane, m *gateway.Message) string {
	s, by := d.seat(l, m, (*Dialer).wouldTake)
	if s == nil {
		return "It goes next."
	}
	w := "It goes to " + s.id + " next"
	switch by {
	case byUse:
		lim := l.def.limits(s.sim.key)
		used := s.sim.share(&lim)
		w += ": least used (" + used.words() + ")"
	case byOperator:
		w += ": its SIM is of " + s.sim.operator + ", as the number is"
	case byRing:
		if owner := d.o.SIMs.Owner(m.To); owner != "" && l.def.Choice == gateway.ChoiceSameOperator {
			w += ": no SIM of " + owner + ", as the number is, can take it now"
		}
	case byWish:
		if begun(m) {
			w += ": its first segments went over this SIM"
		}
	}
	return w + "."
}

// mostPassed bounds the channels that passedWords names.
const mostPassed = 4

// passedWords says which channels of the ring cannot take a message that goes over
// another, and why. One that is only sending is not worth a word.
func (d *Dialer) passedWords(l *lane, m *gateway.Message) string {
	if _, bound, _ := l.bound(m); bound {
		return ""
	}
	var why []string
	n := 0
	for _, s := range l.ring {
		w := d.keptWords(l, s, m)
		if w == "" || s.fit() && !s.free() {
			continue
		}
		if n++; n <= mostPassed {
			why = append(why, w)
		}
	}
	if n > mostPassed {
		why = append(why, fmt.Sprintf("and %d others", n-mostPassed))
	}
	return strings.Join(why, "; ")
}

// portWords says why the channels that may take the message do not.
func (d *Dialer) portWords(l *lane, m *gateway.Message) []string {
	ring := l.ring
	if s, bound, err := l.bound(m); bound {
		switch {
		case err != nil:
			return []string{"It can never go: " + err.Error() + "."}
		case s == nil && begun(m):
			return []string{"The SIM that sent its first segments is not there."}
		case s == nil:
			return []string{"Port " + m.Source + ", which it was asked to go over, is not there."}
		}
		ring = []*slot{s}
	}
	if len(ring) == 0 {
		return []string{"Provider " + l.def.Provider + " has no channel in the dial string."}
	}
	var why []string
	for _, s := range ring {
		w := d.keptWords(l, s, m)
		if w == "" {
			return nil // one is free
		}
		why = append(why, w)
	}
	if len(why) == 1 {
		return []string{"No channel can take it now: " + why[0] + "."}
	}
	said := []string{fmt.Sprintf("None of its %d channels can take it now.", len(why))}
	for _, w := range why {
		said = append(said, strings.ToUpper(w[:1])+w[1:]+".")
	}
	return said
}

// keptWords says why a channel does not take a message now; "" when it would.
func (d *Dialer) keptWords(l *lane, s *slot, m *gateway.Message) string {
	if w := channelWords(s); w != "" {
		return w
	}
	if !s.splits(m) {
		return "channel " + s.id + " takes whole messages only, and the first segments of this one went out alone"
	}
	if w, until := d.lack(l, s, m); w != windowNone {
		lim := l.def.limits(s.sim.key)
		_, limit := w.of(&s.sim.usage, &lim)
		what := "segments"
		if w == windowRecipients {
			what = "recipients"
		}
		return fmt.Sprintf("channel %s has used its %d %s of this %s, until %s", s.id, limit, what, w, inZone(until, d.o.Zone))
	}
	return ""
}
