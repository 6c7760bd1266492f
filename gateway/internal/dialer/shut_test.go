package dialer

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

// A row that is bound to a SIM without room may not fill a small batch: what other
// SIMs can take goes on.
func TestARowBoundToASIMWithoutRoomKeepsNobodyBehindIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lane := aLane("a")
		lane.Batch = 1
		lane.SIMLimits = map[string]gateway.Limits{"8959000": {PerDay: 1}}
		w := setup(t, newBank("bank", 2), lane)
		first, bound := row("a", 0), row("a", 1)
		first.Source, bound.Source = "0", "0"
		w.addAll(first, bound, row("a", 2), row("a", 3))
		w.start()
		pass(time.Minute)
		if got := w.bank.sent(); len(got) != 3 {
			s, _ := w.d.Status("a")
			t.Errorf("%d messages were sent, want 3; %+v", len(got), s)
		}
	})
}
