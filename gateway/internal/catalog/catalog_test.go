package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestP4CampaignNeedsAnExistingProvider(t *testing.T) {
	c := open(t, newMemory())
	v := campaign("alerts")
	v.Provider = "none"
	_, err := c.PutCampaign(t.Context(), v)
	refused(t, err, gateway.KindInvalid, "provider")
	if !strings.Contains(err.Error(), "rack") {
		t.Errorf("%v does not say which provider there is", err)
	}
	v.Provider = ""
	_, err = c.PutCampaign(t.Context(), v)
	refused(t, err, gateway.KindInvalid, "provider")
}

func TestCampaignWithoutAProviderGetsTheDefaultOne(t *testing.T) {
	c := open(t, newMemory())
	p := bank()
	p.Default = true
	must[Provider](t)(c.PutProvider(t.Context(), p))
	v := campaign("alerts")
	v.Provider = ""
	if got := must[Campaign](t)(c.PutCampaign(t.Context(), v)); got.Provider != "bank" {
		t.Errorf("provider is %q", got.Provider)
	}
}

func TestP5P42NamesAreUniqueAndPlain(t *testing.T) {
	c := open(t, newMemory())
	for _, name := range []string{"", "a b", "a/b", "ñ", strings.Repeat("x", 65)} {
		_, err := c.PutCampaign(t.Context(), campaign(name))
		refused(t, err, gateway.KindInvalid, "name")
		_, err = c.PutDialer(t.Context(), dialer(name))
		refused(t, err, gateway.KindInvalid, "name")
	}
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a"))) // it is the campaign's
	_, err := c.PutCampaign(t.Context(), campaign("a"))
	refused(t, err, gateway.KindConflict, "name")
	_, err = c.PutDialer(t.Context(), dialer("a"))
	refused(t, err, gateway.KindConflict, "name")
}

func TestAnotherRevisionIsAConflict(t *testing.T) {
	c := open(t, newMemory())
	v := must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	v.Zone = "America/Montevideo"
	must[Campaign](t)(c.PutCampaign(t.Context(), v))
	_, err := c.PutCampaign(t.Context(), v)
	refused(t, err, gateway.KindConflict, "revision")
	v.Name = "gone"
	_, err = c.PutCampaign(t.Context(), v)
	refused(t, err, gateway.KindNotFound, "")
}

func TestP45ToP48DialString(t *testing.T) {
	c := open(t, newMemory())
	for _, s := range []string{"", "32", "3-0", "a"} {
		d := dialer("bulk")
		d.DialString = s
		_, err := c.PutDialer(t.Context(), d)
		refused(t, err, gateway.KindInvalid, "dial_string")
	}
	if err := checkDialString("", &gateway.Provider{Type: "Twilio"}); err != nil {
		t.Errorf("a cloud's empty dial string is refused: %v", err)
	}
	refused(t, checkDialString("0", &gateway.Provider{Type: "Quality"}), gateway.KindInvalid, "dial_string")
}

func TestP45DialStringNamesAPortOfTheProvider(t *testing.T) {
	c := open(t, newMemory())
	p := bank() // port 3
	p = must[Provider](t)(c.PutProvider(t.Context(), p))
	d := dialer("bulk")
	d.Provider = "bank"
	for _, s := range []string{"0", "(0.2)", "4,5"} {
		d.DialString = s
		_, err := c.PutDialer(t.Context(), d)
		refused(t, err, gateway.KindInvalid, "dial_string")
		if !strings.Contains(fmt.Sprint(err), "provider bank, which has port 3 only") {
			t.Errorf("%v does not say which port there is", err)
		}
	}
	d.DialString = "(0.3)"
	must[Dialer](t)(c.PutDialer(t.Context(), d))
	if l := must[Lane](t)(c.Lane("bulk")); l.Fault != "" {
		t.Errorf("a fault of a lane that reaches its port: %q", l.Fault)
	}
	p.Ports = []gateway.Port{{Port: 7, Device: "/dev/ttyUSB7"}, {Port: 8, Device: "/dev/ttyUSB8"}}
	must[Provider](t)(c.PutProvider(t.Context(), p))
	if l := must[Lane](t)(c.Lane("bulk")); l.Fault != "its dial string names no port of provider bank any more, which has the ports 7, 8" {
		t.Errorf("the fault is %q", l.Fault)
	}
}

