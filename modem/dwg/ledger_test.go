package dwg

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// Eight ports send 200 messages while results are lost, connections dropped and the
// gateway is unplugged. What is accepted is on the air once; what is in doubt at most once;
// what is refused or did not leave, never.
func TestTheLedgerAgreesWithEachOutcome(t *testing.T) {
	h := runs(t, func(o *sim.DWGOptions) {
		o.Latency = time.Millisecond
		o.Faults = []sim.DWGFault{
			{Chance: 0.015, Do: sim.DWGSent}, {Chance: 0.015, Do: sim.DWGDrop}, {Chance: 0.03, Do: sim.DWGTwice},
			{Chance: 0.03, Do: sim.DWGResult, Code: 1}, {Chance: 0.03, Do: sim.DWGNack}, {Chance: 0.01, Do: sim.DWGLose},
		}
	})
	const ports, rows = 8, 25
	h.w.ready(t, ports-1)
	outcomes := make([][rows]gateway.Kind, ports)
	var wg sync.WaitGroup
	for port := range ports {
		wg.Go(func() {
			for row := range rows {
				if port == 0 && row == rows/2 {
					h.g.Unplug()
					h.g.Replug()
				}
				outcomes[port][row] = gateway.KindOf(h.later(port, number(port, row), "Hola"))
			}
		})
	}
	wg.Wait()
	copies, seen := h.n.Copies(), map[gateway.Kind]int{}
	for port := range ports {
		for row, k := range outcomes[port] {
			seen[k]++
			n := copies[sim.Copy{To: number(port, row), Text: "Hola"}]
			if k == gateway.KindNone && n != 1 || k == gateway.KindUnknownOutcome && n > 1 || k == gateway.KindRefused && n != 0 {
				t.Errorf("row %d of port %d is %s, and %d times on the air", row, port, k, n)
			}
		}
	}
	if seen[gateway.KindNone] < ports*rows/2 || seen[gateway.KindUnknownOutcome] == 0 || seen[gateway.KindRefused] == 0 {
		t.Errorf("the outcomes are %v: the faults were not met", seen)
	}
	if n := seen[gateway.KindNone] + seen[gateway.KindUnknownOutcome] + seen[gateway.KindRefused]; n != ports*rows {
		t.Errorf("the outcomes are %v", seen)
	}
}

func number(port, row int) string { return fmt.Sprintf("+59899%03d%03d", port, row) }

func BenchmarkSend(b *testing.B) {
	d := newDriver(b, freeAddress(b))
	w := newWorld()
	done := make(chan error, 1)
	go func() { done <- d.Run(b.Context(), w) }()
	b.Cleanup(func() {
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	newGateway(b, newNetwork(b), d.address, nil)
	h := &house{Driver: d, w: w}
	if err := h.later(0, somebody, "x"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := h.send(0, somebody, "Hola"); err != nil {
			b.Fatal(err)
		}
	}
}
