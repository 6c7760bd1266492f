package dinstar

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"fieldpost/gateway"
)

// A port whose queue others fill would hold ours for longer than stop, delete and the
// blacklist may wait. So ours wait here, from crowdedAt messages of others a usable
// port on, until there are no more than easedAt.
const (
	crowdedAt = 2
	easedAt   = 1
)

// stillAfter is how long a queue must not move until what lies in it counts as left
// behind: some firmware counts what it will never send.
const stillAfter = 10 * time.Minute

// crowd watches what the gateway has in its queue that is not ours: somebody sends from
// its own pages, or it was left there by a former run.
type crowd struct {
	others int64
	since  time.Time // when that last changed
	left   int64     // of them: what does not move
	full   bool
	shown  int64 // what the channels say
}

// see takes over a count, and says whether the channels have something else to say.
func (c *crowd) see(others int64, ports int, now time.Time) (changed bool) {
	if others != c.others {
		c.others, c.since = others, now
	}
	if c.left = min(c.left, others); c.full && now.Sub(c.since) >= stillAfter {
		c.left = others
	}
	before, limit := c.full, int64(crowdedAt)
	if c.full {
		limit = easedAt
	}
	c.full = others-c.left > limit*int64(max(1, ports))
	if c.full && (!before || others > 2*c.shown || others < c.shown/2) {
		c.shown, changed = others, true
	}
	return changed || c.full != before
}

// reason says in words what keeps the ports from sending; "" = nothing does.
func (c *crowd) reason() string {
	if !c.full {
		return ""
	}
	return fmt.Sprintf("the gateway has %d messages of others in its queue", c.shown)
}

// countQueue asks how much the gateway has in its queue.
func (s *site) countQueue(ctx context.Context) bool {
	const verb = "query_sms_in_queue"
	switch {
	case s.away():
		return false
	case s.lacks[verb]:
		s.ease()
		return false
	}
	a, err := s.api.get(ctx, verb, nil)
	switch {
	case err == nil:
		s.learn(a)
		s.queued(a.InQueue)
	case ctx.Err() == nil: // the next send_sms tells it
		s.lacking(verb, err)
		s.ease()
	}
	return false
}

// ease lets ports go on of whose gateway nothing is known any more.
func (s *site) ease() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.crowd.full {
		return
	}
	s.crowd = crowd{}
	for _, p := range s.ports {
		s.set(p, func(*gateway.Channel) {})
	}
}

// queued takes over what the gateway says of its queue. What it tells beside a
// send_sms holds that message too.
func (s *site) queued(all num) {
	if !all.ok || all.n < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.condition.Queue, s.condition.Queued, s.condition.At = int(all.n), true, s.o.Now()
	for _, w := range s.open {
		if w.open() {
			all.n--
		}
	}
	if !s.crowd.see(max(0, all.n), s.sending(), time.Now()) {
		return
	}
	s.log.Info("what others have in the gateway's queue changed", slog.Int64("messages", all.n), slog.Bool("rest", s.crowd.full))
	for _, p := range s.ports {
		s.set(p, func(*gateway.Channel) {})
	}
}

// sending counts the ports that send, or would. site.mu is held.
func (s *site) sending() (n int) {
	for _, p := range s.ports {
		if p.channel.State == gateway.ChannelReady || p.channel.State == gateway.ChannelResting {
			n++
		}
	}
	return n
}

// keepBack lets a port rest that could send, but should not now. site.mu is held.
func (s *site) keepBack(p *port) {
	c := &p.channel
	if p.seized != "" {
		c.State, c.Reason = gateway.ChannelStarting, p.seized
		return
	}
	if c.State == gateway.ChannelResting { // by this one alone
		c.State, c.Reason = gateway.ChannelReady, ""
	}
	if c.State != gateway.ChannelReady {
		return
	}
	switch {
	case p.blocked:
		c.State, c.Reason = gateway.ChannelFault, "the port is blocked for sending: unblock it"
	case p.refused:
		c.State, c.Reason = gateway.ChannelResting, "the gateway finds the port not usable for a message"
	case s.crowd.full:
		c.State, c.Reason = gateway.ChannelResting, s.crowd.reason()
	}
}
