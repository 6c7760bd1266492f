package dialer

import (
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestRequestedPortIsHonouredAndHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		w := setup(t, newBank("bank", 4), l)
		w.bank.script(takes(time.Second))
		w.bank.down("bank/3", "unplugged")
		var asked []gateway.Message
		for n := range 60 {
			m := row("d", n)
			m.Source = "3"
			if n%2 == 1 {
				m.Source = "bank/3"
			}
			asked = append(asked, m)
		}
		w.addAll(asked...)
		w.addRows("d", 100, 106)
		bad := row("d", 200)
		bad.Source = "attic"
		other := row("d", 201)
		other.Source = "rack/1"
		b, o := w.add(bad), w.add(other)
		d := w.start()
		pass(2500 * time.Millisecond)
		wantRounds(t, ports(w.bank.sent()), 0, 1, 2)
		w.expect(b, gateway.StatusInvalid)
		w.expect(o, gateway.StatusInvalid)
		if why := d.Explain(w.message(1)); len(why) != 1 || why[0] != "No channel can take it now: channel bank/3 is absent: unplugged." {
			t.Errorf("explained as %q", why)
		}
		w.bank.up("bank/3")
		pass(70 * time.Second)
		got := w.bank.sent()[6:]
		if len(got) != 60 {
			t.Errorf("%d sent after the port came back, want 60", len(got))
		}
		for _, c := range got {
			if c.id != "bank/3" {
				t.Errorf("%s went over %s", c.sub.Text, c.id)
			}
		}
	})
}

func TestEarlierRowsOfAPortGoBeforeLaterOnesOfTheRing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Second))
		var ms []gateway.Message
		for n := range 4 {
			m := row("d", n)
			m.Source = "0"
			ms = append(ms, m)
		}
		for n := range 10 {
			ms = append(ms, row("d", 10+n))
		}
		w.addAll(ms...)
		w.start()
		pass(5500 * time.Millisecond)
		over := slices.DeleteFunc(w.bank.sent(), func(c call) bool { return c.id != "bank/0" })
		if got := texts(over)[:4]; !slices.Equal(got, []string{"m0", "m1", "m2", "m3"}) {
			t.Errorf("over port 0 left %q first, want the earlier rows that asked for it", got)
		}
	})
}
