package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// The numbers of the first card in each gateway of the demo: the modems have the first ones.
const (
	rackCards = 1001
	dwgCards  = 2001
)

// demoSite is the hardware of the demo: a bank of modems, and a Dinstar gateway of
// each kind where there is one, all on one network with one ledger.
type demoSite struct {
	*air
	rack    *sim.Dinstar // over HTTP; nil = none
	dwg     *sim.DWG     // dials in; nil = none
	listen  string       // where dwg dials
	lanes   []demoLane
	secrets string // file with the gateways' password
}

// demoLane is one provider with its dialer, and the share of the base that goes there.
type demoLane struct {
	demoBase
	provider string
	ports    int
}

// open builds the hardware.
func (f *demoFlags) open() (*demoSite, error) {
	hw := simulateFlags{
		modems: f.modems, dir: filepath.Join(f.dir, "modems"), ledger: filepath.Join(f.dir, "air.jsonl"),
		vendor: "generic", latency: f.latency, seed: f.seed, reports: f.reportDelay(), hang: -1,
	}
	a, err := hw.open()
	if err != nil {
		return nil, err
	}
	s := &demoSite{air: a, secrets: filepath.Join(f.dir, "gateways.password")}
	s.lane(f, demoName, "bank", f.modems)
	if err := s.gateways(f); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for i := range s.lanes {
		s.lanes[i].first, s.lanes[i].step = i, len(s.lanes)
	}
	f.harm(s)
	return s, nil
}

// reportDelay is how long a delivery report takes.
func (f *demoFlags) reportDelay() time.Duration { return 4 * f.latency }

func (s *demoSite) lane(f *demoFlags, dialer, provider string, ports int) {
	s.lanes = append(s.lanes, demoLane{demoBase: demoBase{rows: f.rows, campaign: dialer}, provider: provider, ports: ports})
}

// gateways adds those that were asked for.
func (s *demoSite) gateways(f *demoFlags) (err error) {
	if f.dinstar == 0 && f.dwg == 0 {
		return nil
	}
	password := rand.Text()[:gateway.MaxListenLogin]
	if err := os.WriteFile(s.secrets, []byte(password), 0o600); err != nil {
		return err
	}
	if f.dinstar > 0 {
		s.rack, err = sim.OpenDinstar(sim.DinstarOptions{
			Network: s.bank.Network, Ports: f.dinstar, First: rackCards, Password: password, Latency: f.latency,
		})
		if err != nil {
			return err
		}
		s.lane(f, demoName+"-dinstar", "rack", f.dinstar)
	}
	if f.dwg > 0 {
		if s.listen, err = unused(); err != nil {
			return err
		}
		s.dwg, err = sim.NewDWG(sim.DWGOptions{
			Network: s.bank.Network, Ports: f.dwg, First: dwgCards, Address: s.listen, User: "admin", Password: password,
			Latency: f.latency, Redial: 200 * time.Millisecond, Resend: 2 * time.Second,
		})
		if err != nil {
			return err
		}
		s.lane(f, demoName+"-dwg", "dwg", f.dwg)
	}
	return nil
}

// unused gives an address of this machine where nobody listens.
func unused() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *demoSite) close() error {
	var err error
	if s.rack != nil {
		err = s.rack.Close()
	}
	if s.dwg != nil {
		err = errors.Join(err, s.dwg.Close())
	}
	return errors.Join(err, s.air.close())
}

// config writes the providers of the daemon's configuration.
func (s *demoSite) config() string {
	var b strings.Builder
	fmt.Fprint(&b, "[[provider]]\nname = \"bank\"\ntype = \"GSM\"\nreport = true\ndefault = true\n")
	for port := range s.bank.Modems {
		fmt.Fprintf(&b, "[[provider.port]]\nport = %d\ndevice = %q\n", port, s.bank.Device(port))
	}
	gateway := func(name, kind, url string) {
		fmt.Fprintf(&b, "[[provider]]\nname = %q\ntype = %q\nurl = %q\nuser = \"admin\"\npassword_file = %q\n", name, kind, url, s.secrets)
	}
	if s.rack != nil {
		gateway("rack", "DinstarWeb", s.rack.URL())
		fmt.Fprintln(&b, "report = true")
	}
	if s.dwg != nil {
		gateway("dwg", "Dinstar", "tcp://"+s.listen)
	}
	return b.String()
}

// cards lists every SIM of the site.
func (s *demoSite) cards() []*sim.Card {
	var all []*sim.Card
	for _, m := range s.bank.Modems {
		all = append(all, m.Card())
	}
	for _, l := range s.lanes {
		for port := range l.ports {
			switch l.provider {
			case "rack":
				all = append(all, s.rack.Card(port))
			case "dwg":
				all = append(all, s.dwg.Card(port))
			}
		}
	}
	return all
}

// sim gives the card of a channel. The binary API of a gateway tells none.
func (s *demoSite) sim(ch *client.Channel) string {
	for _, l := range s.lanes {
		if l.provider == "dwg" && ch.Provider == l.provider && ch.Port < l.ports {
			return s.dwg.Card(ch.Port).ICCID()
		}
	}
	return ch.ICCID
}

// String says what there is.
func (s *demoSite) String() string {
	what := plural(len(s.bank.Modems), "modem")
	if s.rack != nil {
		what += fmt.Sprintf(", a Dinstar gateway of %s over HTTP", plural(s.rack.Ports(), "port"))
	}
	for _, l := range s.lanes {
		if l.provider == "dwg" {
			what += fmt.Sprintf(", one of %s that dials in", plural(l.ports, "port"))
		}
	}
	return what
}
