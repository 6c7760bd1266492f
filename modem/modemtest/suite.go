package modemtest

import (
	"testing"
	"time"
)

// oneCase is one promise of the contract.
type oneCase struct {
	name  string
	needs []Act
	// cold says that the driver does not run yet when the case begins.
	cold bool
	run  func(b *bench)
}

// Run holds a driver to the contract of package modem.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Patience == 0 {
		h.Patience = 20 * time.Second
	}
	for _, group := range [][]oneCase{sendCases(), outcomeCases(), reportCases(), inboundCases(), lifeCases(), abilityCases()} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { h.run(t, c) })
		}
	}
}

func (h *Harness) run(t *testing.T, c oneCase) {
	for _, a := range c.needs {
		if why, lacks := h.Lacks[a]; lacks {
			t.Skipf("the device cannot %s: %s", a, why)
		}
	}
	rig := h.New(t)
	b := &bench{T: t, rig: rig, host: newHost(rig.Stored), patience: h.Patience}
	if !c.cold {
		b.start()
	}
	t.Cleanup(func() {
		if b.cancel != nil {
			_ = b.stop() // each case that cares looked at it
		}
	})
	c.run(b)
}
