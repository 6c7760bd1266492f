package serial

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// What modems do in the field, and no standard says.

func otherCard() *sim.Card {
	return sim.NewCard(sim.CardOptions{ICCID: "8959807000000000777", IMSI: "748070000000777", Number: "+59899000777"})
}

// Quota and reports belong to the card: messages through the new one must not count for
// the old one.
func TestSIMThatIsSwappedIsNoticed(t *testing.T) {
	t.Run("while the channel is ready", func(t *testing.T) {
		r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor = sim.Quectel }) // which tells +CPIN: READY
		r.run(t)
		r.host.ready(t)
		r.m.RemoveCard()
		r.m.InsertCard(otherCard()) // too fast for any poll to see the empty slot
		r.host.until(t, "the other SIM", func() bool {
			return r.host.ch.ICCID == "8959807000000000777" && r.host.ch.State == gateway.ChannelReady
		})
	})
	t.Run("while a network is awaited", func(t *testing.T) {
		r := newRig(t)
		r.m.SetRegistration(gateway.RegSearching)
		r.run(t)
		r.host.until(t, "the wait for a network", func() bool { return strings.Contains(r.host.ch.Reason, "searching") })
		r.m.RemoveCard()
		r.m.InsertCard(otherCard())
		r.m.SetRegistration(gateway.RegHome)
		r.host.ready(t)
		if r.host.ch.ICCID != "8959807000000000777" {
			t.Errorf("ready with the SIM %s", r.host.ch.ICCID)
		}
	})
}

// A modem that took the PIN may say for some seconds that it wants it. To give it again
// would be refused, and the right PIN be remembered as a wrong one.
func TestPINIsGivenOnceToASIMThatTakesItsTime(t *testing.T) {
	given, lag := 0, 3
	mem := &memory{tried: map[string]bool{}}
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		switch {
		case strings.HasPrefix(cmd, "AT+CPIN="):
			given++
			return "\r\n+CME ERROR: 3\r\n", given > 1
		case cmd == "AT+CPIN?" && given > 0 && lag > 0:
			lag--
			return "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", true
		}
		return "", false
	}), func(o *Options, s *sim.Options) {
		o.Port.PIN, o.PINs = "4711", mem
		s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", PIN: "4711"})
	})
	r.run(t)
	r.host.ready(t)
	o := r.d.o.Open.(*tap)
	o.mu.Lock()
	defer o.mu.Unlock()
	if given != 1 || len(mem.tried) != 0 {
		t.Errorf("the PIN was given %d times", given)
	}
}

// A line that is lost on the wire must not take the message with it.
func TestListWithTornLinesDeletesNothingThatWasNotRead(t *testing.T) {
	lists := 0
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		if cmd != "AT+CMGL=4" {
			return "", false
		}
		lists++
		switch lists {
		case 1:
			return "\r\n+CMGL: 1,1,,23\r\n+CMGL: 2,1,,23\r\n0791959\xff8090000F\r\n\r\nOK\r\n", true
		case 2:
			return "\r\n+CMGL: 1,1,,23\r\n\r\nOK\r\n", true
		}
		return "", false
	}), func(o *Options, _ *sim.Options) { o.Every.Sweep = 30 * time.Millisecond })
	for _, text := range []string{"uno", "dos"} {
		if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t)
	r.host.until(t, "two messages", func() bool { return len(r.host.parts) >= 2 })
	if p := r.host.parts; p[0].Text != "uno" || p[1].Text != "dos" || len(p) != 2 {
		t.Errorf("%+v", p)
	}
}

func TestMessageThatTheModemDoesNotDeleteIsStoredOnce(t *testing.T) {
	refusals := 0
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		if !strings.HasPrefix(cmd, "AT+CMGD=") || refusals == 3 {
			return "", false
		}
		refusals++
		return "\r\n+CMS ERROR: 320\r\n", true
	}), func(o *Options, _ *sim.Options) { o.Every.Sweep = 20 * time.Millisecond })
	if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "Hola"}); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	r.host.ready(t)
	emptied(t, r)
	if len(r.host.parts) != 1 {
		t.Errorf("it was stored %d times", len(r.host.parts))
	}
}

func TestDriverAsksOnceForWhatTheModemDoesNotAnswer(t *testing.T) {
	asked := 0
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		if cmd != "AT+CMMS=2" {
			return "", false
		}
		asked++
		return "", true
	}), func(o *Options, _ *sim.Options) { o.Times.Command = 300 * time.Millisecond })
	r.run(t)
	r.host.ready(t)
	for _, s := range submission(t, "+59899123456", strings.Repeat("x", 600)) {
		if _, err := r.d.Send(bg, 3, s); err != nil {
			t.Fatal(err)
		}
	}
	o := r.d.o.Open.(*tap)
	o.mu.Lock()
	defer o.mu.Unlock()
	if asked != 1 {
		t.Errorf("+CMMS was sent %d times", asked)
	}
}

