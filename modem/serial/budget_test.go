package serial

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/sim"
)

// deadTimes are for modems from which no answer is awaited in earnest.
var deadTimes = Times{
	Command: 150 * time.Millisecond, Prompt: 150 * time.Millisecond, Submit: 150 * time.Millisecond, Probe: 100 * time.Millisecond,
	Quiet: 5 * time.Millisecond, Restless: 20 * time.Millisecond, Grace: 200 * time.Millisecond,
}

// A modem that stays dead is restarted as often as the budget says, and then rests, with
// one alarm that holds the evidence. It is looked at now and then, and works again as
// soon as it answers.
func TestModemThatStaysDeadRestsWithAnAlarm(t *testing.T) {
	t.Parallel()
	alarms := make(chan string, 64)
	var restarts int
	var cut bool // under the tap's lock
	r := newRig(t, func(o *Options, _ *sim.Options) {
		o.Times = deadTimes
		o.Budget = Budget{Revivals: 2, Within: time.Hour, Rest: 30 * time.Millisecond}
		o.Alarm = func(reason string) { alarms <- reason }
	}, tapping(func(cmd string) (string, bool) {
		if cmd == "AT+CFUN=1,1" {
			restarts++
		}
		return "", cut
	}))
	r.run(t)
	r.host.ready(t)
	tap := r.d.o.Open.(*tap)
	tap.mu.Lock()
	cut = true
	tap.mu.Unlock()
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v", err)
	}
	var c gateway.Channel
	r.host.until(t, "the rest", func() bool { c = r.host.ch; return c.State == gateway.ChannelResting })
	if c.Until.IsZero() || !strings.Contains(c.Reason, "2 restarts within 1h did not help") {
		t.Errorf("rests until %s: %s", c.Until, c.Reason)
	}
	got := <-alarms
	for _, want := range []string{"2 restarts within 1h", at.RungAT, at.RungRadio, at.RungRestart} {
		if !strings.Contains(got, want) {
			t.Errorf("the alarm %q lacks %q", got, want)
		}
	}
	looks := len(r.host.seen())
	r.host.until(t, "another look and another rest", func() bool {
		later := r.host.states[looks:]
		i := slices.Index(later, gateway.ChannelStarting)
		return i >= 0 && slices.Contains(later[i:], gateway.ChannelResting)
	})
	tap.mu.Lock()
	cut = false
	tap.mu.Unlock()
	r.host.ready(t)
	if n := len(alarms); n != 0 {
		t.Errorf("%d alarms too many", n)
	}
	tap.mu.Lock()
	defer tap.mu.Unlock()
	if restarts != 2 {
		t.Errorf("it was restarted %d times", restarts)
	}
}

// dying is a modem behind a wire that can be cut.
func dying(cut *atomic.Bool) tweak {
	return tapping(func(string) (string, bool) { return "", cut.Load() })
}

func TestResetEndsTheRestOfAModem(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	r := newRig(t, func(o *Options, _ *sim.Options) {
		o.Times = deadTimes
		o.Budget = Budget{Revivals: 1, Within: time.Hour, Rest: time.Hour}
	}, dying(&cut))
	r.run(t)
	r.host.ready(t)
	cut.Store(true)
	_, _ = r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
	r.host.until(t, "the rest", func() bool { return r.host.ch.State == gateway.ChannelResting })
	cut.Store(false)
	if err := r.d.Reset(bg, 3); err != nil {
		t.Fatal(err)
	}
	r.host.ready(t)
}

// Who pulls a modem out and puts it in again need not wait for the end of its rest.
func TestPullingAModemOutEndsItsRest(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options, _ *sim.Options) {
		o.Times = deadTimes
		o.Budget = Budget{Revivals: 1, Within: time.Hour, Rest: time.Hour}
	})
	r.run(t)
	r.host.ready(t)
	r.m.Hang(sim.Hang{})
	_, _ = r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
	r.host.until(t, "the rest", func() bool { return r.host.ch.State == gateway.ChannelResting })
	r.m.Unplug()
	r.host.until(t, "that it is gone", func() bool { return strings.Contains(r.host.ch.Reason, "no such device") })
	if err := r.m.Replug(); err != nil {
		t.Fatal(err)
	}
	r.host.ready(t)
}

// A modem that answers everything but messages has a radio that is stuck.
func TestModemThatAnswersNoMessageHasItsRadioSwitched(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 16)
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		if strings.HasPrefix(cmd, "AT+CFUN=") {
			seen <- cmd
		}
		return "", false
	}))
	r.run(t)
	r.host.ready(t)
	for range maxMute {
		r.m.Inject(sim.Fault{At: 1, Do: sim.Silence})
		if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("got %v", err)
		}
	}
	if a, b := <-seen, <-seen; a != "AT+CFUN=4" || b != "AT+CFUN=1" {
		t.Errorf("it was told %q and %q", a, b)
	}
	r.host.until(t, "ready", func() bool {
		return r.host.ch.State == gateway.ChannelReady && len(r.d.Trace(3).Incidents) == 1
	})
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestModemThatFindsNoNetworkForLongHasItsRadioSwitched(t *testing.T) {
	seen := make(chan string, 16)
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Every.Offline = 50 * time.Millisecond }, tapping(func(cmd string) (string, bool) {
		if strings.HasPrefix(cmd, "AT+CFUN=") {
			seen <- cmd
		}
		return "", false
	}))
	r.m.SetRegistration(gateway.RegSearching)
	r.run(t)
	if got := <-seen; got != "AT+CFUN=4" {
		t.Errorf("it was told %q", got)
	}
	r.m.SetRegistration(gateway.RegHome)
	r.host.ready(t)
}

// Another program left the radio off: nothing would ever be found.
func TestRadioThatWasLeftOffIsSwitchedOn(t *testing.T) {
	r := newRig(t)
	conn, err := at.Ports{}.Open(r.m.Device(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "ATE0;+CFUN=4\r"); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "OK"); {
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	r.run(t)
	r.host.ready(t)
}

func TestBudgetIsThatOfTheLastHour(t *testing.T) {
	l := newLadder(Budget{Revivals: 2, Within: time.Hour, Rest: time.Minute})
	start := time.Now()
	costs := []at.Step{{Rung: at.RungAT, Err: at.ErrNoAnswer}, {Rung: at.RungRestart, Err: at.ErrNoAnswer}}
	for i := range 2 {
		if l.gentle(start) {
			t.Errorf("nothing is left after %d", i)
		}
		l.climbed(start.Add(time.Duration(i)*time.Minute), modem.Incident{Cause: "no answer"}, costs, false)
	}
	if d, _, first := l.rest(start.Add(2 * time.Minute)); d != time.Minute || !first {
		t.Errorf("rests %s, first %t", d, first)
	}
	if d, _, first := l.rest(start.Add(3 * time.Minute)); d != time.Minute || first {
		t.Errorf("rests %s, first %t", d, first)
	}
	if d, _, _ := l.rest(start.Add(61 * time.Minute)); d != 0 {
		t.Errorf("rests %s an hour later", d)
	}
	if l.gentle(start.Add(61 * time.Minute)) {
		t.Error("nothing is left an hour later")
	}
}

func TestGentleRungsCostNothing(t *testing.T) {
	l := newLadder(Budget{Revivals: 1})
	now := time.Now()
	for range 50 {
		l.climbed(now, modem.Incident{}, []at.Step{{Rung: at.RungAT}}, true)
	}
	if _, all := l.evidence(); l.gentle(now) || len(all) != maxIncidents {
		t.Errorf("gentle %t, %d incidents", l.gentle(now), len(all))
	}
}
