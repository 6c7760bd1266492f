package spool

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

// The dialer has looked, and the STOP is on disk before its intent is.
func TestNoIntentIsWrittenAfterAnOptOut(t *testing.T) {
	for name, tc := range map[string]struct {
		begun  bool // its first segment is out
		exempt bool
		want   gateway.Status
	}{
		"of a new message":           {want: gateway.StatusBlocked},
		"of the rest of a message":   {begun: true, want: gateway.StatusBlocked},
		"but that of a confirmation": {exempt: true, want: gateway.StatusSubmitting},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := openJudging(t)
			m := text("camp", string(from))
			m.Segments, m.Created = 2, c.now().Add(time.Hour)
			idm := add(t, s, m)
			next := intent(idm, 1)
			if tc.begun {
				send(t, s, next, Outcome{MR: 1, HasMR: true})
				next.Segment = 2
			}
			says(t, s, c, from, "STOP")
			before, err := s.SIMUsage(next.SIM, c.now())
			must(t, err)
			next.Exempt, next.At = tc.exempt, c.now()
			r := step(t, s, Step{Intents: []Intent{next}})
			if gone := len(r.Gone) == 1; gone == tc.exempt {
				t.Errorf("the intent is gone: %t", gone)
			}
			wantStatus(t, s, idm, tc.want)
			after, err := s.SIMUsage(next.SIM, c.now())
			must(t, err)
			if charged := after.Day != before.Day; charged != tc.exempt {
				t.Errorf("the SIM is charged: %t", charged)
			}
			hits, _, err := s.Hits("", 10)
			must(t, err)
			if n := len(hits); (n == 1) == tc.exempt || n == 1 && !hits[0].OptOut {
				t.Errorf("the history of the blacklist: %+v", hits)
			}
		})
	}
}

// A row that waits to be sent again stays in doubt about its first try.
func TestAnOptOutDoesNotEndADoubt(t *testing.T) {
	s, c := openJudging(t)
	idm := resending(t, s, 1)
	must(t, s.Blacklist(bg, Listed{Number: to1, OptOut: true, Source: "ana"}))
	c.add(time.Hour)
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	wantStatus(t, s, idm, gateway.StatusUnknown)
}

// The confirmation of a start waits for its channel, and its customer says stop again.
func TestOnlyWhatCameAfterAnOptOutPassesIt(t *testing.T) {
	s, c := openJudging(t)
	confirm := func() uint64 {
		c.add(time.Second)
		m := text("@bank", string(from))
		m.Created = c.now()
		return add(t, s, m)
	}
	says(t, s, c, from, "STOP")
	says(t, s, c, from, "START")
	start := confirm()
	says(t, s, c, from, "STOP")
	stop := confirm()
	for idm, want := range map[uint64]gateway.Status{start: gateway.StatusBlocked, stop: gateway.StatusSubmitting} {
		in := intent(idm, 1)
		in.Exempt = true
		step(t, s, Step{Intents: []Intent{in}})
		wantStatus(t, s, idm, want)
	}
}
