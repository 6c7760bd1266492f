package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/dinstar"
	"fieldpost/modem/sim"
)

// The secret of the pushes of these tests, and another one.
const (
	pushSecret  = "6f1c0b9a7d3e48f2a5b40c1d9e8f7a63"
	otherSecret = "0123456789abcdef0123456789abcdef"
)

// seldom is so seldom that nothing but a push has a gateway asked a second time.
func seldom() dinstar.Every {
	return dinstar.Every{Inbox: time.Hour, Reports: time.Hour, Pushed: time.Hour}
}

// pushRack puts a simulated gateway that pushes on the house's network, and makes its provider.
func (h *house) pushRack(o sim.DinstarOptions) *sim.Dinstar {
	h.t.Helper()
	o.Network, o.Password, o.Push = h.bank.Network, "s3cret", h.url("/hooks/dinstar/rack/"+pushSecret)
	g, err := sim.OpenDinstar(o)
	must(h.t, err)
	h.t.Cleanup(func() { g.Close() })
	_, err = h.CreateProvider(h.t.Context(), client.Provider{
		Name: "rack", Type: gateway.TypeDinstarWebPush, URL: g.URL(), User: "admin", Password: "s3cret", PushSecret: pushSecret, Report: true,
	})
	must(h.t, err)
	return g
}

func TestAGatewayThatPushesIsHeardAtOnceWhateverItSaysTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{polls: seldom()})
	g := h.pushRack(sim.DinstarOptions{Ports: 2})
	h.ready(3)
	deliver := func(i int) {
		must(t, h.bank.Network.Deliver(sim.Incoming{From: "+59898344484", To: g.Card(i % 2).ICCID(), Text: fmt.Sprint("in ", i)}))
	}
	deliver(0)
	eventually(t, "the first message is stored", func() bool { return len(h.inbox()) == 1 })
	early := g.Pushes() // some were pushed before there was a provider
	// The look at the start is over: only a push explains what comes from here on.
	g.PushTwice(true)
	g.HoldPushes()
	for i := range 5 {
		deliver(i + 1)
	}
	g.ReleasePushes() // the last one first
	eventually(t, "the others are stored", func() bool { return len(h.inbox()) >= 6 })
	deliver(6)
	eventually(t, "one more is stored", func() bool { return slices.Contains(h.inbox(), "in 6") })
	got := h.inbox()
	slices.Sort(got)
	if want := []string{"in 0", "in 1", "in 2", "in 3", "in 4", "in 5", "in 6"}; !slices.Equal(got, want) {
		t.Errorf("stored are %q, want each once", got)
	}

	h.bank.Network.SetReports(sim.Reports{Delay: 100 * time.Millisecond})
	m := h.submit(client.NewMessage{To: "+59898344484", Text: "out", Campaign: h.pushCampaign()})
	h.becomes(m.ID, "delivered")
	if s := g.Pushes(); s.Refused != early.Refused || s.Lost != 0 || s.Taken == early.Taken {
		t.Errorf("the pushes came to %+v, of which %+v before there was a provider", s, early)
	}
	if strings.Contains(h.log.String(), pushSecret) {
		t.Error("the log holds the secret of the pushes")
	}
}

// pushCampaign makes a campaign that sends over the rack.
func (h *house) pushCampaign() string {
	h.t.Helper()
	c, err := h.CreateCampaign(h.t.Context(), client.Campaign{Name: "over-rack", Provider: "rack"})
	must(h.t, err)
	return c.Name
}

func TestAPushIsTakenFromItsGatewayAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{polls: seldom()})
	g := h.pushRack(sim.DinstarOptions{Ports: 1})
	h.ready(2)
	provider := func(name, typ string, change func(*client.Provider)) {
		p := client.Provider{Name: name, Type: typ, URL: "http://127.0.0.9:1/" + name, User: "admin", Password: "s3cret"}
		change(&p)
		_, err := h.CreateProvider(t.Context(), p)
		must(t, err)
	}
	provider("elsewhere", gateway.TypeDinstarWebPush, func(p *client.Provider) { p.PushSecret = otherSecret })
	provider("beside", gateway.TypeDinstarWebPush, func(p *client.Provider) { p.PushSecret, p.PushFrom = otherSecret, []string{"127.0.0.0/8"} })
	provider("silent", gateway.TypeDinstarWeb, func(p *client.Provider) {})
	off := false
	provider("off", gateway.TypeDinstarWebPush, func(p *client.Provider) {
		p.PushSecret, p.Enabled, p.PushFrom = otherSecret, &off, []string{"127.0.0.1"}
	})

	event := fmt.Sprintf(`{"sn":%q,"sms":[{"incoming_sms_id":1}]}`, g.Serial())
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"rack/" + pushSecret, event, 200},
		{"rack/" + pushSecret, `{"brand_new":[]}`, 200},
		{"rack/" + otherSecret, event, 404},
		{"rack/" + pushSecret + "/", event, 404},
		{"rack/", event, 404},
		{"rack", event, 404},
		{"nobody/" + pushSecret, event, 404},
		{"silent/" + pushSecret, event, 404},
		{"silent/", event, 404},
		{"off/" + otherSecret, event, 404},
		{"elsewhere/" + otherSecret, event, 403},
		{"beside/" + otherSecret, event, 200},
		{"rack/" + pushSecret, `{"sn":"da00-6666","sms":[{"incoming_sms_id":1}]}`, 403},
		{"rack/" + pushSecret, "<html>", 422},
		{"rack/" + pushSecret, `{"sms":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
	} {
		a := h.call("POST", "/hooks/dinstar/"+c.path, "application/json", strings.NewReader(c.body))
		if a.status != c.status {
			t.Errorf("a push to %s is answered %d %q, want %d", c.path, a.status, a.body, c.status)
		}
		if c.status == 404 && a.body != "not found" {
			t.Errorf("a push to %s learns %q", c.path, a.body)
		}
	}
	for _, want := range []string{"has the right secret and comes from an address that is not in push_from", "the push is of gateway da00-6666"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if n := len(h.inbox()); n != 0 {
		t.Errorf("%d messages were stored from what anybody may write", n)
	}
}

func TestABoxThatNoGatewayCanReachSaysSo(t *testing.T) {
	t.Parallel()
	const warning = "the gateway cannot push"
	for _, c := range []struct {
		listen, from string
		warns        bool
	}{{"127.0.0.1:0", "192.0.2.20", true}, {"127.0.0.1:0", "127.0.0.1", false}, {":0", "192.0.2.20", false}} {
		h := newHouse(t, setup{listen: c.listen})
		_, p := h.gate(sim.DinstarOptions{Ports: 1})
		p.Type, p.PushSecret, p.PushFrom = gateway.TypeDinstarWebPush, pushSecret, []string{c.from}
		_, err := h.CreateProvider(t.Context(), p)
		must(t, err)
		h.ready(2)
		if got := strings.Contains(h.log.String(), warning); got != c.warns {
			t.Errorf("a box that listens at %s, for pushes from %s: warned %v", c.listen, c.from, got)
		}
	}
}

func TestAChangedSecretHoldsFromTheNextPushOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{polls: seldom()})
	h.pushRack(sim.DinstarOptions{Ports: 1})
	h.ready(2)
	p, err := h.Provider(t.Context(), "rack")
	must(t, err)
	if p.PushSecret != "" {
		t.Error("the secret is shown")
	}
	p.PushSecret = otherSecret
	_, err = h.UpdateProvider(t.Context(), p)
	must(t, err)
	for secret, want := range map[string]int{pushSecret: 404, otherSecret: 200} {
		if a := h.call("POST", "/hooks/dinstar/rack/"+secret, "application/json", strings.NewReader(`{"sms":[]}`)); a.status != want {
			t.Errorf("it is answered %d, want %d", a.status, want)
		}
	}
	must(t, h.DeleteProvider(t.Context(), "rack"))
	if a := h.call("POST", "/hooks/dinstar/rack/"+otherSecret, "application/json", strings.NewReader(`{"sms":[]}`)); a.status != 404 {
		t.Errorf("a provider that is gone answers %d", a.status)
	}
}
