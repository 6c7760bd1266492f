package serial

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// startCommands gives every command that a modem is sent until it is ready, without
// arguments, in order.
func startCommands(t *testing.T, v sim.Vendor) []string {
	t.Helper()
	var seen []string
	r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor = v }, tapping(func(cmd string) (string, bool) {
		name := strings.TrimPrefix(cmd, "AT")
		if i := strings.IndexByte(name, '='); i > 0 && i+1 < len(name) {
			name = name[:i+1]
		}
		if !slices.Contains(seen, name) && !strings.Contains(name, "\x1b") {
			seen = append(seen, name)
		}
		return "", false
	}))
	ctx, cancel := context.WithCancel(bg)
	ended := make(chan error, 1)
	go func() { ended <- r.d.Run(ctx, r.host) }()
	r.host.ready(t)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if len(seen) < 25 {
		t.Fatalf("only %q were seen", seen)
	}
	return seen
}

// hangTimes are short: each hang costs a whole climb of the ladder.
var hangTimes = Times{
	Command: 400 * time.Millisecond, Prompt: 400 * time.Millisecond, Submit: 400 * time.Millisecond, Probe: 300 * time.Millisecond,
	Quiet: 10 * time.Millisecond, Restless: 50 * time.Millisecond, Grace: 200 * time.Millisecond,
}

// A modem that hangs in any command of its start is given up with a reason that names it,
// and works again when somebody pulls it out and in. No command is waited for when the
// driver is told to stop.
func TestModemThatHangsInACommandOfItsStart(t *testing.T) {
	cases := map[string]func(*testing.T){}
	for _, cmd := range startCommands(t, sim.Quectel) {
		cases["AT"+cmd] = func(t *testing.T) {
			r := newRig(t, func(o *Options, s *sim.Options) { s.Vendor, o.Times = sim.Quectel, hangTimes })
			hit := make(chan struct{})
			r.m.Hang(sim.Hang{On: onOf(cmd), Hit: hit})
			r.run(t)
			<-hit
			r.host.until(t, "the reason", func() bool {
				return r.host.ch.State != gateway.ChannelReady && strings.Contains(r.host.ch.Reason, "does not answer")
			})
			if err := r.m.Replug(); err != nil {
				t.Fatal(err)
			}
			r.host.ready(t)
			if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		}
	}
	atOnce(t, cases)
}

// atOnce runs cases that mostly wait, all at the same time.
func atOnce(t *testing.T, cases map[string]func(*testing.T)) {
	t.Helper()
	var all sync.WaitGroup
	for name, test := range cases {
		all.Go(func() { t.Run(name, test) })
	}
	all.Wait()
}

// onOf makes of a command what the simulator looks for: a bare AT is one that ends there.
func onOf(cmd string) string {
	if cmd == "" {
		return "E0" // a bare AT begins as every command does: the next one hangs
	}
	return cmd
}

