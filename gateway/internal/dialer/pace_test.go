package dialer

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestP49GapBetweenTwoMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 250 * time.Millisecond
		w := setup(t, newBank("bank", 8), l)
		w.bank.script(takes(3 * time.Second))
		w.addRows("d", 0, 60)
		w.start()
		pass(time.Minute)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < l.Interval {
				t.Errorf("%v between two calls, want at least %v", gap, l.Interval)
			}
		}
		if len(calls) != 60 {
			t.Errorf("%d sent, want 60", len(calls))
		}
	})
}

func TestP49GapHoldsWhenSyncsTakeUnevenTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 250 * time.Millisecond
		w := setup(t, newBank("bank", 8), l)
		w.o.Queue = &slowQueue{Queue: w.store}
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 40)
		w.start()
		pass(11 * time.Second)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < l.Interval {
				t.Errorf("%v between two calls, want at least %v", gap, l.Interval)
			}
		}
		if len(calls) != 40 {
			t.Errorf("%d sent in 11 s at 4 a second, want all 40: the syncs cost no pace", len(calls))
		}
	})
}

func TestRateOfAProviderIsSharedByItsLanes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := aLane("a"), aLane("b")
		a.Rate, b.Rate = 4, 4
		w := setup(t, newBank("bank", 8), a, b)
		w.addRows("a", 0, 40)
		w.addRows("b", 100, 140)
		w.start()
		pass(9999 * time.Millisecond)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < 250*time.Millisecond {
				t.Errorf("%v between two calls, want at least 250 ms", gap)
			}
		}
		if len(calls) != 40 {
			t.Errorf("%d sent in 10 s at 4 a second, want 40", len(calls))
		}
	})
}

// What waits for the pace of its lane is queued, and can be taken back until then.
func TestAMessageIsNotOpenedLongBeforeItsStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		def := aLane("a")
		def.Interval = time.Hour
		w := setup(t, newBank("bank", 1), def)
		w.start()
		w.add(row("a", 1))
		pass(110 * time.Minute)
		w.add(row("a", 2)) // starts at once: 50 minutes of its interval are made good
		pass(time.Second)
		late := w.add(row("a", 3))
		pass(30 * time.Minute)
		w.expect(late, gateway.StatusQueued)
		pass(30 * time.Minute)
		w.expect(late, gateway.StatusSent)
		if c := w.bank.sent(); c[2].at.Sub(c[1].at) != time.Hour {
			t.Errorf("%v between two messages", c[2].at.Sub(c[1].at))
		}
	})
}
