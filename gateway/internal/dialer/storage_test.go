package dialer

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
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

// A drop that the store refuses for a fault of its own is not written a thousand times
// a second, and stops no other lane.
func TestDropThatTheStoreRefusesIsTriedNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Pattern = regexp.MustCompile(`\A(?:none)\z`)
		w := setup(t, newBank("bank", 1), l, aLane("e"))
		q := &refusingQueue{Queue: w.store, refuses: func(st *spool.Step) bool { return len(st.Drops) > 0 }}
		w.o.Queue = q
		w.addRows("d", 0, 5)
		w.start()
		pass(time.Second)
		other := w.add(row("e", 9))
		pass(time.Minute)
		w.expect(other, gateway.StatusSent)
		if n := q.tries.Load(); n > 10 || n < 2 {
			t.Errorf("%d tries in a minute", n)
		}
	})
}

// What the store holds of one SIM cannot be read: its channel rests, and does not put
// off row after row that the others could send.
func TestSIMWhoseIntentsTheStoreRefusesRests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		q := &refusingQueue{Queue: w.store, refuses: func(st *spool.Step) bool {
			return len(st.Intents) > 0 && st.Intents[0].SIM == "8959001"
		}}
		w.o.Queue = q
		w.bank.script(takes(time.Second))
		ids := w.addRows("d", 0, 40)
		w.start()
		pass(45 * time.Second)
		late := 0
		for _, id := range ids {
			if w.message(id).Status != gateway.StatusSent {
				late++
			}
		}
		if late > 5 {
			t.Errorf("%d of 40 rows have not left over the channel that is well", late)
		}
		if n := q.tries.Load(); n > 5 {
			t.Errorf("%d intents refused", n)
		}
	})
}

// A lane whose queue the store cannot put in order waits, and its operator is told why.
func TestALaneSaysThatItsQueueCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"), aLane("e"))
		q := &unreadyQueue{Queue: w.store, campaign: "d"}
		q.bad.Store(true)
		w.o.Queue = q
		late := row("d", 1)
		late.NotBefore = time.Now().Add(time.Second)
		idm := w.add(late)
		d := w.start()
		other := w.add(row("e", 9))
		pass(5 * time.Minute)
		w.expect(other, gateway.StatusSent)
		st, _ := d.Status("d")
		said := strings.Join(d.Explain(w.message(idm)), " ")
		for _, got := range []string{st.Idle, said} {
			if !strings.Contains(got, "an index is damaged") {
				t.Errorf("it does not say why: %q", got)
			}
		}
		if n := q.tries.Load(); n < 10 || n > 40 {
			t.Errorf("%d tries in five minutes", n)
		}
		q.bad.Store(false)
		pass(time.Minute)
		w.expect(idm, gateway.StatusSent)
		if st, _ := d.Status("d"); st.Idle != "nothing is queued" {
			t.Errorf("it is well again and says %q", st.Idle)
		}
	})
}
