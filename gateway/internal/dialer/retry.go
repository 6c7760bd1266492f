package dialer

import (
	"time"

	"fieldpost/gateway"
)

// rule says what an outcome of one kind means for the message and its channel.
type rule struct {
	sent  bool            // it may have gone out: the spool's policy decides, never a retry
	waits []time.Duration // before the next tries; the last one repeats; none = final
	tries int             // of one message; 0 = Options.Attempts
	rest  time.Duration   // of the channel, doubled with each further fault in a row; 0 = none
	after int             // faults in a row from which the channel rests
	fault bool            // counts against the channel rather than as a refusal
}

// maxRest bounds the rest of a channel that goes on failing.
const maxRest = 10 * time.Minute

// refusalsInARow is how many messages in a row one channel may have refused
// before it rests: a SIM without credit refuses everything, and would use up a base.
const refusalsInARow = 10

// ruleFor is the retry table. A message that nothing took goes back at once to
// the front, for another channel; when that fails too it waits longer each time,
// so that an outage of all channels does not use up the tries of the first rows.
func ruleFor(k gateway.Kind) rule {
	switch k {
	case gateway.KindRefused, gateway.KindInvalid:
		return rule{rest: time.Minute, after: refusalsInARow}
	case gateway.KindThrottled:
		return rule{
			waits: []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute},
			tries: 20, rest: 5 * time.Second, after: 1, fault: true,
		}
	case gateway.KindUnavailable:
		return rule{
			waits: []time.Duration{0, 5 * time.Second, 30 * time.Second, 2 * time.Minute},
			rest:  2 * time.Second, after: 1, fault: true,
		}
	case gateway.KindUnauthorized, gateway.KindForbidden, gateway.KindNotFound, gateway.KindConflict:
		// Nothing went out, and a person must mend the account or the address.
		return rule{
			waits: []time.Duration{0, 30 * time.Second, 2 * time.Minute, 10 * time.Minute},
			rest:  time.Minute, after: 1, fault: true,
		}
	}
	// In doubt. Three in a row look like a channel that answers nobody.
	return rule{sent: true, rest: 30 * time.Second, after: 3, fault: true}
}

// Retry is the retry table for who learns of an outcome in another way: when a message is
// tried again after its nth try, n from 1, ended with a kind, and whether it is at all.
// attempts is Options.Attempts.
func Retry(k gateway.Kind, n, attempts int) (wait time.Duration, again bool) {
	r := ruleFor(k)
	return r.again(n, attempts)
}

// again gives when a message is tried again after its nth try, n from 1, and
// whether it is at all.
func (r *rule) again(n, attempts int) (wait time.Duration, ok bool) {
	if r.tries > 0 {
		attempts = r.tries
	}
	if len(r.waits) == 0 || n >= attempts {
		return 0, false
	}
	return r.waits[min(n, len(r.waits))-1], true
}

// restFor gives how long a channel rests after n faults in a row. A device's own
// hint is what the first rest takes, and is never cut short.
func (r *rule) restFor(n int, hint time.Duration) time.Duration {
	if r.rest == 0 || n < r.after || n == r.after && hint > 0 {
		return hint
	}
	d := r.rest
	for ; n > r.after && d < maxRest; n-- {
		d *= 2
	}
	return max(min(d, maxRest), hint)
}
