package dinstar

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fieldpost/gateway"
)

// blame reports all ports that may be there; port 0 stands for a gateway that did not
// tell its ports yet.
func (s *site) blame(state gateway.ChannelState, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ports) == 0 {
		for _, n := range s.expected() {
			s.host.Channel(s.blank(n, state, reason))
		}
		return
	}
	for _, p := range s.ports {
		s.set(p, func(c *gateway.Channel) { c.State, c.Reason = state, reason })
	}
}

func (s *site) expected() []int {
	if len(s.o.Ports) > 0 {
		return s.o.Ports
	}
	return []int{0}
}

// blank is the channel of a port of which nothing is known.
func (s *site) blank(n int, state gateway.ChannelState, reason string) gateway.Channel {
	return gateway.Channel{
		Port: n, State: state, Reason: reason, Device: s.api.base.Redacted(),
		Signal: gateway.SignalUnknown, Registration: gateway.RegUnknown,
	}
}

// info asks get_port_info; nil ports leaves them to the gateway.
func (s *site) info(ctx context.Context, ports []int, words []string) (answer, error) {
	q := url.Values{"info_type": {strings.Join(words, ",")}}
	if len(ports) > 0 {
		q.Set("port", joined(ports))
	}
	a, err := s.api.get(ctx, "get_port_info", q)
	if err == nil {
		s.learn(a)
	}
	return a, err
}

func joined(ports []int) string {
	words := make([]string, len(ports))
	for i, n := range ports {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

// look asks for the state of the ports. A gateway that does not answer two times in
// a row is away.
func (s *site) look(ctx context.Context) bool {
	known := s.known()
	a, err := s.info(ctx, known, s.words)
	if gateway.KindOf(err) == gateway.KindInvalid { // T7: one of them may be gone
		a, err = s.oneByOne(ctx, known)
	}
	if err == nil && len(a.Info) == 0 { // T6: or a word, with another firmware
		if err = s.chooseWords(ctx, known); err == nil {
			a, err = s.oneByOne(ctx, known)
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			s.missed(err)
		}
		return false
	}
	if s.failing > 0 {
		s.failing, s.inbox.doubt, s.lacks = 0, true, nil // it may have started again
		s.distrustClock()
		s.catchUp()
		s.log.Info("the gateway answers again")
	}
	s.take(known, a)
	return false
}

// known gives the ports, in order.
func (s *site) known() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	ports := make([]int, 0, len(s.ports))
	for n := range s.ports {
		ports = append(ports, n)
	}
	slices.Sort(ports)
	return ports
}

// oneByOne asks for each port alone; those that the gateway refuses are left out.
func (s *site) oneByOne(ctx context.Context, ports []int) (all answer, err error) {
	for _, n := range ports {
		a, err := s.info(ctx, []int{n}, s.words)
		if err != nil && !noSuch(err) {
			return all, err
		}
		all.Info = append(all.Info, a.Info...)
	}
	return all, nil
}

// missed notes a look that gave nothing, and has the next one soon.
func (s *site) missed(err error) {
	s.failing++
	s.chores[0].due = s.chores[0].due.Add(s.o.Every.Retry - s.o.Every.Ports)
	state := gateway.ChannelAbsent
	switch gateway.KindOf(err) {
	case gateway.KindUnauthorized, gateway.KindNotFound:
		state = gateway.ChannelFault
		s.chores[0].due = s.chores[0].due.Add(max(0, retryOf(err)-s.o.Every.Retry))
	default:
		if s.failing < 2 {
			return // one lost answer says nothing
		}
	}
	if s.failing <= 2 {
		s.log.Warn("the gateway does not serve", slog.Any("error", err))
	}
	s.blame(state, err.Error())
}

// take takes over what the gateway tells of its ports.
func (s *site) take(asked []int, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range asked {
		p := s.ports[n]
		p.refused = false
		i := slices.IndexFunc(a.Info, func(i info) bool { return i.Port.ok && i.Port.n == int64(n) })
		if i < 0 {
			s.set(p, func(c *gateway.Channel) {
				c.State, c.Reason = gateway.ChannelAbsent, "the gateway tells of no such port"
			})
			continue
		}
		s.set(p, a.Info[i].describe)
	}
}

// set changes what is known of a port and tells the host of a change. site.mu is held.
func (s *site) set(p *port, change func(c *gateway.Channel)) {
	before := p.channel
	change(&p.channel)
	s.keepBack(p)
	if p.told && p.channel == before {
		return
	}
	p.told = true
	s.host.Channel(p.channel)
}

// describe writes down what a row of get_port_info says.
func (i info) describe(c *gateway.Channel) {
	c.IMEI, c.IMSI, c.ICCID = i.IMEI.short(), i.IMSI.short(), i.ICCID.short()
	c.Number, c.Operator = i.Number.short(), i.Operator.short()
	c.Model = strings.TrimSpace("Dinstar " + i.Type.short())
	c.Signal = gateway.SignalUnknown
	if i.Signal.ok && i.Signal.n >= 0 && i.Signal.n <= 31 {
		c.Signal = int(i.Signal.n)
	}
	c.State, c.Registration, c.Reason = standing(i.Reg.short())
}

// standing reads the registration of a port.
func standing(reg string) (gateway.ChannelState, gateway.Registration, string) {
	switch strings.ToUpper(reg) {
	case "REGISTER_OK": // home or roaming: it does not tell
		return gateway.ChannelReady, gateway.RegHome, ""
	case "NO_SIM":
		return gateway.ChannelFault, gateway.RegIdle, "there is no SIM in the port"
	case "PIN_REQUIRE":
		return gateway.ChannelFault, gateway.RegIdle, "the SIM asks for its PIN: enter it in the gateway"
	case "PUK_REQUIRE":
		return gateway.ChannelFault, gateway.RegIdle, "the SIM is locked and asks for its PUK"
	case "POWER_OFF":
		return gateway.ChannelFault, gateway.RegIdle, "the port is switched off in the gateway"
	case "SEARCHING_NETWORK":
		return gateway.ChannelStarting, gateway.RegSearching, "looks for a network"
	case "UNREGISTER":
		return gateway.ChannelStarting, gateway.RegIdle, "not registered in a network"
	}
	return gateway.ChannelStarting, gateway.RegUnknown, "the gateway does not say whether the port is registered"
}

// lookSoon has the keeper look at the ports at its next turn.
func (s *site) lookSoon() {
	s.hurry.Store(true)
	s.nudge()
}
