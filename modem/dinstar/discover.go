package dinstar

import (
	"context"
	"errors"
	"slices"

	"fieldpost/gateway"
)

// wanted are the info_type words that we can use. A word that a firmware does not know
// makes it refuse the whole request (T6), and so does no word at all (T5).
func wanted() []string {
	return []string{"reg", "signal", "imsi", "iccid", "imei", "number", "type"}
}

// find finds out which ports the gateway has. A refused login and an API that is
// turned off need a person: they are reported and tried again.
func (s *site) find(ctx context.Context) error {
	for {
		err := s.discover(ctx)
		var pause = s.o.Every.Ports
		switch gateway.KindOf(err) {
		case gateway.KindUnauthorized:
			pause = max(s.api.times.Fresh, retryOf(err))
		case gateway.KindNotFound:
		case gateway.KindNone:
			return nil
		default: // the bank tries again; without a port nobody would read why
			if ctx.Err() == nil {
				s.blame(gateway.ChannelAbsent, err.Error())
			}
			return err
		}
		s.blame(gateway.ChannelFault, err.Error())
		if !wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// discover asks for the ports and the words that the gateway knows.
func (s *site) discover(ctx context.Context) error {
	ports, err := s.listPorts(ctx)
	if err != nil {
		return err
	}
	if len(ports) == 0 {
		return gateway.Errorf(gateway.KindUnavailable, "the gateway tells of no port")
	}
	s.mu.Lock()
	for _, n := range ports {
		if s.ports[n] == nil {
			s.ports[n] = &port{channel: s.blank(n, gateway.ChannelStarting, "its state is awaited"), ussd: make(chan struct{}, 1)}
		}
	}
	s.mu.Unlock()
	return s.chooseWords(ctx, ports)
}

// listPorts gives the ports to use: those that were named, all that the gateway lists
// unasked, or those that it knows one by one. A port that is not there makes some
// firmware refuse the whole list (T7).
func (s *site) listPorts(ctx context.Context) ([]int, error) {
	if len(s.o.Ports) > 0 {
		return s.o.Ports, s.greet(ctx, s.o.Ports)
	}
	a, err := s.info(ctx, nil, []string{"reg"})
	if err == nil && len(a.Info) > 0 {
		return portsOf(a), nil
	}
	if err != nil && gateway.KindOf(err) != gateway.KindInvalid {
		return nil, err
	}
	var ports []int
	for n := 0; n <= gateway.MaxPort; n++ {
		a, err := s.info(ctx, []int{n}, []string{"reg"})
		switch {
		case noSuch(err) || err == nil && len(a.Info) == 0:
			return ports, nil
		case err != nil:
			return nil, err
		}
		ports = append(ports, n)
	}
	return ports, nil
}

// greet makes sure that the gateway answers and takes the login.
func (s *site) greet(ctx context.Context, ports []int) error {
	if _, err := s.info(ctx, ports[:1], []string{"reg"}); err != nil && !noSuch(err) {
		return err
	}
	return nil
}

func noSuch(err error) bool {
	k := gateway.KindOf(err)
	return k == gateway.KindInvalid || k == gateway.KindNotFound && !offline(err)
}

// offline tells the 404 of an API that is turned off from that of a port.
func offline(err error) bool {
	var e *gateway.Error
	return errors.As(err, &e) && e.Code == codeNoAPI
}

func portsOf(a answer) []int {
	var ports []int
	for _, i := range a.Info {
		if n := int(i.Port.n); i.Port.ok && n >= 0 && n <= gateway.MaxPort && !slices.Contains(ports, n) {
			ports = append(ports, n)
		}
	}
	slices.Sort(ports)
	return ports
}

// chooseWords leaves out the words that the gateway refuses.
func (s *site) chooseWords(ctx context.Context, ports []int) error {
	_, err := s.info(ctx, ports[:1], wanted())
	if gateway.KindOf(err) != gateway.KindInvalid {
		s.words = wanted()
		return err
	}
	s.words = nil
	for _, w := range wanted() {
		_, err := s.info(ctx, ports[:1], []string{w})
		switch {
		case err == nil:
			s.words = append(s.words, w)
		case gateway.KindOf(err) != gateway.KindInvalid:
			return err
		}
	}
	if !slices.Contains(s.words, "reg") {
		return gateway.Errorf(gateway.KindUnavailable, "the gateway does not tell whether its ports are registered")
	}
	return nil
}
