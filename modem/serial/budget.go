package serial

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

// Budget says how often a modem may be taken off the network to bring it back; zero ones
// are the usual. A modem that needs more is broken, and each try costs messages.
type Budget struct {
	Revivals int           // restarts of modem or radio: 5
	Within   time.Duration // of this: 1 h
	Rest     time.Duration // how long the channel rests when they are used up, before it is looked at again: 5 min
}

func (b Budget) orUsual() Budget {
	if b.Revivals == 0 {
		b.Revivals = 5
	}
	if b.Within == 0 {
		b.Within = time.Hour
	}
	if b.Rest == 0 {
		b.Rest = 5 * time.Minute
	}
	return b
}

// maxIncidents bounds the evidence that a channel keeps.
const maxIncidents = 8

// ladder remembers over the runs of a driver what was done to bring its modem back. The
// rungs within a run are those of at.Session; between two runs the port is opened anew,
// on another port of the modem where it has one, and its USB device is reset.
type ladder struct {
	budget Budget // set once

	mu        sync.Mutex
	spent     []time.Time // revivals within the budget's time, oldest first
	down      int         // runs in a row that ended with a modem that did not answer
	told      bool        // a person was told of the budget that is used up
	freed     chan struct{}
	incidents []modem.Incident
}

func newLadder(b Budget) *ladder { return &ladder{budget: b.orUsual(), freed: make(chan struct{})} }

// gentle says that nothing may be done that takes the modem off the network.
func (l *ladder) gentle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left(now) <= 0
}

// left gives the revivals that are left. l.mu is held.
func (l *ladder) left(now time.Time) int {
	l.spent = slices.DeleteFunc(l.spent, func(t time.Time) bool { return now.Sub(t) >= l.budget.Within })
	return l.budget.Revivals - len(l.spent)
}

// climbed notes what was tried, and whether it woke the modem.
func (l *ladder) climbed(now time.Time, i modem.Incident, steps []at.Step, woken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range steps {
		i.Steps = append(i.Steps, s.String())
	}
	if slices.ContainsFunc(steps, costly) {
		l.spent = append(l.spent, now)
	}
	if !woken {
		l.down++
	}
	if len(l.incidents) == maxIncidents {
		l.incidents = slices.Delete(l.incidents, 0, 1)
	}
	l.incidents = append(l.incidents, i)
}

// costly says that a step takes the modem off the network.
func costly(s at.Step) bool { return s.Rung == at.RungRadio || s.Rung == at.RungRestart }

// between notes a step that was taken between two runs: it belongs to the last incident.
func (l *ladder) between(now time.Time, step string, costs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if costs {
		l.spent = append(l.spent, now)
	}
	if n := len(l.incidents); n > 0 {
		l.incidents[n-1].Steps = append(l.incidents[n-1].Steps, step)
	}
}

// up says that the modem works again.
func (l *ladder) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.told = 0, false
}

// downs gives how many runs in a row ended with a modem that did not answer.
func (l *ladder) downs() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// rest says how long the channel must rest, and why; first is true when nobody was told
// yet. A modem that is down with its budget used up is looked at now and then, gently.
func (l *ladder) rest(now time.Time) (d time.Duration, reason string, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down == 0 || l.left(now) > 0 {
		return 0, "", false
	}
	first, l.told = !l.told, true
	reason = fmt.Sprintf("the modem does not answer, and %d restarts within %s did not help", l.budget.Revivals, shortly(l.budget.Within))
	return l.budget.Rest, reason, first
}

// away says that the device was not there: somebody pulled it out, and one that comes back
// is looked at at once.
func (l *ladder) away() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = 0
}

// forgive gives the whole budget back: a person looked after the modem.
func (l *ladder) forgive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spent, l.down, l.told = nil, 0, false
	close(l.freed)
	l.freed = make(chan struct{})
}

// awaitForgiven is closed at the next forgive.
func (l *ladder) awaitForgiven() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.freed
}

// evidence gives the last steps in one line, and all incidents.
func (l *ladder) evidence() (last string, all []modem.Incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.incidents); n > 0 {
		last = l.incidents[n-1].Cause + "; " + strings.Join(l.incidents[n-1].Steps, "; ")
	}
	return last, slices.Clone(l.incidents)
}

// shortly writes a time without its zeros.
func shortly(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