// A modem that hangs in the middle of its work, with half of an answer said or none.
func TestModemThatHangsInItsWork(t *testing.T) {
	send := func(t *testing.T, r *rig) error {
		_, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
		return err
	}
	deliver := func(t *testing.T, r *rig) error {
		return r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "Hola"})
	}
	cases := map[string]func(*testing.T){}
	for name, test := range map[string]struct {
		hang sim.Hang
		do   func(*testing.T, *rig) error
		kind gateway.Kind // of the error of do
		air  int          // messages on the air in the end
	}{
		"before the prompt":      {sim.Hang{On: "+CMGS"}, send, gateway.KindUnavailable, 0},
		"behind half the prompt": {sim.Hang{On: "+CMGS", Said: 1}, send, gateway.KindUnavailable, 0},
		"behind the message":     {sim.Hang{On: sim.Payload}, send, gateway.KindUnknownOutcome, 0},
		"in the list":            {sim.Hang{On: "+CMGL", Said: 30}, deliver, gateway.KindNone, 0},
		"in a reading":           {sim.Hang{On: "+CMGR", Said: 40}, deliver, gateway.KindNone, 0},
		"in the deletion":        {sim.Hang{On: "+CMGD"}, deliver, gateway.KindNone, 0},
		"in a dialogue": {sim.Hang{On: "+CUSD"}, func(t *testing.T, r *rig) error {
			_, err := r.d.USSD(bg, 3, "*100#")
			return err
		}, gateway.KindUnavailable, 0},
		"in an unsolicited line": {sim.Hang{}, func(t *testing.T, r *rig) error {
			r.m.Garbage([]byte("\r\n+CUSD: 1,\"half of a men"))
			r.m.Hang(sim.Hang{})
			return send(t, r)
		}, gateway.KindUnavailable, 0},
		"with a message on the air": {sim.Hang{}, func(t *testing.T, r *rig) error {
			r.m.Inject(sim.Fault{At: 1, Do: sim.HangAfter})
			return send(t, r)
		}, gateway.KindUnknownOutcome, 1},
	} {
		cases[name] = func(t *testing.T) {
			r := newRig(t, func(o *Options, _ *sim.Options) {
				o.Times, o.Every.Poll, o.Every.Sweep = hangTimes, 100*time.Millisecond, 150*time.Millisecond
			})
			r.run(t)
			r.host.ready(t)
			if test.hang.On != "" {
				r.m.Hang(test.hang)
			}
			if err := test.do(t, r); gateway.KindOf(err) != test.kind {
				t.Errorf("got %v of kind %s, want %s", err, gateway.KindOf(err), test.kind)
			}
			r.host.until(t, "the reason", func() bool { return strings.Contains(r.host.ch.Reason, "does not answer") })
			if err := r.m.Replug(); err != nil {
				t.Fatal(err)
			}
			r.host.ready(t)
			if strings.HasPrefix(test.hang.On, "+CMG") && test.hang.On != "+CMGS" {
				r.host.until(t, "the message", func() bool { return len(r.host.parts) > 0 })
				emptied(t, r)
			}
			if n := r.net.Len(); n != test.air {
				t.Errorf("%d on the air, want %d", n, test.air)
			}
			if all := r.d.Trace(3).Incidents; len(all) == 0 || len(all[0].Steps) == 0 || len(all[0].Lines) == 0 {
				t.Errorf("evidence %+v", all)
			}
		}
	}
	atOnce(t, cases)
}

// Whatever hangs, the end of a run does not wait for it.
func TestHungModemDoesNotHoldUpTheStop(t *testing.T) {
	slow := hangTimes
	slow.Command, slow.Prompt, slow.Submit, slow.Probe = time.Hour, time.Hour, time.Hour, time.Hour
	for name, on := range map[string]string{"identity": "+CGMI", "SIM": "+CPIN", "list": "+CMGL", "registration": "+CREG?", "prompt": "+CMGS", "message": sim.Payload, "dialogue": "+CUSD"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(o *Options, _ *sim.Options) { o.Times = slow })
			ctx, cancel := context.WithCancel(bg)
			ended := make(chan error, 1)
			var calls sync.WaitGroup
			hit := make(chan struct{})
			work := on == "+CMGS" || on == sim.Payload || on == "+CUSD"
			if !work {
				r.m.Hang(sim.Hang{On: on, Hit: hit})
			}
			go func() { ended <- r.d.Run(ctx, r.host) }()
			if work {
				r.host.ready(t)
				r.m.Hang(sim.Hang{On: on, Hit: hit})
				calls.Go(func() {
					if on == "+CUSD" {
						_, _ = r.d.USSD(bg, 3, "*100#")
						return
					}
					_, _ = r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
				})
			}
			<-hit
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the run goes on")
			}
			calls.Wait() // they return by themselves: the port is gone
		})
	}
}

// One that hangs costs the others nothing: they send while it is climbed for.
func TestHungModemHoldsNoOther(t *testing.T) {
	t.Parallel()
	f := NewFinder()
	hung := newRig(t, func(o *Options, _ *sim.Options) { o.Times, o.Finder = hangTimes, f })
	var others []*rig
	for i := range 3 {
		others = append(others, newRig(t, func(o *Options, s *sim.Options) {
			o.Finder = f
			s.IMEI = []string{"860000000000114", "860000000000122", "860000000000130"}[i]
		}))
	}
	for _, r := range append(others, hung) {
		r.run(t)
		r.host.ready(t)
	}
	hung.m.Hang(sim.Hang{})
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		_, _ = hung.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
	}()
	var all sync.WaitGroup
	for _, r := range others {
		all.Go(func() {
			for range 20 {
				if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	<-sending
}
