package dialer

import (
	"strings"
	"testing"
	"time"
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
