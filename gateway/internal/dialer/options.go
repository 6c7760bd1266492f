package dialer

import (
	"context"
	"log/slog"
	"regexp"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// Queue is the part of the spool that sending needs.
type Queue interface {
	// Claim is called with Peek, by the loop; Ready waits for a sync, beside it.
	Claim(c spool.Claim) (spool.Claimed, error)
	Ready(campaign string, damaged uint64) error
	// Step commits and calls done once, from another goroutine or this one.
	Step(st spool.Step, done func(spool.Stepped))
	Cursor(dialer string) (port int, ok bool, err error)
	NextUserID() uint32
}

// Meter tells what a SIM has sent.
type Meter interface {
	SIMUsage(sim string, now time.Time) (spool.Usage, error)
	KnowsRecipient(sim string, to gateway.Address, now time.Time) (bool, error)
	SIMRecord(sim string) (spool.SIMRecord, error)
}

// Blacklist tells who must not be sent to.
type Blacklist interface {
	Listed(to gateway.Address, campaign string) (listed, optOut bool, err error)
}

// Channels is the bank of channels.
type Channels interface {
	Channels() []gateway.Channel
	Watch() <-chan struct{}
	Send(ctx context.Context, id string, s modem.Submission) (modem.Receipt, error)
	Rest(id string, d time.Duration, reason string)
	Limits(id string) (modem.Limits, bool)
}

// Definitions say which lanes there are.
type Definitions interface {
	Lanes() []Lane
	// Watch gives a channel that is closed at the next change of Lanes.
	Watch() <-chan struct{}
}

// Lane is what a message's campaign names, in so far as sending needs it: a
// dialer, or a campaign without one.
type Lane struct {
	Name     string
	Provider string
	Ports    []int // the ring, in order; nil = all of the provider's ports, ascending
	// Choice is which of the ring's channels takes a message: gateway.ChoiceRing, ...; "" = ring.
	Choice string
	// Interval is the least time between the starts of two messages, to the timer's
	// precision; 0 = none. The segments of one message follow each other without it.
	Interval  time.Duration
	Schedule  gateway.Schedule
	Zone      *time.Location            // of Schedule; nil = UTC
	Running   bool                      // enabled, started where it can be stopped, and without a fault
	Fault     string                    // why it can never run as it is defined, in words; "" = nothing
	DNCR      bool                      // consult the blacklist; opt-outs are always honoured
	Exempt    bool                      // not even opt-outs of before the row: it carries their confirmations, and nothing else
	Batch     int                       // rows in memory, 1 to gateway.MaxBatch; 0 = MaxBatch
	Pattern   *regexp.Regexp            // that a number must match whole; nil = any number
	Rate      float64                   // messages a second over all lanes of the provider; 0 = no limit
	Limits    gateway.Limits            // of each SIM
	SIMLimits map[string]gateway.Limits // of single SIMs, by gateway.Channel.SIMKey: instead of Limits
	Report    bool                      // ask for delivery reports
	Sender    string                    // where the device lets us choose
}

// limits gives what one SIM may send.
func (l *Lane) limits(sim string) gateway.Limits {
	if own, ok := l.SIMLimits[sim]; ok {
		return own
	}
	return l.Limits
}

// Options are a dialer's settings. The first five are required; the spool
// satisfies the first three.
type Options struct {
	Queue       Queue
	Meter       Meter
	Blacklist   Blacklist
	Channels    Channels
	Definitions Definitions

	// SIMs tell what is known of the cards; nil = nothing is.
	SIMs SIMs

	Now    func() time.Time // stamps and compares wall time; nil = time.Now
	Logger *slog.Logger     // nil = none
	// Zone is where a SIM's day and month begin, as in spool.Options; nil = UTC.
	Zone *time.Location
	// Trusted says whether the clock is believed; nil = always. While it is not,
	// schedules with a window are closed, and quota windows and ends of validity wait.
	Trusted func() bool
	// Attempts is how often a message is tried that no channel can take now; 0 = 5.
	Attempts int
}

func (o *Options) defaults() {
	if o.SIMs == nil {
		o.SIMs = noSIMs{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Trusted == nil {
		o.Trusted = func() bool { return true }
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
}