func TestP40DialerWithoutAScheduleGetsEveryDay(t *testing.T) {
	c := open(t, newMemory())
	d := must[Dialer](t)(c.PutDialer(t.Context(), dialer("bulk")))
	if !slices.Equal(d.Schedule, []string{everyDay}) {
		t.Errorf("schedule is %q", d.Schedule)
	}
}

func TestP50IntervalMustKeepTheProvidersLimit(t *testing.T) {
	c := open(t, newMemory())
	d := dialer("bulk")
	d.Interval = 499 * time.Millisecond
	_, err := c.PutDialer(t.Context(), d)
	refused(t, err, gateway.KindInvalid, "interval")
	for _, want := range []string{"2 messages a second", "500 ms"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	for _, sound := range []time.Duration{0, 500 * time.Millisecond, time.Minute} {
		d.Name, d.Interval = fmt.Sprintf("d%d", sound), sound
		must[Dialer](t)(c.PutDialer(t.Context(), d))
		if l, err := c.Lane(d.Name); err != nil || l.Interval != max(sound, 500*time.Millisecond) {
			t.Errorf("interval %v becomes %v (%v)", sound, l.Interval, err)
		}
	}
}

func TestBadFieldsAreNamed(t *testing.T) {
	c := open(t, newMemory())
	for field, spoil := range map[string]func(*Dialer){
		"batch":          func(d *Dialer) { d.Batch = 51 },
		"interval":       func(d *Dialer) { d.Interval = -1 },
		"time_zone":      func(d *Dialer) { d.Zone = "Mars" },
		"schedule[1]":    func(d *Dialer) { d.Schedule = []string{everyDay, "noon"} },
		"unknown_policy": func(d *Dialer) { d.Policy = 7 },
	} {
		d := dialer("bulk")
		spoil(&d)
		_, err := c.PutDialer(t.Context(), d)
		refused(t, err, gateway.KindInvalid, field)
	}
}

func TestWhatRowsWaitForCannotBeDeleted(t *testing.T) {
	m := newMemory()
	c := open(t, m)
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	var n gateway.Counters
	n.ByStatus[gateway.StatusQueued] = 214
	m.counters["a"] = n
	err := c.DeleteDialer(t.Context(), "a")
	refused(t, err, gateway.KindConflict, "")
	if !strings.Contains(err.Error(), "214 rows") {
		t.Errorf("%v does not say how many", err)
	}
	if err := c.DeleteCampaign(t.Context(), "a"); err != nil { // the dialer sends them
		t.Error(err)
	}
	m.counters["a"] = gateway.Counters{}
	if err := c.DeleteDialer(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}

func TestStartStopAndEnable(t *testing.T) {
	m := newMemory()
	c := open(t, m)
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("plain")))
	steps := []struct {
		do               func() error
		name             string
		enabled, started bool
		event            string
	}{
		{func() error { return c.Start(t.Context(), "a") }, "a", true, true, "started"},
		{func() error { return c.Enable(t.Context(), "a", false) }, "a", false, true, "disabled"},
		{func() error { return c.Enable(t.Context(), "a", true) }, "a", true, true, "enabled"},
		{func() error { return c.Stop(t.Context(), "a") }, "a", true, false, "stopped"},
		{func() error { return c.Stop(t.Context(), "plain") }, "plain", false, true, "stopped"},
		{func() error { return c.Start(t.Context(), "plain") }, "plain", true, true, "started"},
	}
	for i, s := range steps {
		changed := c.Watch()
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Errorf("step %d: nobody who watches was told", i)
		}
		l := must[Lane](t)(c.Lane(s.name))
		if l.Enabled != s.enabled || l.Started != s.started || m.last().Change != s.event {
			t.Errorf("step %d: enabled %v, started %v, event %+v", i, l.Enabled, l.Started, m.last())
		}
	}
	before := len(m.events)
	if err := c.Start(t.Context(), "plain"); err != nil || len(m.events) != before {
		t.Errorf("starting what runs is a change: %v", err)
	}
	refused(t, c.Start(t.Context(), "none"), gateway.KindNotFound, "")
	refused(t, c.Enable(t.Context(), "none", true), gateway.KindNotFound, "")
}

