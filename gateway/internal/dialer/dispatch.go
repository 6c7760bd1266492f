package dialer

import (
	"strconv"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// dispatch gives messages to free channels until no lane has one that can go.
func (d *Dialer) dispatch() {
	for !d.store.holds(d) {
		var best choice
		for _, l := range d.order {
			if c, ok := d.choose(l); ok && c.better(&best) {
				best = c
			}
		}
		if best.lane == nil || d.placed { // barred rows go before those in memory
			return
		}
		d.launch(best)
	}
}

// choose finds the first row of a lane that can go now. Where there is none,
// lane.idle says why.
func (d *Dialer) choose(l *lane) (choice, bool) {
	if !d.open(l) {
		return choice{}, false
	}
	free, fit := 0, 0
	for _, s := range l.reach {
		if s.free() {
			free++
		}
		if s.fit() {
			fit++
		}
	}
	if free == 0 && fit > 0 {
		l.idle = idleBusy
		return choice{}, false
	}
	d.fill(l)
	if !l.due.IsZero() {
		d.wakeAt(l.due)
	}
	d.cull(l)
	if fit == 0 {
		l.idle = idleNoChannel
		return choice{}, false
	}
	if len(l.buf) == 0 {
		l.idle = idleEmpty
		return choice{}, false
	}
	l.idle = idleRows
	d.count(l)
	for i := range l.buf {
		if s, by := d.slotFor(l, &l.buf[i]); s != nil {
			l.idle = idleNot
			return d.kin(choice{lane: l, at: i, slot: s, by: by}), true
		}
	}
	if busy(l.ring) {
		l.idle = idleBusy
		return choice{}, false
	}
	d.giveUp(l)
	d.makeWay(l)
	return choice{}, false
}

// busy says that some of the channels carry messages, and that all of those are.
func busy(slots []*slot) bool {
	fit := false
	for _, s := range slots {
		if s.free() {
			return false
		}
		fit = fit || s.fit()
	}
	return fit
}

// open says that the lane may send at all now.
func (d *Dialer) open(l *lane) bool {
	switch {
	case !l.def.Running:
		l.idle = idleStopped
		return false
	case !d.onSchedule(l):
		l.idle = idleClosed
		if len(l.buf) > 0 {
			l.forget() // they are queued, not claimed, until it opens
		}
		return false
	}
	w := max(l.pace.wait(d.mono), l.provider.wait(d.mono))
	if w > 0 {
		d.wakeIn(w)
		l.idle = idlePaced
		return false
	}
	return true
}

// cull drops rows that can never go: their validity ended while they waited, or
// they ask for a channel that there cannot be.
func (d *Dialer) cull(l *lane) {
	for i := 0; i < len(l.buf); {
		m := &l.buf[i]
		switch _, _, err := l.bound(m); {
		case d.over(m):
			d.refuse(l, i, expired(m))
		case err != nil:
			d.refuse(l, i, spool.Drop{Status: gateway.StatusInvalid, Kind: gateway.KindInvalid, Text: err.Error()})
		default:
			i++
		}
	}
}

// over says that the message's validity has ended. While the clock is not
// trusted, none has.
func (d *Dialer) over(m *gateway.Message) bool {
	return d.trusted && !m.ValidUntil.IsZero() && !d.now.Before(m.ValidUntil)
}

// left counts the segments that a message still needs on a slot.
func (d *Dialer) left(s *slot, m *gateway.Message) int {
	if s.limits.Whole {
		return segments(m)
	}
	n := 0
	for i := missing(m, 0); i > 0; i = missing(m, i) {
		n++
	}
	return n
}

// bound gives the one channel that may take a message: that of the SIM which sent
// its first segments, or the one that the caller asked for. It is nil when that
// channel is not there; err says that the wish can never be met.
func (l *lane) bound(m *gateway.Message) (s *slot, bound bool, err error) {
	if begun(m) {
		for _, s := range l.reach {
			if s.carries(m) {
				return s, true, nil
			}
		}
		return nil, true, nil
	}
	if m.Source == "" {
		return nil, false, nil
	}
	port, err := l.source(m.Source)
	if err != nil {
		return nil, true, err
	}
	for _, s := range l.reach {
		if s.port == port {
			return s, true, nil
		}
	}
	return nil, true, nil
}

// carries says that the slot holds the SIM that the message's first segments went
// over. A device that does not tell its SIMs is known by its channel.
func (s *slot) carries(m *gateway.Message) bool {
	if m.ICCID == "" {
		return s.id == m.Channel
	}
	return s.sim.key == m.ICCID || s.ch.ICCID == m.ICCID
}

// splits says that the slot can send what is left of a message: a device that takes
// whole messages has no way to send the end of one.
func (s *slot) splits(m *gateway.Message) bool { return !s.limits.Whole || !begun(m) }

// source reads the port that a caller asked for: "3" or "provider/3".
func (l *lane) source(text string) (int, error) {
	if provider, port, ok := gateway.SplitChannelID(text); ok {
		if provider != l.def.Provider {
			return 0, gateway.Invalid("source", "%q is not a port of %q, which carries this campaign", text, l.def.Provider)
		}
		return port, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > gateway.MaxPort {
		return 0, gateway.Invalid("source", "%q is not a port: write 0 to %d", text, gateway.MaxPort)
	}
	return port, nil
}

// launch opens the chosen row, unless the last look stops it.
func (d *Dialer) launch(c choice) {
	l := c.lane
	m := &l.buf[c.at]
	drop, err := d.lastLook(l, m)
	if err != nil {
		if d.storeDown(err) {
			return
		}
		drop = &spool.Drop{Status: gateway.StatusQueued, NotBefore: d.now.Add(stuckWait), Kind: gateway.KindInternal, Text: "the blacklist could not be read: " + err.Error()}
	}
	if drop != nil {
		d.refuse(l, c.at, *drop)
		return
	}
	f := &flight{m: *m, lane: l, attempt: try(m), ring: c.by.turns(), turn: d.served + 1}
	if !c.slot.limits.Whole {
		f.segment = max(missing(m, 0), 1)
	}
	l.take(c.at)
	l.flying++
	d.served++
	l.served = d.served
	if f.ring {
		l.move(c.slot)
		l.trying++
	}
	if c.passed != (rank{}) {
		l.pass(c.passed)
	}
	others := l.taken[f.m.To]
	d.numbers[f.m.To] = &hold{idm: f.m.IDM, flying: true, waited: others != nil && others.others}
	l.pace.open(d.mono)
	l.provider.open(d.mono)
	d.openStep(c.slot, f)
}

// try gives the number of a try. One that stopped between two segments, for a quota
// or a drain, goes on: it has not failed, and is not counted twice.
func try(m *gateway.Message) uint16 {
	if begun(m) && m.Kind == gateway.KindNone && m.Attempts > 0 {
		return m.Attempts
	}
	return m.Attempts + 1
}

// take removes a row from the buffer. The front moves without copying.
func (l *lane) take(i int) {
	if i == 0 {
		l.buf[0] = gateway.Message{}
		l.buf = l.buf[1:]
		return
	}
	copy(l.buf[i:], l.buf[i+1:])
	l.buf[len(l.buf)-1] = gateway.Message{}
	l.buf = l.buf[:len(l.buf)-1]
}

// move sets the ring's cursor to a slot.
func (l *lane) move(s *slot) {
	for i, r := range l.ring {
		if r == s {
			l.at, l.cursor = i, s.port
			return
		}
	}
}

// launchTime gives when a message may start that is on disk now, and takes the
// place in its paces.
func (d *Dialer) launchTime(l *lane) time.Time {
	at := l.provider.start(l.pace.start(d.mono))
	l.pace.last, l.provider.last = at, at
	return at
}
