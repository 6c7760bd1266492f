package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// rack puts a simulated gateway on the house's network, and makes its provider.
func (h *house) rack(o sim.DinstarOptions) *sim.Dinstar {
	h.t.Helper()
	o.Network, o.Password = h.bank.Network, "s3cret"
	g, err := sim.OpenDinstar(o)
	must(h.t, err)
	h.t.Cleanup(func() { g.Close() })
	_, err = h.CreateProvider(h.t.Context(), client.Provider{
		Name: "rack", Type: gateway.TypeDinstarWeb, URL: g.URL(), User: "admin", Password: "s3cret", Report: true,
	})
	must(h.t, err)
	return g
}

func TestABaseLeavesOverAGatewayOfTenPortsAndTheLedgerAgrees(t *testing.T) {
	t.Parallel()
	const ports, rows = 10, 200
	h := newHouse(t, setup{})
	h.rack(sim.DinstarOptions{Ports: ports, Latency: 20 * time.Millisecond, Faults: []sim.DinstarFault{
		// Each of these would be a duplicate or a false failure if the gateway was not asked.
		{Path: "send_sms", At: 5, Do: sim.AcceptAndDrop},
		{Path: "send_sms", At: 50, Do: sim.AnswerHTML},
		{Path: "send_sms", At: 100, Do: sim.HalfJSON},
		{Path: "send_sms", At: 150, Do: sim.AnswerCode, Code: 550},
	}})
	h.ready(1 + ports)
	h.sendsEachOnce("0-9", rows)
	if sims := h.bank.Network.PerSIM(); len(sims) != ports {
		t.Errorf("%d SIMs sent, want %d: %v", len(sims), ports, sims)
	}
	eventually(t, "every report has come", func() bool { return h.counters("test1").ByStatus["delivered"] == rows })
}

// sendsEachOnce lets a base leave over the rack: each row is once on the air, and known to be.
func (h *house) sendsEachOnce(ports string, rows int) {
	h.t.Helper()
	h.started("test1", func(d *client.Dialer) { d.Provider, d.DialString = "rack", ports })
	h.base("test1", numbered("test1", rows))
	c := h.processed("test1")
	if c.ByStatus["sent"]+c.ByStatus["delivered"] != uint64(rows) {
		h.t.Errorf("the counters are %+v", c)
	}
	copies := h.bank.Network.Copies()
	for to, n := range copies {
		if n != 1 {
			h.t.Errorf("%d copies of %q", n, to.Text)
		}
	}
	if len(copies) != rows {
		h.t.Errorf("%d different messages on the air, want %d", len(copies), rows)
	}
}

// A gateway that takes every third message and drops the connection instead of saying so:
// no duplicate, no false failure, and none in doubt, for it is asked.
func TestAGatewayThatDropsEveryThirdAnswerSendsEachRowOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.rack(sim.DinstarOptions{Ports: 4, Latency: 20 * time.Millisecond, Faults: []sim.DinstarFault{
		{Path: "send_sms", Every: 3, Do: sim.AcceptAndDrop},
	}})
	h.ready(1 + 4)
	h.sendsEachOnce("0-3", 120)
}

func TestWhatAGatewayReceivesIsStoredOnceWhateverRestarts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g := h.rack(sim.DinstarOptions{Ports: 2})
	h.ready(3)
	deliver := func(i int) {
		must(t, h.bank.Network.Deliver(sim.Incoming{From: "+59898344484", To: g.Card(i % 2).ICCID(), Text: fmt.Sprint("in ", i)}))
	}
	stored := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprint(n, " messages are stored"), func() bool { return len(h.inbox()) >= n })
		if got := h.inbox(); len(got) != n {
			t.Errorf("stored are %q, want %d", got, n)
		}
	}
	for i := range 3 {
		deliver(i)
	}
	stored(3)
	h.stop()
	deliver(3)
	h.start()
	h.ready(3)
	stored(4)
}

func TestAGatewayServesOneProvider(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g := h.rack(sim.DinstarOptions{Ports: 2})
	h.ready(3)
	_, err := h.CreateProvider(t.Context(), client.Provider{Name: "sack", Type: gateway.TypeDinstarWeb, URL: g.URL() + "/", User: "admin", Password: "wrong"})
	if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), "provider rack has "+g.URL()) {
		t.Errorf("it gives %v", err)
	}
	// What the file says is not asked for leave: the stored provider makes way.
	h.stop()
	must(t, os.WriteFile(filepath.Join(h.dir, "sack"), []byte("s3cret"), 0o600))
	h.o.sections = fmt.Sprintf("[[provider]]\nname = \"sack\"\ntype = \"DinstarWeb\"\nurl = %q\nuser = \"admin\"\npassword_file = \"sack\"\n", g.URL()+"/")
	h.start()
	h.ready(3)
	eventually(t, "the second provider says whose the gateway is", func() bool {
		s, err := h.Channels(t.Context())
		must(t, err)
		for _, c := range s.Items {
			if c.Provider == "rack" {
				return strings.Contains(c.Reason, "provider sack has this device")
			}
		}
		return false
	})
	if n := g.WrongLogins(); n != 0 {
		t.Errorf("%d wrong logins at a gateway that is another provider's", n)
	}
}

// inbox gives the texts of the received messages.
func (h *house) inbox() []string {
	h.t.Helper()
	page, err := h.Inbound(h.t.Context(), client.List{})
	must(h.t, err)
	var texts []string
	for _, in := range page.Items {
		texts = append(texts, in.Text)
	}
	return texts
}
