package serial

import (
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestClockOfTheNetworkIsReadInEveryZone(t *testing.T) {
	want := time.Date(2026, 11, 22, 17, 45, 1, 0, time.UTC)
	for _, args := range []string{
		`"26/11/22,14:45:01-12"`, `"26/11/22,17:45:01+00"`, `"26/11/22,23:30:01+23"`, `"2026/11/22,14:45:01-12"`, `26/11/22,14:45:01-12`,
	} {
		if got, ok := parseClock(args); !ok || !got.Equal(want) {
			t.Errorf("%s is %s, %t; want %s", args, got, ok, want)
		}
	}
}

func TestClockThatNeverHeardTheNetworkIsNone(t *testing.T) {
	for _, args := range []string{
		`"80/01/06,00:00:17+00"`, `"70/01/01,00:00:00+00"`, `"04/01/01,00:12:00+00"`, `"00/01/01,00:00:00+00"`, `"15/01/01,00:00:00+00"`,
		`"1980/01/06,00:00:17+00"`, `"26/11/22,14:45:01"`, `"26/11/22,14:45:01+99"`, `"26/13/22,14:45:01+00"`, `"26/11/22,14:45"`, ``, `"`, `+`, `"26/11/22,14:45:01+"`, `"26/11/22,14:45:01-1x"`,
	} {
		if got, ok := parseClock(args); ok || !got.IsZero() {
			t.Errorf("%s is taken for %s", args, got)
		}
	}
}

// The box's clock is 90 s behind the network's; a modem of each dialect tells it.
func TestDriverTellsHowFarTheNetworkIsAhead(t *testing.T) {
	for _, v := range sim.Vendors() {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			zone := time.FixedZone("", -3*60*60)
			r := newRigOn(t, sim.NetworkOptions{Now: func() time.Time { return time.Now().Add(90 * time.Second).In(zone) }},
				func(_ *Options, s *sim.Options) { s.Vendor = v })
			r.run(t)
			r.host.ready(t)
			c := r.host.now()
			if off := c.Ahead - 90*time.Second; c.ClockAt.IsZero() || off.Abs() > 2*time.Second {
				t.Errorf("asked at %s, ahead %s", c.ClockAt, c.Ahead)
			}
		})
	}
}

func TestClockFollowsWhetherTheNetworkTellsIt(t *testing.T) {
	r := newRig(t)
	r.m.SetTold(false)
	r.run(t)
	r.host.ready(t)
	if c := r.host.now(); !c.ClockAt.IsZero() || c.Ahead != 0 {
		t.Errorf("a modem of 1980 gives %s at %s", c.Ahead, c.ClockAt)
	}
	r.m.SetTold(true)
	r.m.URC("+CTZV: -12")
	r.host.until(t, "the network's time", func() bool { return !r.host.ch.ClockAt.IsZero() })
	if c := r.host.now(); c.State != gateway.ChannelReady {
		t.Errorf("the channel is %s", c.State)
	}
}
