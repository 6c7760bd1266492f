package dinstar

import (
	"context"
	"log/slog"
	"time"
)

// Bounds of what pushes cause, whoever sends them.
const (
	pushGap   = 250 * time.Millisecond // between two looks at the same thing
	faultsGap = time.Minute            // between two lines of the log about exceptions
)

const (
	restFactor = 4 // how many times as long as a look took the gateway is left to everything else
	tellFailed = 3 // looks in a row that gave nothing, until the log says so
)

// vow is the word of a gateway that it pushes what a chore would find. While it keeps it, the
// chore is only there for the pushes that were lost: a look a minute in place of one
// every 5 s. One find that was not announced breaks it, until the next push.
type vow struct {
	rest      time.Duration // between two looks while it is kept; 0 = nobody gives it
	begun     bool          // what was there before is known: from here on each find could have been announced
	kept      bool
	doubted   bool      // that it was never kept was logged
	announced bool      // a push came since the last look that went well
	last      time.Time // when the last look began
}

// glance is what a look came to.
type glance struct {
	well bool  // all that was there is stored
	news bool  // there was something that was not known
	err  error // why the gateway gave nothing
}

// perform does a chore that is due. One that took long is not due soon: each send_sms, and
// each question for an outcome, goes by the same line.
func (s *site) perform(ctx context.Context, c *chore, now time.Time) {
	c.due, c.vow.last, s.came = now.Add(c.every), now, glance{}
	again := c.do(ctx)
	s.plan(c, again, now)
	s.tellGiven(ctx, c)
	if ended := time.Now(); !again && c.push != pushPorts { // a look at the ports that is late is news itself
		c.rested = ended.Add(restFactor * ended.Sub(now))
		if c.due.Before(c.rested) {
			c.due = c.rested
		}
	}
}

// tellGiven tells of a chore that gets nothing from a gateway that serves otherwise, once.
func (s *site) tellGiven(ctx context.Context, c *chore) {
	switch {
	case s.came.err != nil && ctx.Err() == nil:
		if c.failed++; c.failed == tellFailed {
			s.log.Warn("the gateway serves, and does not give this", slog.String("what", c.push.String()), slog.Any("error", s.came.err))
		}
	case s.came.well:
		if c.failed >= tellFailed {
			s.log.Info("the gateway gives it again", slog.String("what", c.push.String()))
		}
		c.failed = 0
	}
}

// plan says when a chore is due again.
func (s *site) plan(c *chore, again bool, now time.Time) {
	if c.vow.rest == 0 {
		if again {
			c.due = now
		}
		return
	}
	if s.came.news && c.vow.begun && !c.vow.announced {
		s.unannounced(c)
	}
	switch {
	case again:
		c.due = now
	case s.came.well:
		c.vow.announced, c.vow.begun = false, true
		if c.vow.kept {
			c.due = now.Add(c.vow.rest)
		}
	case !s.away():
		c.due = now.Add(min(c.every, s.o.Every.Retry))
	}
}

// unannounced notes that a chore found what no push had told of.
func (s *site) unannounced(c *chore) {
	if c.vow.kept || s.o.Pushes && !c.vow.doubted {
		s.log.Warn("something came that the gateway did not push: is its push URL right?", slog.String("what", c.push.String()))
		c.vow.doubted = true
	}
	c.vow.kept = false
}

// answerPushes has done at once what the pushes ask for that came meanwhile, however many they are.
func (s *site) answerPushes(now time.Time) {
	rung := pushKind(s.rung.Swap(0))
	if rung == 0 {
		return
	}
	for _, c := range s.chores {
		if rung&(c.push|pushBoot) != 0 {
			s.announce(c, rung, now)
		}
	}
	if rung&pushBoot != 0 {
		s.inbox.doubt = true
		s.distrustClock()
	}
	if rung&pushOutcomes != 0 {
		s.askSoon(now)
	}
	if rung&pushException != 0 && now.Sub(s.told) >= faultsGap {
		s.told = now
		s.tellFault()
	}
}

// announce has a chore done because a push says that there is something to find.
func (s *site) announce(c *chore, rung pushKind, now time.Time) {
	if soon := c.vow.last.Add(pushGap); soon.After(now) {
		now = soon
	}
	if now.Before(c.rested) {
		now = c.rested
	}
	if now.Before(c.due) {
		c.due = now
	}
	if c.vow.rest == 0 || rung&c.push == 0 {
		return
	}
	if !c.vow.kept {
		s.log.Info("the gateway pushes: it is looked at less often", slog.String("what", c.push.String()), slog.Duration("every", c.vow.rest))
	}
	c.vow.kept, c.vow.announced = true, true
}

// askSoon has every awaited outcome asked for at the keeper's next turn.
func (s *site) askSoon(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.open {
		if w.open() && w.due.After(now) {
			w.due = now
		}
	}
}

// catchUp has everything looked at: the gateway was away, and what it pushed could not be fetched.
func (s *site) catchUp() {
	now := time.Now()
	for _, c := range s.chores[1:] {
		c.due = now
	}
}

// String names what a chore looks at.
func (k pushKind) String() string {
	switch k {
	case pushInbox:
		return "inbox"
	case pushReports:
		return "reports"
	}
	return "ports"
}
