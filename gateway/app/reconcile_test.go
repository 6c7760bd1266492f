package app

import (
	"os"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// inDoubt kills the daemon after a gateway put its message on the air, and before it
// answered. It gives the gateway and the message's id.
func (h *house) inDoubt() (*sim.Dinstar, string) {
	h.t.Helper()
	must(h.t, os.WriteFile(h.configPath(), []byte(h.toml()), 0o600))
	d := h.fork()
	g, err := sim.OpenDinstar(sim.DinstarOptions{Network: h.bank.Network, Ports: 2, Password: "s3cret", Latency: time.Millisecond})
	must(h.t, err)
	h.t.Cleanup(func() { g.Close() })
	_, err = h.CreateProvider(h.t.Context(), client.Provider{ // no reports: they would tell too
		Name: "rack", Type: gateway.TypeDinstarWeb, URL: g.URL(), User: "admin", Password: "s3cret",
	})
	must(h.t, err)
	h.ready(3)
	release := make(chan struct{})
	g.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.LateAnswer, Until: release})
	h.started("test1", func(d *client.Dialer) { d.Provider, d.DialString = "rack", "0-1" })
	id := h.submit(client.NewMessage{To: "098344484", Text: "in doubt", Campaign: "test1"}).ID
	eventually(h.t, "the message is on the air", func() bool { return h.bank.Network.Len() == 1 })
	d.kill()
	close(release)
	return g, id
}

func TestAGatewayIsAskedWhatBecameOfAMessageWhenTheDaemonWasKilled(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{})
	_, id := h.inDoubt()
	d := h.fork()
	defer d.kill()
	m := h.becomes(id, "sent")
	if m.Parts[0].MR == nil || m.Channel == "" || m.Attempts != 1 {
		t.Errorf("the message is %+v", m)
	}
	if n := h.bank.Network.Len(); n != 1 {
		t.Errorf("%d segments are on the air, want 1", n)
	}
}

func TestAGatewayThatForgotAMessageLeavesItInDoubt(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{})
	g, id := h.inDoubt()
	g.Reboot()
	d := h.fork()
	defer d.kill()
	h.ready(3)
	// The next message goes the way of the first, so that the question came before it.
	after := h.submit(client.NewMessage{To: "098344485", Text: "after", Campaign: "test1"}).ID
	h.becomes(after, "sent")
	if m := h.message(id); m.Status != "unknown" {
		t.Errorf("the message is %s: %s", m.Status, m.Reason)
	}
	if n := h.bank.Network.Len(); n != 2 {
		t.Errorf("%d segments are on the air, want 2", n)
	}
}
