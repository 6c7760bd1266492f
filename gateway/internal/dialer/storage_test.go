package dialer

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestStoreThatFailsLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		q := &brokenQueue{Queue: w.store}
		w.o.Queue = q
		w.bank.script(takes(2 * time.Second))
		ids := w.addRows("d", 0, 10)
		d := w.start()
		pass(time.Second)
		q.set(true) // while two sends are out
		pass(time.Minute)
		if n := len(w.bank.sent()); n != 2 {
			t.Errorf("%d sends, want nothing opened while the store fails", n)
		}
		if st, _ := d.Status("d"); !strings.Contains(st.Idle, "disk is full") || st.InFlight != 2 {
			t.Errorf("status %+v does not say that the store fails", st)
		}
		if q.tries < 5 || q.tries > 60 {
			t.Errorf("%d tries in a minute, want some, with backoff", q.tries)
		}
		w.expect(ids[0], gateway.StatusSubmitting)
		q.set(false)
		pass(time.Minute)
		for _, id := range ids {
			w.expect(id, gateway.StatusSent)
		}
		if n := len(w.bank.sent()); n != 10 {
			t.Errorf("%d sends of 10 rows", n)
		}
	})
}

func TestStoreThatFailsBeforeAnIntentOpensNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		q := &brokenQueue{Queue: w.store, broken: true}
		w.o.Queue = q
		ids := w.addRows("d", 0, 3)
		w.start()
		pass(150 * time.Millisecond) // two tries
		if n := len(w.bank.sent()); n != 0 {
			t.Fatalf("%d sends without an intent on disk", n)
		}
		q.set(false)
		pass(time.Minute)
		for _, id := range ids {
			w.expect(id, gateway.StatusSent)
		}
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 1, 2})
	})
}
