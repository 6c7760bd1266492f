package at

import (
	"strings"
	"time"
)

// Times are how long a session waits.
type Times struct {
	Command  time.Duration // for the answer to any command; 0 = by command, see limits
	Prompt   time.Duration // for the prompt of AT+CMGS
	Submit   time.Duration // behind the prompt, for the network
	Probe    time.Duration // for the answer to a probe
	Quiet    time.Duration // without a byte, before a probe (A4)
	Restless time.Duration // for that quiet to come
	Grace    time.Duration // for the library to hand back a command that was given up
}

// standard are the times for real modems. A network answers AT+CMGS within 45 s or
// not at all (TR1M of TS 24.011 §10), but modems try again by themselves.
var standard = Times{
	Prompt: 10 * time.Second, Submit: 120 * time.Second, Probe: 2 * time.Second,
	Quiet: 300 * time.Millisecond, Restless: 3 * time.Second, Grace: time.Second,
}

// limits are the times of commands by the beginning of their name, the first that fits.
var limits = []struct {
	prefix string
	limit  time.Duration
}{
	{"+COPS?", 10 * time.Second},
	{"+COPS=?", 180 * time.Second},
	{"+COPS=3", 10 * time.Second},
	{"+COPS=", 180 * time.Second},
	{"+CPIN=", 15 * time.Second},
	{"+CPIN", 5 * time.Second},
	{"+CMGL", 60 * time.Second},
	{"+CMGR", 10 * time.Second},
	{"+CMGD", 25 * time.Second},
	{"+CPMS", 10 * time.Second},
	{"+CNMI", 10 * time.Second},
	{"+CSMS", 10 * time.Second},
	{"+CSCA", 10 * time.Second},
	{"+CFUN", 15 * time.Second},
	{"+CUSD", 10 * time.Second},
	{"+CIMI", 5 * time.Second},
	{"+CG", 5 * time.Second},
	{"", 3 * time.Second},
}

// or gives t with the zero times taken from d.
func (t Times) or(d Times) Times {
	for _, f := range []struct{ to, from *time.Duration }{
		{&t.Prompt, &d.Prompt}, {&t.Submit, &d.Submit}, {&t.Probe, &d.Probe},
		{&t.Quiet, &d.Quiet}, {&t.Restless, &d.Restless}, {&t.Grace, &d.Grace},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	return t
}

func (t Times) of(cmd string) time.Duration {
	if t.Command > 0 {
		return t.Command
	}
	for _, l := range limits {
		if strings.HasPrefix(cmd, l.prefix) {
			return l.limit
		}
	}
	return t.Probe
}

// SendLimit is how long a Submit lasts at most, once it has its turn: prompt,
// answer, and two tries to come back to sync.
func (t Times) SendLimit() time.Duration {
	t = t.or(standard)
	return t.Prompt + t.Submit + t.Grace + syncTries*(t.Restless+t.Probe+2*t.Grace)
}
