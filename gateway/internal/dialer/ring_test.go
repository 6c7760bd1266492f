package dialer

import (
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
)

func mustPorts(t testing.TB, dial string) []int {
	t.Helper()
	p, err := gateway.ParseDialString(dial)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantInts(t testing.TB, what string, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// wantRounds checks that the ring was walked in order the first time, and wholly
// each time: channels that end at one instant are served in any order.
func wantRounds(t testing.TB, got []int, ring ...int) {
	t.Helper()
	for i := 0; i+len(ring) <= len(got); i += len(ring) {
		round := slices.Clone(got[i : i+len(ring)])
		if i > 0 {
			slices.Sort(round)
		}
		wantInts(t, "a round of the ring", round, ring)
	}
	if len(got)%len(ring) != 0 || len(got) == 0 {
		t.Errorf("%d sends are no whole rounds of %d", len(got), len(ring))
	}
}

func TestP46Vector3RingIsStrictAndSurvivesARestart(t *testing.T) {
	for dial, want := range map[string][]int{
		"(0.3)":   {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0.3":     {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0-3":     {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0,1,2,3": {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"3":       {3, 3, 3, 3, 3, 3, 3, 3, 3, 3},
		"2,0,5":   {2, 0, 5, 2, 0, 5, 2, 0, 5, 2},
	} {
		t.Run(dial, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := aLane("d")
				l.Ports, l.Interval = mustPorts(t, dial), time.Second
				w := setup(t, newBank("bank", 8), l)
				w.addRows("d", 0, 6)
				w.start()
				pass(10 * time.Second)
				w.restart()
				w.addRows("d", 6, 10)
				pass(10 * time.Second)
				wantInts(t, "ports", ports(w.bank.sent()), want)
			})
		})
	}
}

func TestP46RingOfAllPortsWhenNothingIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		w.addRows("d", 0, 12)
		w.start()
		pass(time.Minute)
		wantRounds(t, ports(w.bank.sent()), 0, 1, 2, 3)
	})
}

func TestRingPassesOverPortsThatCannot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = time.Second
		w := setup(t, newBank("bank", 4), l)
		w.bank.down("bank/1", "unplugged")
		w.bank.Rest("bank/2", 6500*time.Millisecond, "tired")
		w.addRows("d", 0, 12)
		w.start()
		pass(4500 * time.Millisecond)
		w.bank.up("bank/1")
		pass(20 * time.Second)
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 3, 0, 3, 0, 1, 3, 0, 1, 2, 3, 0})
	})
}

func TestStoppedLaneOfAnotherProviderDoesNotUseOurChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.channels = append(bank.channels, newBank("rack", 1).channels...)
		l := aLane("d")
		l.Provider = "rack"
		w := setup(t, bank, l)
		w.addRows("d", 0, 5)
		w.start()
		pass(time.Second)
		for _, c := range w.bank.sent() {
			if c.id != "rack/0" {
				t.Errorf("P43: a message left by %s", c.id)
			}
		}
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d sent, want 5", n)
		}
	})
}
