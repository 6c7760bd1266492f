package dialer

import (
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestExpiredMessagesEndAndNeverBurstOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.down("bank/0", "unplugged")
		m := row("d", 1)
		m.ValidUntil = time.Now().Add(5 * time.Minute)
		idm := w.add(m)
		fresh := w.add(row("d", 2))
		w.start()
		pass(4 * time.Minute)
		w.expect(idm, gateway.StatusQueued)
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusExpired) // with no channel at all
		w.bank.up("bank/0")
		pass(time.Second)
		w.expect(fresh, gateway.StatusSent)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m2"}) {
			t.Errorf("sends %q", got)
		}
	})
}

func TestNotBeforeIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		began := time.Now()
		m := row("d", 1)
		m.NotBefore = began.Add(90 * time.Second)
		idm := w.add(m)
		w.start()
		pass(89 * time.Second)
		w.expect(idm, gateway.StatusQueued)
		pass(2 * time.Second)
		w.expect(idm, gateway.StatusSent)
		if at := w.bank.sent()[0].at.Sub(began); at < 90*time.Second {
			t.Errorf("sent after %v", at)
		}
	})
}

func TestRowThatIsScheduledWhileItsLaneIsIdleLeavesInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.add(row("d", 0))
		w.start()
		pass(time.Minute)
		began := time.Now()
		m := row("d", 1)
		m.NotBefore = began.Add(time.Hour)
		late := w.add(m)
		m = row("d", 2)
		m.NotBefore = began.Add(90 * time.Second)
		soon := w.add(m)
		pass(89 * time.Second)
		w.expect(soon, gateway.StatusQueued)
		pass(2 * time.Second)
		w.expect(soon, gateway.StatusSent)
		w.expect(late, gateway.StatusQueued)
		pass(time.Hour)
		w.expect(late, gateway.StatusSent)
	})
}

func TestScheduledRowLeavesInTimeAmidABacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		began := time.Now()
		m := row("d", 200)
		m.Priority, m.NotBefore = gateway.PrioritySingle, began.Add(5500*time.Millisecond)
		w.addAll(m)
		w.addRows("d", 0, 80)
		w.start()
		pass(10 * time.Second)
		at := slices.IndexFunc(w.bank.sent(), func(c call) bool { return c.sub.Text == "m200" })
		if at < 0 {
			t.Fatal("the scheduled row did not leave")
		}
		if after := w.bank.sent()[at].at.Sub(began); after < 5500*time.Millisecond || after > 7*time.Second {
			t.Errorf("the scheduled row left after %v, want as the first one when it was due at 5.5 s", after)
		}
	})
}
