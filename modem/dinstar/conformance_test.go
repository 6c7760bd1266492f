package dinstar

import (
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/modem/modemtest"
	"fieldpost/modem/sim"
)

// brief are the waits for a gateway that answers at once.
func brief() Times {
	return Times{
		Connect: time.Second, Query: 3 * time.Second, Submit: 2 * time.Second, Fate: 3 * time.Second,
		Doubt: 300 * time.Millisecond, Fresh: time.Millisecond, LockOut: time.Minute, USSD: 10 * time.Second,
	}
}

func often() Every {
	return Every{
		Result: 5 * time.Millisecond, Ports: 20 * time.Millisecond, Inbox: 20 * time.Millisecond,
		Reports: 20 * time.Millisecond, Queue: 20 * time.Millisecond, Retry: 20 * time.Millisecond,
	}
}

func TestConformance(t *testing.T) {
	for name, auth := range map[string]sim.DinstarAuth{"digest": sim.DinstarDigest, "basic": sim.DinstarBasic} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			modemtest.Run(t, modemtest.Harness{
				New:      func(t testing.TB) *modemtest.Rig { return conforming(t, auth, "", often()) },
				Lacks:    lacks(),
				Patience: 30 * time.Second,
			})
		})
	}
}

func lacks() map[modemtest.Act]string {
	return map[modemtest.Act]string{modemtest.CarryFlash: "the API has no field for it"}
}

// TestConformanceOfAGatewayThatPushes has every push twice, and a driver that would look at inbox
// and reports once an hour.
func TestConformanceOfAGatewayThatPushes(t *testing.T) {
	t.Parallel()
	modemtest.Run(t, modemtest.Harness{
		New: func(t testing.TB) *modemtest.Rig {
			var to atomic.Pointer[Driver]
			rig := conforming(t, sim.DinstarDigest, listener(t, &to), never())
			to.Store(rig.Driver.(*Driver))
			return rig
		},
		Lacks:    lacks(),
		Patience: 30 * time.Second,
	})
}

// conforming makes the rig of the suite.
func conforming(t testing.TB, auth sim.DinstarAuth, push string, every Every) *modemtest.Rig {
	n := sim.NewNetwork(sim.NetworkOptions{USSD: map[string]sim.USSD{modemtest.USSDCode: {Text: modemtest.USSDText}}})
	t.Cleanup(func() { n.Close() })
	g, err := sim.OpenDinstar(sim.DinstarOptions{Network: n, Ports: 2, Password: "s3cret", Auth: auth, Push: push})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	g.PushTwice(true)
	door := modemtest.NewDinstarDoor(g)
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	d, err := New(Options{
		Provider: "rack", URL: server.URL, User: "admin", Password: "s3cret", Zone: time.Local, Ports: []int{1},
		Times: brief(), Every: every,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.api.wire.CloseIdleConnections)
	return modemtest.DinstarRig(d, 1, n, g, door)
}
