package app

import (
	"net"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// dialsIn makes a provider whose gateway dials in, and that gateway on the house's network.
func (h *house) dialsIn(o sim.DWGOptions) *sim.DWG {
	h.t.Helper()
	o.Network, o.Address, o.User, o.Password = h.bank.Network, freeAddress(h.t), "admin", "s3cret"
	o.First, o.Redial, o.Resend = 100, 5*time.Millisecond, 200*time.Millisecond
	_, err := h.CreateProvider(h.t.Context(), client.Provider{
		Name: "dwg", Type: gateway.TypeDinstar, URL: "tcp://" + o.Address, User: "admin", Password: "s3cret",
	})
	must(h.t, err)
	g, err := sim.NewDWG(o)
	must(h.t, err)
	h.t.Cleanup(func() { g.Close() })
	return g
}

// freeAddress gives an address of the loopback where nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, ln.Close())
	return ln.Addr().String()
}

func TestABaseLeavesOverAGatewayThatDialsInAndTheLedgerAgrees(t *testing.T) {
	t.Parallel()
	const ports, rows = 8, 200
	h := newHouse(t, setup{})
	late := make(chan struct{})
	told := make(chan struct{})
	g := h.dialsIn(sim.DWGOptions{Ports: ports, Latency: 5 * time.Millisecond, Faults: []sim.DWGFault{
		// Each would be a duplicate or a false failure if its result was guessed.
		{Do: sim.DWGLate, Until: late, Said: told}, {Do: sim.DWGSent}, {Do: sim.DWGDrop},
		{Chance: 0.02, Do: sim.DWGTwice}, {Chance: 0.02, Do: sim.DWGResult, Code: 1}, {Chance: 0.02, Do: sim.DWGNack},
	}})
	h.ready(1 + ports)
	h.started("test1", func(d *client.Dialer) { d.Provider, d.DialString = "dwg", "0-7" })
	h.base("test1", numbered("test1", rows))
	eventually(t, "a part is on the air", func() bool { return h.bank.Network.Len() >= rows/4 })
	g.Drop()
	close(late)
	<-told
	eventually(t, "half is on the air", func() bool { return h.bank.Network.Len() >= rows/2 })
	g.Unplug()
	eventually(t, "its channels say that it is gone", func() bool { return h.absent("dwg") == ports })
	g.Replug()
	c := h.processed("test1")
	copies := h.bank.Network.Copies()
	for m, err := range client.All(func(l client.List) (client.Page[client.Message], error) {
		return h.Messages(t.Context(), client.MessageQuery{List: l, Campaign: "test1"})
	}) {
		must(t, err)
		n := copies[sim.Copy{To: m.To, Text: m.Text}]
		if m.Status == "sent" && n != 1 || m.Status == "unknown" && n > 1 || m.Status == "failed" && n != 0 {
			t.Errorf("message %s is %s, and %d times on the air", m.ID, m.Status, n)
		}
	}
	if c.ByStatus["sent"] < rows/2 || c.ByStatus["failed"] == 0 || c.ByStatus["sent"]+c.ByStatus["unknown"]+c.ByStatus["failed"] != rows {
		t.Errorf("the counters are %+v", c)
	}
}

// absent counts the channels of a provider whose device is not there.
func (h *house) absent(provider string) (n int) {
	h.t.Helper()
	s, err := h.Channels(h.t.Context())
	must(h.t, err)
	for _, c := range s.Items {
		if c.Provider == provider && c.State == "absent" {
			n++
		}
	}
	return n
}

func TestAGatewayThatDialsInReceivesOnceWhateverRestarts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g := h.dialsIn(sim.DWGOptions{Ports: 2})
	h.ready(3)
	g.DeliverTwice()
	deliver := func(port int, text string) {
		must(t, h.bank.Network.Deliver(sim.Incoming{From: "+59898344484", To: g.Card(port).ICCID(), Text: text}))
	}
	deliver(0, "first")
	deliver(1, strings.Repeat("a long one ", 30))
	eventually(t, "both are stored", func() bool { return len(h.inbox()) >= 2 })
	h.stop()
	deliver(0, "while nobody listens")
	h.start()
	h.ready(3)
	eventually(t, "the third is stored", func() bool { return len(h.inbox()) >= 3 })
	eventually(t, "the gateway holds nothing back", func() bool { return g.Stored(0)+g.Stored(1) == 0 })
	if got := h.inbox(); len(got) != 3 {
		t.Errorf("stored are %q", got)
	}
}

func TestTwoProvidersThatListenInOnePlaceAreTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.dialsIn(sim.DWGOptions{Ports: 1})
	h.ready(2)
	first, err := h.Provider(t.Context(), "dwg")
	must(t, err)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(first.URL, "tcp://"))
	must(t, err)
	_, err = h.CreateProvider(t.Context(), client.Provider{
		Name: "second", Type: gateway.TypeDinstar, URL: "tcp://:" + port, User: "admin", Password: "s3cret",
	})
	if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), "provider dwg has tcp://127.0.0.1:"+port) {
		t.Errorf("it gives %v", err)
	}
}

// The gateway names a result by port and number alone, and tells it to whoever listens then.
func TestAResultOfBeforeARestartIsNotTheNextMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g := h.dialsIn(sim.DWGOptions{Ports: 1})
	h.ready(2)
	release, hit := make(chan struct{}), make(chan struct{})
	defer close(release)
	g.Inject(sim.DWGFault{Do: sim.DWGLate, Until: release, Hit: hit})
	h.started("test1", func(d *client.Dialer) { d.Provider, d.DialString = "dwg", "0" })
	first := h.submit(client.NewMessage{To: "098344484", Text: "before", Campaign: "test1"}).ID
	<-hit
	h.stop()
	h.start()
	h.becomes(first, "unknown")
	h.ready(2)
	second := h.submit(client.NewMessage{To: "098344484", Text: "after", Campaign: "test1"}).ID
	eventually(t, "the next message waits", func() bool {
		tl, err := h.Timeline(t.Context(), second)
		must(t, err)
		for _, l := range tl.Steps {
			if strings.Contains(l.Text, "earlier message to this number") {
				return true
			}
		}
		return false
	})
	if m := h.message(second); m.Status == "sent" || h.bank.Network.Len() != 1 {
		t.Errorf("the next message is %s, %d are on the air", m.Status, h.bank.Network.Len())
	}
}
