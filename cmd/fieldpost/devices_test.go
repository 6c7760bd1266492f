package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// newRack starts a box with a simulated Dinstar gateway of two ports.
func newRack(t *testing.T, control bool) (*box, *sim.Dinstar) {
	t.Helper()
	n := sim.NewNetwork(sim.NetworkOptions{})
	t.Cleanup(func() { must(t, n.Close()) })
	g, err := sim.OpenDinstar(sim.DinstarOptions{Network: n, Ports: 2, Password: "s3cret"})
	must(t, err)
	t.Cleanup(func() { must(t, g.Close()) })
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "rack.password"), []byte("s3cret\n"), 0o600))
	path := filepath.Join(dir, "fieldpost.toml")
	must(t, os.WriteFile(path, fmt.Appendf(nil, `version = 1
[site]
id = "test"
region = "UY"
[storage]
path = %q
[http]
listen = "127.0.0.1:0"
[[provider]]
name = "rack"
type = "DinstarWeb"
url = %q
user = "admin"
password_file = "rack.password"
port_control = %t
`, filepath.Join(dir, "spool.db"), g.URL(), control), 0o600))
	b := &box{}
	b.open(t, path)
	b.ready(t)
	return b, g
}

func TestVerbsOfAGateway(t *testing.T) {
	t.Parallel()
	b, g := newRack(t, true)
	b.verb(t, "channels", "device", "rack").wants(t, exitDone, "da00-0000-0000-0001", "39 %", "50520 of 109448 KiB", "rack/1", "ready")
	var d client.Device
	b.json(t, &d, "channels", "device", "rack")
	if len(d.Ports) != 2 || d.Ports[0].ICCID == "" || d.Ports[0].IMEI == "" || d.Ports[0].IMSI == "" || d.Ports[0].Number == "" {
		t.Errorf("got %+v", d)
	}
	g.Call(sim.DinstarCall{Port: 1, Start: time.Now().Format(time.DateTime), Duration: 61, Source: "1001", Destination: "099000009", Direction: "ip->gsm", Hangup: "called"})
	b.verb(t, "channels", "calls", "rack").wants(t, exitDone, "1001", "099000009", "61", "ip->gsm", "called")
	var calls []client.Call
	b.json(t, &calls, "channels", "calls", "rack", "--port", "0", "--after", "2030-01-01T00:00:00Z", "--before", "2030-01-02T00:00:00Z")
	if len(calls) != 0 {
		t.Errorf("got %+v", calls)
	}
	b.verb(t, "channels", "calls", "rack", "--after", "yesterday").wants(t, exitUsage, "after", "2030-01-02T08:00:00Z")
	b.verb(t, "channels", "control", "rack/0", "power_off").wants(t, exitDone, "power_off was done to rack/0")
	until(t, "channel rack/0 off", func() bool {
		c, err := b.Channel(t.Context(), "rack/0")
		return err == nil && strings.Contains(c.Reason, "switched off")
	})
	b.verb(t, "channels", "control", "rack/0", "power_on", "--json").wants(t, exitDone, `"done"`)
	b.ready(t)
	b.verb(t, "channels", "control", "rack/0", "imei", "490154203237518").wants(t, exitFault, "action")
	b.verb(t, "channels", "control", "rack/9", "block").wants(t, exitFault, "rack/9")
}

func TestPortsAreNotControlledUnlessTheProviderAllowsIt(t *testing.T) {
	t.Parallel()
	b, _ := newRack(t, false)
	b.verb(t, "channels", "control", "rack/0", "power_off").wants(t, exitFault, "port_control = true")
	c, err := b.Channel(t.Context(), "rack/0")
	must(t, err)
	if c.State != "ready" {
		t.Errorf("the port is %s: %s", c.State, c.Reason)
	}
}
