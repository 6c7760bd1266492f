package dwg

import (
	"testing"

	"fieldpost/modem/modemtest"
)

func TestConformance(t *testing.T) {
	const silent = "the protocol has no word for it"
	modemtest.Run(t, modemtest.Harness{
		New: newRig,
		Lacks: map[modemtest.Act]string{
			modemtest.CarryFlash:   silent,
			modemtest.TellDelivery: silent,
			modemtest.AskPIN:       "the gateway keeps PINs, and calls the port unavailable",
			modemtest.AskPUK:       "the gateway calls the port unavailable",
		},
	})
}
