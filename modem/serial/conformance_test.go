package serial

import (
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem/modemtest"
	"fieldpost/modem/sim"
)

func TestConformance(t *testing.T) {
	for _, vendor := range []sim.Vendor{sim.Generic, sim.Huawei} { // the dialects that lie furthest apart
		t.Run(string(vendor), func(t *testing.T) {
			t.Parallel()
			modemtest.Run(t, modemtest.Harness{New: func(t testing.TB) *modemtest.Rig { return conforming(t, vendor) }})
		})
	}
}

// conforming makes the rig of the suite: the driver reaches its modem through a link, as
// it reaches a real one through /dev/serial/by-id.
func conforming(t testing.TB, vendor sim.Vendor) *modemtest.Rig {
	n := sim.NewNetwork(sim.NetworkOptions{USSD: map[string]sim.USSD{modemtest.USSDCode: {Text: modemtest.USSDText}}})
	t.Cleanup(func() { n.Close() })
	link := t.TempDir() + "/usb-modem"
	m, err := sim.Open(sim.Options{
		Network: n, Link: link, Vendor: vendor,
		Card: sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", IMSI: "748070000000001", Number: "+59899000001"}),
	})
	if err != nil {
		t.Fatalf("a pty is needed: %v", err)
	}
	t.Cleanup(func() { m.Close() })
	d, err := New(Options{Provider: "bank", Port: gateway.Port{Port: 3, Device: link}, Times: brief, Every: often})
	if err != nil {
		t.Fatal(err)
	}
	return modemtest.ModemRig(d, 3, n, m)
}