func TestOperatorNames(t *testing.T) {
	for args, want := range map[string]string{
		`0,0,"Antel",2`:                "Antel",
		`0,0,"Antel"`:                  "Antel",
		`0,0,"T-Mobile, Inc.",7`:       "T-Mobile, Inc.",
		`0,0,"0041006E00740065006C",2`: "Antel", // left in UCS2
		`0,2,"74801",7`:                "74801",
		"0,0,\"Mov\xedstar\",2":        "Mov?star",
		`0,0,Claro`:                    "Claro",
	} {
		if got, _ := operatorName(args); got != want {
			t.Errorf("%s gives %q, want %q", args, got, want)
		}
	}
	if _, ok := operatorName("0"); ok {
		t.Error("no operator gives one")
	}
}

func TestDriverOnEveryKindOfLine(t *testing.T) {
	for name, line := range map[string]sim.Line{
		"slow bytes":    {Pace: 20 * time.Microsecond},
		"a torn prompt": {SplitPrompt: 5 * time.Millisecond},
		"two prompts":   {DoublePrompt: true},
		"terse answers": {Terse: true},
		"all of it":     {Pace: 20 * time.Microsecond, SplitPrompt: time.Millisecond, DoublePrompt: true, Terse: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(_ *Options, s *sim.Options) {
				s.Line = line
				s.Faults = []sim.Fault{{At: 2, Do: sim.Interleave}, {At: 3, Do: sim.Noise}}
			})
			r.run(t)
			r.host.ready(t)
			for i := range 4 {
				rec, err := r.d.Send(bg, 3, submission(t, "+59899123456", fmt.Sprintf("text %d", i))[0])
				if err != nil || !rec.HasMR {
					t.Fatalf("send %d: %+v, %v", i, rec, err)
				}
				if e := r.net.Entries()[i]; e.MR != rec.MR {
					t.Errorf("send %d: TP-MR %d, on the air %d", i, rec.MR, e.MR)
				}
			}
			if n := r.net.Len(); n != 4 {
				t.Errorf("%d on the air", n)
			}
		})
	}
}

func TestReferencesWrap(t *testing.T) {
	r := newRig(t, func(_ *Options, s *sim.Options) {
		s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", NextMR: 254})
	})
	r.run(t)
	r.host.ready(t)
	for _, want := range []uint8{254, 255, 0, 1} {
		rec, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
		if err != nil || rec.MR != want || !rec.HasMR {
			t.Errorf("%+v, %v, want %d", rec, err, want)
		}
	}
}

// A SIM that is full, with more waiting in the network, is emptied while messages go out;
// each comes in once.
func TestFullSIMIsEmptiedWhileMessagesGoOut(t *testing.T) {
	const slots, all = 50, 60
	r := newRig(t, func(_ *Options, s *sim.Options) {
		s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", Number: "+59899000001", Slots: slots})
	})
	for i := range all {
		if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: fmt.Sprintf("in %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.m.Card().Stored(); n != slots {
		t.Fatalf("%d messages in the SIM", n)
	}
	r.run(t)
	r.host.ready(t)
	for range 20 {
		if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
			t.Fatal(err)
		}
	}
	r.host.until(t, "all messages", func() bool { return len(r.host.parts) >= all })
	emptied(t, r)
	times := map[string]int{}
	for _, p := range r.host.parts {
		times[p.Text]++
	}
	if len(times) != all || len(r.host.parts) != all {
		t.Errorf("%d different messages in %d parts, want %d", len(times), len(r.host.parts), all)
	}
}

// hasty ends a run as soon as its port is open.
type hasty struct {
	*recording
	cancel context.CancelFunc
}

func (h hasty) Channel(gateway.Channel) { h.cancel() }

func TestReopeningLeaksNothing(t *testing.T) {
	r := newRig(t)
	fds := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	cycle := func() {
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		if err := r.d.Run(ctx, hasty{r.host, cancel}); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	files, routines := fds(), runtime.NumGoroutine()
	for range 1000 {
		cycle()
	}
	if n := fds(); n > files {
		t.Errorf("%d open files more", n-files)
	}
	if n := runtime.NumGoroutine(); n > routines+2 { // one that just ends may be counted
		t.Errorf("%d goroutines more", n-routines)
	}
}
