package dialer

import "time"

// pace keeps a least time between starts. Opening a message takes a sync, whose
// time varies: so the gate (next) opens by the clock, which keeps the mean rate,
// and the start itself is held back to last + every, which keeps the least gap.
// Times are monotonic.
type pace struct {
	every time.Duration // 0 = no pace
	next  time.Time     // not opened before
	last  time.Time     // start of the last message
}

// set changes the interval; what was waited for longer than the new one is cut.
func (p *pace) set(every time.Duration, now time.Time) {
	if every == p.every {
		return
	}
	p.every = every
	if limit := now.Add(every); p.next.After(limit) {
		p.next = limit
	}
}

// maxEarly is how long before its start a message is opened at most: time for a
// slow sync. An open one cannot be taken back, and its last look must be the last.
const maxEarly = time.Second

// wait is how long the gate stays shut.
func (p *pace) wait(now time.Time) time.Duration {
	w := p.next.Sub(now)
	if p.every > maxEarly && !p.last.IsZero() {
		w = max(w, p.last.Add(p.every-maxEarly).Sub(now))
	}
	return w
}

// open passes the gate. What was missed by less than one interval is made good,
// so that a late timer does not slow the lane; more than that is not.
func (p *pace) open(now time.Time) {
	if p.every == 0 {
		return
	}
	if p.next = p.next.Add(p.every); p.next.Before(now) {
		p.next = now.Add(p.every)
	}
}

// start gives when a message that is ready now may start, at is what other paces ask.
func (p *pace) start(at time.Time) time.Time {
	if p.every == 0 {
		return at
	}
	if least := p.last.Add(p.every); at.Before(least) {
		return least
	}
	return at
}
