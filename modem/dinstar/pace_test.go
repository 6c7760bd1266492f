package dinstar

import (
	"testing"
	"time"
)

const gap = 60 * time.Millisecond

// play sends over a port whose sends take as long as each says, asks as the pace says,
// and gives how long the port waited and how often it was asked for, on average of the
// second half.
func play(p *pace, takes []time.Duration) (idle time.Duration, asked float64) {
	half := len(takes) / 2
	for i, take := range takes {
		var open, at time.Duration
		n := 1
		for at = max(p.first(1), 0); at < take; n++ {
			open = max(at, 1)
			at += p.next(1, at, gap, 2*time.Second)
		}
		p.learn(1, open, at)
		if i >= half {
			idle += at - take
			asked += float64(n)
		}
	}
	rest := len(takes) - half
	return idle / time.Duration(rest), asked / float64(rest)
}

// sends gives n sends that take from d on, up to spread more, evenly.
func sends(n int, d, spread time.Duration) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = d + spread*time.Duration(i*7%10)/10
	}
	return all
}

func TestAPaceAsksWhenTheOutcomeIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		takes []time.Duration
		asked float64
	}{
		"steady":  {sends(60, 3*time.Second, 0), 6},
		"uneven":  {sends(60, 2500*time.Millisecond, time.Second), 20},
		"quick":   {sends(60, 300*time.Millisecond, 0), 6},
		"quicker": {append(sends(20, 5*time.Second, 0), sends(60, time.Second, 0)...), 6},
		"slower":  {append(sends(20, time.Second, 0), sends(60, 5*time.Second, 0)...), 8},
	} {
		var p pace
		idle, asked := play(&p, c.takes)
		t.Logf("%s: idle %v, asked %.1f times", name, idle, asked)
		if idle > gap || asked > c.asked {
			t.Errorf("%s: the port waits %v and is asked for %.1f times, want %v and %v at most", name, idle, asked, gap, c.asked)
		}
	}
}

// A network that was slow for an hour, and is quick again, must not leave ports waiting.
func TestAPortThatBecameTenTimesFasterWaitsForAFewMessagesOnly(t *testing.T) {
	const before, after = 30 * time.Second, 3 * time.Second
	var (
		p    pace
		lost time.Duration
	)
	play(&p, sends(40, before, 0))
	for range 20 {
		var open, at time.Duration
		for at = max(p.first(1), 1); at < after; {
			open = at
			at += p.next(1, at, gap, 2*time.Second)
		}
		p.learn(1, open, at)
		lost += at - after
	}
	if lost > 2*before {
		t.Errorf("the port waited %v in all, want %v at most", lost, 2*before)
	}
}

func TestAPaceAsksLessForWhatIsOverdue(t *testing.T) {
	var p pace
	play(&p, sends(20, 3*time.Second, 0))
	_, asked := play(&p, []time.Duration{2 * time.Minute})
	if asked > 120 {
		t.Errorf("a message that hangs for 2 min is asked for %v times", asked)
	}
}

func TestAPaceCountsSegments(t *testing.T) {
	var p pace
	for range 10 {
		p.learn(4, 11900*time.Millisecond, 12100*time.Millisecond)
	}
	if one := p.first(1); one < 2*time.Second || one > 3*time.Second {
		t.Errorf("one segment is first asked for after %v, want a bit less than 3 s", one)
	}
}
