package dinstar

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strconv"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// Control does something to a port. It refuses with KindConflict while a send or a
// USSD request is on its way there.
func (d *Driver) Control(ctx context.Context, n int, c modem.Control, param string) error {
	s, err := d.at()
	if err != nil {
		return err
	}
	q, err := actionOf(c, param)
	if err != nil {
		return err
	}
	if err := s.seize(n, string(c)+" was asked for"); err != nil {
		return err
	}
	err = s.change(ctx, n, q)
	s.release(n, func(p *port) {
		if err == nil && (c == modem.ControlBlock || c == modem.ControlUnblock) {
			p.blocked = c == modem.ControlBlock
		}
	})
	return err
}

// actionOf writes a control in the words of set_port_info. imei, lock and unlock are none
// of them: the first is unlawful in many countries, the others can lock a card for good.
func actionOf(c modem.Control, param string) (url.Values, error) {
	if c != modem.ControlSlot && param != "" {
		return nil, gateway.Invalid("param", "must be empty: only slot takes one")
	}
	switch c {
	case modem.ControlPowerOff:
		return url.Values{"action": {"power"}, "param": {"off"}}, nil
	case modem.ControlPowerOn:
		return url.Values{"action": {"power"}, "param": {"on"}}, nil
	case modem.ControlBlock, modem.ControlUnblock:
		return url.Values{"action": {string(c)}}, nil
	case modem.ControlSlot:
		if !slices.Contains([]string{"0", "1", "2", "3"}, param) {
			return nil, gateway.Invalid("param", "must be the number of a slot, 0 to 3")
		}
		return url.Values{"action": {"slot"}, "param": {param}}, nil
	}
	return nil, gateway.Invalid("action", "must be one of %v", modem.Controls())
}

// reset restarts a port.
func (s *site) reset(ctx context.Context, n int) error {
	if err := s.seize(n, "the port is being restarted"); err != nil {
		return err
	}
	// Some firmware insists on a param.
	err := s.change(ctx, n, url.Values{"action": {"reset"}, "param": {"1"}})
	s.release(n, nil)
	return err
}

// change asks set_port_info.
func (s *site) change(ctx context.Context, n int, q url.Values) error {
	q.Set("port", strconv.Itoa(n))
	_, err := s.api.get(ctx, "set_port_info", q)
	s.log.Info("a port was to be changed", slog.Int("port", n), slog.String("action", q.Get("action")),
		slog.String("param", q.Get("param")), slog.Bool("done", err == nil))
	return err
}

// seize takes a port out of use while something is done to it, unless something is on its
// way there.
func (s *site) seize(n int, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[n]
	switch {
	case p == nil:
		return gateway.Invalid("port", "the gateway has no port %d", n)
	case p.sending || p.dialing:
		return gateway.Errorf(gateway.KindConflict, "a send or a USSD request is on its way on this port")
	case p.seized != "":
		return gateway.Errorf(gateway.KindConflict, "something else is being done to this port")
	}
	p.seized = why
	s.set(p, func(*gateway.Channel) {})
	return nil
}

// release gives a port back, and has it looked at.
func (s *site) release(n int, change func(p *port)) {
	s.mu.Lock()
	p := s.ports[n]
	p.seized = ""
	if change != nil {
		change(p)
	}
	s.mu.Unlock()
	s.lookSoon()
}
