package modem

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long the bank waits before it starts a driver again: a random
// time up to a ceiling that doubles with each failure ("full jitter"), so that
// thirty modems that lost one hub do not come back in step.
type Backoff struct {
	Base time.Duration // ceiling of the first wait; 0 = 1 s
	Max  time.Duration // highest ceiling; 0 = 60 s
	// Steady is how long a driver must have had a ready channel for its failures to
	// be forgotten; 0 = 60 s.
	Steady time.Duration
	// Rand gives a number in [0, n); nil = math/rand/v2.
	Rand func(n int64) int64
}

func (b Backoff) withDefaults() Backoff {
	if b.Base <= 0 {
		b.Base = time.Second
	}
	if b.Max <= 0 {
		b.Max = 60 * time.Second
	}
	b.Max = max(b.Max, b.Base)
	if b.Steady <= 0 {
		b.Steady = 60 * time.Second
	}
	if b.Rand == nil {
		b.Rand = rand.Int64N
	}
	return b
}

// ceiling is the longest wait after n failures in a row, n from 1.
func (b Backoff) ceiling(n int) time.Duration {
	c := b.Base
	for ; n > 1 && c < b.Max; n-- {
		c *= 2
	}
	return min(c, b.Max)
}

// wait draws the wait after n failures in a row. It is never zero: a driver that
// fails at once must not spin.
func (b Backoff) wait(n int) time.Duration {
	return time.Duration(b.Rand(int64(b.ceiling(n)))) + time.Millisecond
}
