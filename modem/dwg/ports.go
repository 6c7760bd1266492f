package dwg

import (
	"fmt"
	"sync"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// ports is what is known of the gateway's ports. Until it has told how many there
// are, port 0 stands for the gateway: each has one.
type ports struct {
	host modem.Host

	mu   sync.Mutex // held while the host is told, so that it hears things in their order
	here bool       // a gateway is connected
	all  []gateway.Channel
}

func newPorts(host modem.Host) *ports {
	p := &ports{host: host}
	p.grow(1)
	return p
}

// grow makes room for n ports. p.mu is held, or p is new.
func (p *ports) grow(n int) {
	for i := len(p.all); i < n && i <= gateway.MaxPort; i++ {
		p.all = append(p.all, gateway.Channel{Port: i, Model: "Dinstar", Signal: gateway.SignalUnknown})
	}
}

// away says that the gateway is not there, and why.
func (p *ports) away(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here = false
	p.each(func(c *gateway.Channel) {
		c.State, c.Reason, c.Registration, c.Signal = gateway.ChannelAbsent, why, gateway.RegUnknown, gateway.SignalUnknown
	})
}

// reason says why nobody is there, unless somebody is.
func (p *ports) reason(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.here {
		p.each(func(c *gateway.Channel) { c.Reason = why })
	}
}

// came says that a gateway is there, whose ports are not known yet.
func (p *ports) came(from string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here = true
	p.each(func(c *gateway.Channel) {
		c.State, c.Reason, c.Device = gateway.ChannelStarting, "the gateway has not told the state of the port yet", from
	})
}

// status takes over PortStatus.
func (p *ports) status(all []uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) > 0 {
		p.grow(len(all))
		for i := range p.all {
			p.all[i].Device = p.all[0].Device
		}
	}
	p.each(func(c *gateway.Channel) {
		if c.Port >= len(all) {
			c.State, c.Reason, c.Registration = gateway.ChannelAbsent, "the gateway has no such port", gateway.RegUnknown
			return
		}
		c.State, c.Reason, c.Registration = stateOf(dwgwire.Status(all[c.Port]))
	})
}

// signal takes over the signal of each port.
func (p *ports) signal(all []uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.each(func(c *gateway.Channel) {
		if c.Port < len(all) {
			c.Signal = signalOf(all[c.Port])
		}
	})
}

// each changes every port and tells the host. p.mu is held.
func (p *ports) each(change func(c *gateway.Channel)) {
	for i := range p.all {
		old := p.all[i]
		change(&p.all[i])
		if p.all[i] != old {
			p.host.Channel(p.all[i])
		}
	}
}

// ready says whether a port can send, and why not.
func (p *ports) ready(port int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case port < 0 || port >= len(p.all):
		return gateway.Errorf(gateway.KindUnavailable, "the gateway has %d ports, none of them is %d", len(p.all), port)
	case p.all[port].State != gateway.ChannelReady:
		return gateway.Errorf(gateway.KindUnavailable, "%s", p.all[port].Reason)
	}
	return nil
}

// stateOf reads the state of a port. The protocol does not tell roaming from home.
func stateOf(s dwgwire.Status) (gateway.ChannelState, string, gateway.Registration) {
	switch s {
	case dwgwire.Works:
		return gateway.ChannelReady, "", gateway.RegHome
	case dwgwire.NoSIM:
		return gateway.ChannelFault, "no SIM in the port", gateway.RegIdle
	case dwgwire.NotRegistered:
		return gateway.ChannelStarting, "the SIM is not registered at a network", gateway.RegSearching
	case dwgwire.Unavailable:
		return gateway.ChannelStarting, "the gateway says that the port is unavailable", gateway.RegUnknown
	}
	return gateway.ChannelStarting, fmt.Sprintf("the gateway gives the port the state %d, which nobody knows", s), gateway.RegUnknown
}

// signalOf reads <rssi> of AT+CSQ (TS 27.007 §8.5).
func signalOf(v uint8) int {
	if v > 31 {
		return gateway.SignalUnknown
	}
	return int(v)
}