func TestAPutNeitherStartsNorStopsADialer(t *testing.T) {
	c := open(t, newMemory())
	d := must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	if err := c.Start(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	d.Revision++
	if d = must[Dialer](t)(c.PutDialer(t.Context(), d)); !d.Started {
		t.Error("the put stopped it")
	}
}

func TestALaneHasEverythingResolved(t *testing.T) {
	c := open(t, newMemory())
	v := campaign("a")
	v.Zone = "America/Montevideo"
	must[Campaign](t)(c.PutCampaign(t.Context(), v))
	plain := must[Lane](t)(c.Lane("a"))
	if plain.Dialer || !plain.Started || plain.Ports != nil || plain.Batch != 50 || plain.DNCR {
		t.Errorf("a campaign's own lane is %+v", plain)
	}
	d := dialer("a")
	d.DNCR, d.Batch, d.Policy = true, 7, gateway.UnknownResend
	d.Schedule = []string{"mon;09:00-17:59"}
	must[Dialer](t)(c.PutDialer(t.Context(), d))
	l := must[Lane](t)(c.Lane("a"))
	monday := time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC) // 17:30 in Montevideo
	switch {
	case !l.Dialer || l.Started || !l.DNCR || l.Batch != 7 || l.Policy != gateway.UnknownResend:
		t.Errorf("lane is %+v", l)
	case !slices.Equal(l.Ports, []int{0, 1, 2, 3}) || !l.Pattern.MatchString("+59899123456"):
		t.Errorf("ports %v, pattern %v", l.Ports, l.Pattern)
	case l.Zone.String() != "America/Montevideo" || !l.Schedule.On(monday, l.Zone) || l.Schedule.On(monday.Add(time.Hour), l.Zone):
		t.Errorf("zone %v, schedule %v", l.Zone, l.Schedule.Strings())
	case len(c.Lanes()) != 1:
		t.Errorf("%d lanes", len(c.Lanes()))
	}
}

func TestALaneWhoseProviderTheFileTookAwaySaysSo(t *testing.T) {
	m := newMemory()
	must[Campaign](t)(open(t, m).PutCampaign(t.Context(), campaign("a")))
	c, err := Open(Options{Store: m})
	if err != nil {
		t.Fatal(err)
	}
	if l := must[Lane](t)(c.Lane("a")); !strings.Contains(l.Fault, "rack") {
		t.Errorf("lane is %+v", l)
	}
}

func TestResolveNamesTheField(t *testing.T) {
	c := open(t, newMemory())
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("alone")))
	if r := must[Route](t)(c.Resolve("alone")); r.Provider != "rack" {
		t.Errorf("route is %+v", r)
	}
	for _, name := range []string{"", "none", strings.Repeat("x", 1000)} {
		_, err := c.Resolve(name)
		refused(t, err, gateway.KindInvalid, "campaign")
		if len(err.Error()) > 200 {
			t.Errorf("the error repeats all of its input")
		}
	}
}

func TestWhatIsReadIsACopy(t *testing.T) {
	c := open(t, newMemory())
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	c.Dialers()[0].Schedule[0] = "spoiled"
	c.Providers()[0].Ports[0].Device = "spoiled"
	if d := must[Dialer](t)(c.Dialer("a")); d.Schedule[0] != everyDay {
		t.Error("a caller changed the dialer")
	}
	if p := must[Provider](t)(c.Provider("rack")); p.Ports[0].Device != "/dev/ttyUSB0" {
		t.Error("a caller changed the provider")
	}
}

func TestMemoryDoesNotChangeWhenTheDiskDidNot(t *testing.T) {
	m := newMemory()
	c := open(t, m)
	m.broken = errors.New("disk full")
	if _, err := c.PutCampaign(t.Context(), campaign("a")); !errors.Is(err, m.broken) {
		t.Errorf("got %v", err)
	}
	if len(c.Campaigns()) != 0 || len(m.events) != 0 {
		t.Error("the campaign is there, but not on disk")
	}
}

func TestManyAtOnce(t *testing.T) {
	c := open(t, newMemory())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("d%d", i)
			if _, err := c.PutDialer(t.Context(), dialer(name)); err != nil {
				t.Error(err)
			}
			for range 20 {
				if err := errors.Join(c.Start(t.Context(), name), c.Stop(t.Context(), name)); err != nil {
					t.Error(err)
				}
				c.Lanes()
			}
		})
	}
	wg.Wait()
	if n := len(c.Dialers()); n != 8 {
		t.Errorf("%d dialers", n)
	}
}
