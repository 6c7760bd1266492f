package dinstar

import "time"

// pace learns how long a segment takes a port, so that its outcome is asked for when
// it is there: neither so late that the port waits, nor all the time.
type pace struct {
	usual  time.Duration // 0 = nothing was learned yet
	spread time.Duration // how far it is off, on average
	early  int           // messages in a row that the first question found done
}

// How fast a pace follows what it sees: a quarter of each difference.
const paceGain = 4

// From so many messages in a row that were done at the first question on, a port has become
// faster by nobody knows how much: each further one is asked for after a quarter of the time.
const (
	maxEarly   = 2
	earlyShift = 2
)

// first says how long after a message was handed over it is first asked for: when
// nearly no port would be done sooner.
func (p pace) first(segments int) time.Duration {
	d := max(0, time.Duration(segments)*(p.usual-2*p.spread))
	return d >> (earlyShift * min(max(0, p.early-maxEarly+1), 8))
}

// next says how long to wait after an answer that found a message open, elapsed after it
// was handed over: gap around the time that is usual, and longer the longer it is overdue.
func (p pace) next(segments int, elapsed, gap, most time.Duration) time.Duration {
	late := elapsed - time.Duration(segments)*(p.usual+2*p.spread)
	return max(gap, min(late/paceGain, most))
}

// learn takes over that a message was found done elapsed after it was handed over, and
// open before that; open is 0 where the first question found it done, which says only
// that it was not asked for too early.
func (p *pace) learn(segments int, open, elapsed time.Duration) {
	sample := (open + elapsed) / 2
	if open == 0 {
		sample = elapsed - elapsed/16
	}
	sample /= time.Duration(segments)
	found := open > 0 && p.early >= maxEarly // how fast it has become
	if p.early++; open > 0 {
		p.early = 0
	}
	if p.usual == 0 || found {
		p.usual, p.spread = sample, sample/paceGain
		return
	}
	off := sample - p.usual
	p.usual += off / paceGain
	p.spread += (off.Abs() - p.spread) / paceGain
}
