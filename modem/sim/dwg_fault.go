package sim

import (
	"slices"
	"time"
)

// DWGDeed is what a gateway of the binary API does with a send.
type DWGDeed uint8

// The deeds.
const (
	DWGResult  DWGDeed = iota + 1 // nothing on the air, the result is Code
	DWGNack                       // not taken: Code in the acknowledgement
	DWGSilence                    // neither acknowledged nor on the air
	DWGLose                       // on the air, acknowledged, no result
	DWGDrop                       // acknowledged, then the connection is dropped; nothing on the air
	DWGSent                       // on the air and acknowledged, then the connection is dropped; the result is lost
	DWGLate                       // on the air, the result comes after Delay or Until, on whatever connection there is then
	DWGStall                      // held for Delay or Until, then served as usual
	DWGTwice                      // served as usual, with the result two times
	DWGPartial                    // the first segment goes on the air, the result is 5
)

// DWGFault is a deed that a send meets.
type DWGFault struct {
	Do     DWGDeed
	Chance float64 // of each send, 0 to 1; 0 = the next send alone
	Code   uint8
	Delay  time.Duration   // for DWGLate and DWGStall
	Until  <-chan struct{} // instead of Delay: until it is closed
	Hit    chan<- struct{} // closed when the send meets it; nil = nobody waits
	Said   chan<- struct{} // closed when a late result is on the line; nil = nobody waits
}

// Inject adds faults behind those that wait.
func (g *DWG) Inject(faults ...DWGFault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, faults...)
}

// DeliverTwice makes each received message come two times.
func (g *DWG) DeliverTwice() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dup = true
}

// meet gives the fault of the next send of a card.
func (g *DWG) meet(p *dwgPort) DWGFault {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sends++
	for i, f := range g.faults {
		if f.Chance == 0 {
			g.faults = slices.Delete(slices.Clone(g.faults), i, i+1)
			return f
		}
		if chance(g.net.o.Seed, p.card.ICCID(), p.card.nextSend(), saltFault+uint64(i)) < f.Chance {
			return f
		}
	}
	return DWGFault{}
}
