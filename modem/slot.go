package modem

import (
	"slices"
	"time"

	"fieldpost/gateway"
)

// Health is how one channel has fared since the bank was made.
type Health struct {
	Faults      int       // sends in a row that failed through the channel: unavailable or in doubt
	LastSuccess time.Time // when the device last accepted a submission; zero = never
	LastFault   time.Time
	LastError   string // of the last fault
	Accepted    uint64 // submissions that the device accepted
}

// slot is what the bank knows of one channel. All of it is under bank.mu.
type slot struct {
	supervisor *supervisor
	told       gateway.Channel // as the driver reported it
	view       gateway.Channel // as the world sees it: told, or resting
	health     Health

	sending bool // a Send is out, and its caller waits
	stuck   bool // a Send is out, and the bank has given it up

	restUntil  time.Time // by Now
	restReason string
	restTimer  *time.Timer // runs while the channel rests
}

// report takes over what a driver says of a port. bank.mu is held.
func (b *Bank) report(v *supervisor, c gateway.Channel) {
	if v.retired || c.Port < 0 || c.Port > gateway.MaxPort || v.dev.Ports != nil && !slices.Contains(v.dev.Ports, c.Port) {
		return
	}
	c.Provider, c.ID = v.dev.Provider, gateway.ChannelID(v.dev.Provider, c.Port)
	s := b.slots[c.ID]
	if s == nil {
		s = &slot{view: gateway.Channel{ID: c.ID, Provider: c.Provider, Port: c.Port, Signal: gateway.SignalUnknown}}
		b.slots[c.ID] = s
	}
	s.supervisor, s.told = v, c
	b.refresh(s)
}

// absent puts every channel of a supervisor aside: what is known of its SIM goes with
// it, since another may be in it when it comes back. bank.mu is held.
func (b *Bank) absent(v *supervisor, reason string) {
	for _, s := range b.slots {
		if s.supervisor != v {
			continue
		}
		s.told = gateway.Channel{
			ID: s.told.ID, Provider: s.told.Provider, Port: s.told.Port, State: gateway.ChannelAbsent,
			Reason: reason, Device: s.told.Device, Model: s.told.Model, Signal: gateway.SignalUnknown,
		}
		b.refresh(s)
	}
}

// refresh makes the view again and tells of it when it changed. bank.mu is held.
func (b *Bank) refresh(s *slot) {
	if b.slots[s.told.ID] != s {
		return // removed
	}
	v := s.told
	if v.State != gateway.ChannelResting {
		v.Until = time.Time{}
	}
	switch {
	case v.State == gateway.ChannelReady && s.stuck:
		v.State, v.Reason = gateway.ChannelFault, "a send has not returned from the driver; the port waits for it"
	case v.State == gateway.ChannelReady && s.restTimer != nil:
		v.State, v.Reason, v.Until = gateway.ChannelResting, s.restReason, s.restUntil
	}
	v.Since = s.view.Since
	if v.State != s.view.State || v.Since.IsZero() {
		v.Since = b.o.Now().UTC()
	}
	if v == s.view {
		return
	}
	old := s.view
	s.view = v
	b.publish(old, v)
}

// Rest takes a channel out of use for d, with the reason in words; a d that is
// not positive ends its rest. A later end replaces an earlier one, never the other
// way round. An unknown channel has nothing to rest.
func (b *Bank) Rest(id string, d time.Duration, reason string) {
	b.mu.Lock()
	if s := b.slots[id]; s != nil {
		b.rest(s, d, reason)
	}
	b.mu.Unlock()
	b.tell()
}

func (b *Bank) rest(s *slot, d time.Duration, reason string) {
	if d <= 0 {
		s.dropTimer()
		b.refresh(s)
		return
	}
	until := b.o.Now().UTC().Add(d)
	if s.restTimer != nil && until.Before(s.restUntil) {
		return
	}
	s.dropTimer()
	s.restUntil, s.restReason = until, reason
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		b.mu.Lock()
		if s.restTimer == t { // not another rest meanwhile
			s.dropTimer()
			b.refresh(s)
		}
		b.mu.Unlock()
		b.tell()
	})
	s.restTimer = t
	b.refresh(s)
}

// dropTimer ends a rest without telling of it.
func (s *slot) dropTimer() {
	if s.restTimer != nil {
		s.restTimer.Stop()
	}
	s.restTimer, s.restUntil, s.restReason = nil, time.Time{}, ""
}

// Health gives a channel's health and whether there is such a channel.
func (b *Bank) Health(id string) (Health, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.slots[id]; s != nil {
		return s.health, true
	}
	return Health{}, false
}

// judge counts the result of a send. Refused, invalid and throttled speak of the
// message or the network: the channel itself works. bank.mu is held.
func (s *slot) judge(now time.Time, err error) {
	h := &s.health
	switch gateway.KindOf(err) {
	case gateway.KindNone:
		h.Accepted++
		h.LastSuccess = now
		h.Faults = 0
	case gateway.KindRefused, gateway.KindInvalid:
		h.Faults = 0
	case gateway.KindThrottled:
	default:
		h.Faults++
		h.LastFault, h.LastError = now, errorText(err)
	}
}
