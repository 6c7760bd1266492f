package dialer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
)

func TestP143DeleteUnprocessedIsSafeWhileSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 100)
		w.start()
		pass(2500 * time.Millisecond)
		n, err := w.store.DeleteUnprocessed(t.Context(), "d")
		if err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if sent := len(w.bank.sent()); sent+n != 100 {
			t.Errorf("%d sent and %d deleted of 100", sent, n)
		}
		c, _ := w.store.Counters("d")
		if c.NotProcessed() != 0 || !c.Balanced() {
			t.Errorf("counters %+v", c)
		}
		w.addRows("d", 200, 204)
		pass(10 * time.Second)
		if c, _ = w.store.Counters("d"); c.NotProcessed() != 0 {
			t.Errorf("%d rows wait after the deletion, want the lane to go on", c.NotProcessed())
		}
	})
}

func TestCanceledRowInTheBufferIsNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		ids := w.addRows("d", 0, 3)
		w.start()
		synctest.Wait()
		if err := w.store.Cancel(t.Context(), ids[1], "ana"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		w.expect(ids[1], gateway.StatusCanceled)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m0", "m2"}) {
			t.Errorf("sends %q", got)
		}
	})
}

func TestTheFirstClaimOfALaneHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("a"), aLane("b"))
		late := &lateQueue{Queue: w.store, letGo: make(chan struct{})}
		w.o.Queue = late
		m := row("a", 1)
		m.NotBefore = time.Now().Add(time.Second)
		due := w.add(m)
		pass(2 * time.Second) // its time comes before the dialer is there
		other := w.add(row("b", 2))
		w.start()
		pass(time.Second)
		w.expect(other, gateway.StatusSent)
		w.expect(due, gateway.StatusQueued)
		close(late.letGo)
		pass(time.Second)
		w.expect(due, gateway.StatusSent)
		if n := late.writes.Load(); n != 0 {
			t.Errorf("%d claims of the loop could wait for a commit", n)
		}
	})
}
