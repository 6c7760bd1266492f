package serial

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestFillIsThatOfTheMemoryWhereMessagesAreKept(t *testing.T) {
	for args, want := range map[string]memoryFill{
		`"ME",1,23,"SM",3,20,"SM",3,20`: {"SM", 3, 20},
		`"SM",3,20`:                     {"SM", 3, 20},
		`"MT",4,43,"MT",4,43`:           {"MT", 4, 43}, // it knows no other
		`"SM", 20, 20, "SM",20,20`:      {"SM", 20, 20},
		`"SM",30,20,"ME",1,23`:          {"ME", 1, 23}, // torn on the way
		`"SM",3`:                        {},
		`"SM",x,20`:                     {},
		`"SM",0,0`:                      {},
		``:                              {},
	} {
		got, ok := parseFill(args, "SM")
		if got != want || ok != (want.total > 0) {
			t.Errorf("%s gives %+v, %t", args, got, ok)
		}
	}
}

func TestFillIsToldAtTheStartAndAfterEachSweep(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Every.Sweep = 20 * time.Millisecond })
	r.run(t)
	r.host.ready(t)
	if c := r.host.now(); c.Stored != 0 || c.Storage != 20 {
		t.Errorf("%d of %d", c.Stored, c.Storage)
	}
	r.host.change(func() { r.host.refuse = errors.New("the disk is full") })
	if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "Hola"}); err != nil {
		t.Fatal(err)
	}
	r.host.until(t, "one of 20", func() bool { return r.host.ch.Stored == 1 && r.host.ch.Storage == 20 })
	r.host.change(func() { r.host.refuse = nil })
	r.host.until(t, "none of 20", func() bool { return r.host.ch.Stored == 0 })
}

// A memory that fills up because nothing can be stored is an alarm, once; and another one
// only after it was well again.
func TestMemoryThatDoesNotEmptyIsOneAlarm(t *testing.T) {
	alarms := make(chan string, 64)
	r := newRig(t, func(o *Options, _ *sim.Options) {
		o.Every.Sweep = 20 * time.Millisecond
		o.Alarm = func(reason string) { alarms <- reason }
	})
	r.run(t)
	r.host.ready(t)
	for round := range 2 {
		r.host.change(func() { r.host.refuse = errors.New("the disk is full") })
		for i := range 15 {
			if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: fmt.Sprintf("%d of round %d", i, round)}); err != nil {
				t.Fatal(err)
			}
		}
		r.host.until(t, "15 of 20", func() bool { return r.host.ch.Stored == 15 })
		if got := <-alarms; !strings.Contains(got, "SM holds") || !strings.Contains(got, "of 20 and does not empty") {
			t.Errorf("the alarm says %q", got)
		}
		r.host.change(func() { r.host.refuse = nil })
		r.host.until(t, "an empty memory", func() bool { return r.host.ch.Stored == 0 && len(r.host.parts) == 15*(round+1) })
	}
	if n := len(alarms); n != 0 {
		t.Errorf("%d alarms too many: %q", n, <-alarms)
	}
	if c := r.host.now(); c.State != gateway.ChannelReady {
		t.Errorf("the channel is %s", c.State)
	}
}

// A SIM that is full takes nothing and says so to nobody: the sweep empties it, and what
// waited in the network comes.
func TestFullMemoryIsSweptWithoutBeingAnnounced(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Every.Poll = 20 * time.Millisecond })
	r.run(t)
	r.host.ready(t)
	l := r.d.run.Load()
	if _, err := l.s.Command(bg, "+CNMI=0,0,0,0,0"); err != nil { // no +CMTI from here on
		t.Fatal(err)
	}
	for i := range 25 {
		if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: fmt.Sprint("in ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	r.host.until(t, "all that the SIM held", func() bool { return len(r.host.parts) >= 20 })
}

// A place that holds no TPDU would take up its room for ever: what it says the same way
// three times is kept raw, and deleted.
func TestPlaceThatHoldsNoTPDUIsKeptRawAndDeleted(t *testing.T) {
	for name, place := range map[string]string{
		"no hex":       "+CMGL: 7,1,,23\r\nhello world\r\n",
		"wrong length": "+CMGL: 7,1,,99\r\n07919598090000F0040B919598193254F600006211224154102904C8373B0C\r\n",
		"nothing":      "+CMGL: 7,1,,0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			deleted := make(chan struct{}, 8)
			gone := false
			r := newRig(t, tapping(func(cmd string) (string, bool) {
				switch {
				case cmd == "AT+CMGL=4" && !gone:
					return "\r\n" + place + "\r\nOK\r\n", true
				case cmd == "AT+CMGD=7":
					gone = true
					deleted <- struct{}{}
				}
				return "", false
			}))
			r.run(t)
			r.host.ready(t)
			<-deleted
			want := 1
			if name == "nothing" {
				want = 0 // there is nothing to keep
			}
			r.host.until(t, "what it held", func() bool { return len(r.host.parts) == want })
			if want == 1 && !strings.Contains(strings.ToLower(r.host.parts[0].Raw), strings.ToLower(strings.Split(place, "\r\n")[1])) {
				t.Errorf("kept %+v", r.host.parts[0])
			}
		})
	}
}

// A line that noise took away is no reason to delete its message, however often.
func TestPlaceWhoseLineIsLostIsNotDeleted(t *testing.T) {
	lists := make(chan struct{}, 256)
	r := newRig(t, tapping(func(cmd string) (string, bool) {
		if cmd == "AT+CMGL=4" {
			lists <- struct{}{}
			return "\r\n+CMGL: 7,1,,23\r\n\r\nOK\r\n", true
		}
		if strings.HasPrefix(cmd, "AT+CMGD") {
			t.Error("it was deleted")
		}
		return "", false
	}), func(o *Options, _ *sim.Options) { o.Every.Sweep = 5 * time.Millisecond })
	r.run(t)
	r.host.ready(t)
	for range 10 {
		<-lists
	}
}
