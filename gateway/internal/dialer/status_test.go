package dialer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestStatusSaysWhyNothingLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		paced := aLane("paced")
		paced.Interval = time.Minute
		stopped := aLane("stopped")
		stopped.Running = false
		faulty := aLane("faulty")
		faulty.Running, faulty.Fault = false, "provider rack is not there any more"
		away := aLane("away")
		away.Provider = "rack"
		w := setup(t, newBank("bank", 2), paced, stopped, faulty, away, aLane("empty"))
		w.addRows("paced", 0, 5)
		w.addRows("away", 10, 11)
		w.addRows("stopped", 20, 21)
		d := w.start()
		pass(time.Second)
		for name, want := range map[string]string{
			"paced": "1m0s", "stopped": "stopped", "faulty": "rack is not there", "away": "no channel", "empty": "nothing is queued",
		} {
			if st, ok := d.Status(name); !ok || !strings.Contains(st.Idle, want) {
				t.Errorf("%s: %+v, want a reason with %q", name, st, want)
			}
		}
		if st, _ := d.Status("paced"); st.Buffered != 4 || !st.Wake.Equal(time.Now().Add(59*time.Second)) {
			t.Errorf("paced: %+v, want 4 rows in memory and the next in 59 s", st)
		}
		if _, ok := d.Status("nobody"); ok {
			t.Error("there is a status of a lane that is not there")
		}
		for idm, want := range map[uint64]string{1: "It is sent, over channel bank/0", 3: "behind 1 rows", 6: "no channel in the dial string", 7: "stopped is stopped"} {
			if why := strings.Join(d.Explain(w.message(idm)), " "); !strings.Contains(why, want) {
				t.Errorf("message %d is explained as %q, want %q in it", idm, why, want)
			}
		}
	})
}

// "Why this SIM, and why not that one?"
func TestExplainNamesTheChannelThatComesAndThoseThatArePassedOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Choice, l.Interval, l.Limits = gateway.ChoiceLeastUsed, time.Minute, gateway.Limits{PerDay: 2}
		cards := newCards()
		w := setup(t, newBank("bank", 8), l)
		w.o.SIMs = cards
		cards.hold(map[string]string{"8959001": noDelivery})
		w.bank.down("bank/2", "unplugged")
		sent := long("d", 0, 2)
		sent.Source = "0"
		w.addAll(sent, row("d", 1))
		d := w.start()
		pass(time.Second)
		want := []string{
			"d leaves 1m0s between two messages.",
			"It goes to bank/3 next: least used (0 of 2 today).",
			"Passed over: channel bank/0 has used its 2 segments of this day, until Sun 2000-01-02 00:00:00 UTC; " +
				"SIM ...9001 in bank/1 is held: " + noDelivery + "; channel bank/2 is absent: unplugged.",
		}
		if why := d.Explain(w.message(2)); !slices.Equal(why, want) {
			t.Errorf("explained as %q, want %q", why, want)
		}
		for p := 3; p < 7; p++ {
			w.bank.down(gateway.ChannelID("bank", p), "unplugged")
		}
		pass(time.Second)
		if why := d.Explain(w.message(2)); len(why) != 3 || !strings.HasSuffix(why[2], "; and 3 others.") {
			t.Errorf("explained as %q", why)
		}
	})
}
