package serial

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestHubThatIsTooWeakIsNamedOnceAnHour(t *testing.T) {
	var h hubs
	now := time.Now()
	if reason, alarm := h.lost(now, "1-1.4"); alarm || !strings.Contains(reason, "enough power?") {
		t.Errorf("the first: %q, %t", reason, alarm)
	}
	if _, alarm := h.lost(now, "2-1.1"); alarm {
		t.Error("a modem on another hub counts")
	}
	reason, alarm := h.lost(now.Add(time.Minute), "1-1.3")
	if !alarm || !strings.HasPrefix(reason, "modems on hub 1-1 lose power while sending: 2 of them within 1h") {
		t.Errorf("the second: %q, %t", reason, alarm)
	}
	if _, alarm := h.lost(now.Add(2*time.Minute), "1-1.4"); alarm {
		t.Error("told twice")
	}
	if reason, alarm := h.lost(now.Add(3*time.Hour), "1-1.4"); alarm || !strings.Contains(reason, "enough power?") {
		t.Errorf("hours later: %q, %t", reason, alarm)
	}
}

func TestModemThatLosesPowerAloneIsNamed(t *testing.T) {
	var h hubs
	now := time.Now()
	h.lost(now, "1-2")
	if reason, alarm := h.lost(now, "1-2"); !alarm || !strings.Contains(reason, "the modem at USB 1-2 loses power while sending: 2 times") {
		t.Errorf("%q, %t", reason, alarm)
	}
	if got := hubOf("1-2"); got != "the ports of USB bus 1" {
		t.Errorf("%q", got)
	}
}

func TestModemsThatVanishWhileSendingBlameTheirHub(t *testing.T) {
	box := newMachine(t)
	f := box.finder()
	alarms := make(chan string, 8)
	for i, usb := range []string{"1-1.4", "1-1.3"} {
		r := newRig(t, func(o *Options, s *sim.Options) {
			o.Finder, o.Alarm = f, func(reason string) { alarms <- reason }
			s.IMEI = []string{"860000000000049", "860000000000056"}[i]
		})
		r.d.o.Port.Device = box.add(t, usb, "option1", r.m.Device())
		r.run(t)
		r.host.ready(t)
		r.m.Inject(sim.Fault{At: 1, Do: sim.VanishAfter})
		if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("got %v", err)
		}
		want := []string{"enough power?", "modems on hub 1-1 lose power while sending"}[i]
		r.host.until(t, "the reason", func() bool { return slicesContain(r.host.reasons, want) })
	}
	if got := <-alarms; !strings.Contains(got, "modems on hub 1-1 lose power while sending") {
		t.Errorf("the alarm says %q", got)
	}
}

func slicesContain(reasons []string, want string) bool {
	for _, r := range reasons {
		if strings.Contains(r, want) {
			return true
		}
	}
	return false
}
