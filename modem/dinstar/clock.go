package dinstar

import (
	"time"
)

// clock learns how far the gateway's clock, read in the zone that it is said to be in, is ahead of
// ours. It may be wrong, and after a restart say 1970; where the zone is right a
// change to summer time is no change of this.
type clock struct {
	zone  *time.Location // set once
	ahead time.Duration
	known bool
}

// learn compares the gateway's time of a send with ours. It is off by no more than the
// send took.
func (c *clock) learn(at text, began time.Time) {
	if t, ok := stamp(at, c.zone); ok {
		c.ahead, c.known = t.Sub(began), true
	}
}

// ours turns a time of the gateway into one of ours.
func (c *clock) ours(at text) (time.Time, bool) {
	t, ok := stamp(at, c.zone)
	return t.Add(-c.ahead), ok && c.known
}

// theirs writes a time of ours as the gateway would.
func (c *clock) theirs(t time.Time) string {
	return t.Add(c.ahead).In(c.zone).Format(time.DateTime)
}
