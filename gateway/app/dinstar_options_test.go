package app

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem/dinstar"
	"fieldpost/modem/sim"
)

// gate opens a simulated gateway on the house's network, with no provider yet.
func (h *house) gate(o sim.DinstarOptions) (*sim.Dinstar, client.Provider) {
	h.t.Helper()
	o.Password = "s3cret"
	if o.Network == nil {
		o.Network = h.bank.Network
	}
	g, err := sim.OpenDinstar(o)
	must(h.t, err)
	h.t.Cleanup(func() { g.Close() })
	return g, client.Provider{Name: "rack", Type: gateway.TypeDinstarWeb, URL: g.URL(), User: "admin", Password: "s3cret"}
}

// rackChannels gives the channels of the rack, by id.
func (h *house) rackChannels() (ids []string, reasons string) {
	h.t.Helper()
	all, err := h.Channels(h.t.Context())
	must(h.t, err)
	for _, c := range all.Items {
		if c.Provider == "rack" {
			ids = append(ids, c.ID)
			reasons += c.Reason + "; "
		}
	}
	return ids, reasons
}

func TestAProviderUsesThePortsThatItNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	_, p := h.gate(sim.DinstarOptions{Ports: 4})
	p.UsePorts = "1,3"
	_, err := h.CreateProvider(t.Context(), p)
	must(t, err)
	h.ready(3)
	if ids, _ := h.rackChannels(); !slices.Equal(ids, []string{"rack/1", "rack/3"}) {
		t.Errorf("the channels are %q", ids)
	}
	p, err = h.Provider(t.Context(), "rack")
	must(t, err)
	p.UsePorts = "0-2"
	_, err = h.UpdateProvider(t.Context(), p)
	must(t, err)
	eventually(t, "the other ports are used", func() bool {
		ids, _ := h.rackChannels()
		return slices.Equal(ids, []string{"rack/0", "rack/1", "rack/2"})
	})
}

func TestAProviderGivesAPasswordToNobodyWhoAsksForItInClearUnlessItSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g, p := h.gate(sim.DinstarOptions{Ports: 1, Auth: sim.DinstarBasic})
	p.Auth = gateway.AuthDigest
	_, err := h.CreateProvider(t.Context(), p)
	must(t, err)
	eventually(t, "the login is refused", func() bool {
		_, reasons := h.rackChannels()
		return strings.Contains(reasons, "refuses this user and password")
	})
	if n := g.WrongLogins(); n != 0 {
		t.Errorf("%d passwords were shown to a gateway that wants them in clear", n)
	}
	p, err = h.Provider(t.Context(), "rack")
	must(t, err)
	p.Auth = gateway.AuthBasic
	_, err = h.UpdateProvider(t.Context(), p)
	must(t, err)
	h.ready(2)
}

func TestAGatewayOverTLSIsBelievedByItsFingerprint(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	g, p := h.gate(sim.DinstarOptions{Ports: 1})
	front := httptest.NewUnstartedServer(g.Handler())
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	t.Cleanup(front.Close)
	met := fmt.Sprintf("%x", sha256.Sum256(front.Certificate().Raw))
	p.URL = front.URL
	_, err := h.CreateProvider(t.Context(), p)
	must(t, err)
	eventually(t, "the channel says which certificate was met", func() bool {
		_, reasons := h.rackChannels()
		return strings.Contains(reasons, met)
	})
	p, err = h.Provider(t.Context(), "rack")
	must(t, err)
	p.Certificate = met
	_, err = h.UpdateProvider(t.Context(), p)
	must(t, err)
	h.ready(2)
}

func TestTheTimesOfAGatewayAreReadInItsZone(t *testing.T) {
	t.Parallel()
	for named, wall := range map[string]string{"": "America/Montevideo", "Asia/Tokyo": "Asia/Tokyo"} {
		zone, err := time.LoadLocation(wall)
		must(t, err)
		network := sim.NewNetwork(sim.NetworkOptions{Now: func() time.Time { return time.Now().In(zone) }})
		t.Cleanup(func() { network.Close() })
		h := newHouse(t, setup{polls: dinstar.Every{Inbox: 10 * time.Millisecond}})
		g, p := h.gate(sim.DinstarOptions{Ports: 1, Network: network})
		p.DeviceZone = named
		_, err = h.CreateProvider(t.Context(), p)
		must(t, err)
		h.ready(2)
		must(t, network.Deliver(sim.Incoming{From: "+59898344484", To: g.Card(0).ICCID(), Text: "when"}))
		eventually(t, "it is stored", func() bool { return len(h.inbox()) == 1 })
		page, err := h.Inbound(t.Context(), client.List{})
		must(t, err)
		in := page.Items[0]
		// A gateway writes whole seconds: a time that could not be believed would be ours.
		if off := in.Received.Sub(in.Sent).Abs(); off > time.Minute || in.Sent.Nanosecond() != 0 {
			t.Errorf("from a gateway in %s, told as %q, it was sent at %v and received at %v", wall, named, in.Sent, in.Received)
		}
	}
}

func TestEveryOptionOfAGatewayHasItsDriverMadeAnew(t *testing.T) {
	base := func() *catalog.Provider {
		return &catalog.Provider{Provider: gateway.Provider{Name: "rack", Type: gateway.TypeDinstarWeb, URL: "https://192.0.2.20"}}
	}
	seen := map[string]string{dinstarVersion(base()): "nothing"}
	for what, change := range map[string]func(p *catalog.Provider){
		"type":        func(p *catalog.Provider) { p.Type = gateway.TypeDinstarWebPush },
		"report":      func(p *catalog.Provider) { p.Report = true },
		"url":         func(p *catalog.Provider) { p.URL = "https://192.0.2.21" },
		"user":        func(p *catalog.Provider) { p.User = "x" },
		"password":    func(p *catalog.Provider) { p.Password = "x" },
		"auth":        func(p *catalog.Provider) { p.Auth = "basic" },
		"use_ports":   func(p *catalog.Provider) { p.UsePorts = "0-3" },
		"device_zone": func(p *catalog.Provider) { p.DeviceZone = "Asia/Tokyo" },
		"certificate": func(p *catalog.Provider) { p.Certificate = strings.Repeat("ab", sha256.Size) },
	} {
		p := base()
		change(p)
		v := dinstarVersion(p)
		if same, there := seen[v]; there {
			t.Errorf("a change of %s looks like one of %s", what, same)
		}
		seen[v] = what
	}
}
