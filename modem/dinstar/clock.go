package dinstar

import (
	"time"
)

// clock learns how far the gateway's clock, read as UTC, is ahead of ours. Its zone is
// nowhere told, and after a restart it may say 1970.
type clock struct {
	ahead time.Duration
	known bool
}

// learn compares the gateway's time of a send with ours. It is off by no more than the
// send took.
func (c *clock) learn(at text, began time.Time) {
	if t, ok := stamp(at, time.UTC); ok {
		c.ahead, c.known = t.Sub(began), true
	}
}

// ours turns a time of the gateway into one of ours.
func (c *clock) ours(at text) (time.Time, bool) {
	t, ok := stamp(at, time.UTC)
	return t.Add(-c.ahead), ok && c.known
}

// theirs writes a time of ours as the gateway would.
func (c *clock) theirs(t time.Time) string {
	return t.UTC().Add(c.ahead).Format(time.DateTime)
}
