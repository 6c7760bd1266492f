package dinstar

import (
	"fmt"
	"testing"

	"fieldpost/modem/sim"
)

func (r *rig) deliver(from, to int) {
	r.Helper()
	for i := from; i < to; i++ {
		must(r.TB, r.net.Deliver(sim.Incoming{From: "+59899123456", To: r.gateway.Card(0).ICCID(), Text: fmt.Sprint("in ", i)}))
	}
}

// came demands each text once, and nothing else.
func (r *rig) came(n int) {
	r.Helper()
	r.until(fmt.Sprint(n, " messages"), func() bool { return len(r.parts) >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]int{}
	for _, p := range r.parts {
		seen[p.Text]++
	}
	if len(seen) != n || len(r.parts) != n {
		r.Errorf("%d messages and %d texts came, want %d", len(r.parts), len(seen), n)
	}
}

func TestTheInboxIsReadPageByPage(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{PageBytes: 600}}, nil)
	r.ready(0)
	r.deliver(0, 30)
	r.came(30)
}

func TestTheMarkOutlivesTheRun(t *testing.T) {
	marks := &forgetful{}
	r := newRig(t, sim.DinstarOptions{Ports: 1}, func(o *Options) { o.Marks = marks })
	r.ready(0)
	r.deliver(0, 5)
	r.came(5)
	o := r.driver.o
	r.stop()
	r.deliver(5, 8)
	r.run(o)
	r.came(8)
}

func TestAMessageThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.change(func() { r.refuse = 3 })
	r.deliver(0, 4)
	r.came(4)
}

func TestIDsThatStartAgainAreNoticedAndNothingIsLost(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.deliver(0, 5)
	r.came(5)
	r.gateway.Reboot()
	r.deliver(5, 7)
	r.came(7)
}
