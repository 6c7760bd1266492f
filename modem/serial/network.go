package serial

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem/internal/at"
)

// register waits until the modem may use a network.
func (r *run) register(ctx context.Context) error {
	for {
		if err := r.sameSIM(ctx); err != nil { // a wait of hours is long enough to change it
			return err
		}
		reg, err := r.registration(ctx)
		if err != nil {
			return err
		}
		r.set(func(c *gateway.Channel) { c.Registration = reg })
		if err := r.onAir(ctx, reg); err != nil || reg.Usable() {
			return err
		}
		r.state(gateway.ChannelStarting, regReason(reg))
		if err := r.pause(ctx, r.o.Every.Network); err != nil {
			return err
		}
	}
}

// onAir keeps since when there is no network. A radio that is stuck finds none for hours,
// and one at once when it is switched off and on; a network that denies the SIM is none
// that this would help with.
func (r *run) onAir(ctx context.Context, reg gateway.Registration) error {
	switch {
	case reg.Usable() || reg == gateway.RegDenied:
		r.offline = time.Time{}
	case r.offline.IsZero():
		r.offline = time.Now()
	case time.Since(r.offline) >= r.o.Every.Offline:
		return r.cycle(ctx, fmt.Sprintf("no network for %s", shortly(r.o.Every.Offline)))
	}
	return nil
}

// pause waits, but no longer than until there is news. errAgain: the modem restarted.
func (r *run) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.wake:
		if r.restarted() {
			return errAgain
		}
	case <-ctx.Done():
		return ctx.Err()
	case <-r.s.Done():
		return r.s.Cause()
	}
	return nil
}

// restarted says that the modem told of a restart. What else waits, waits on.
func (r *run) restarted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.todo.restart
}

// registration asks for the registration: that of the circuit-switched network, or
// of LTE where messages travel over it (TS 27.007 §7.2, §10.1.22).
func (r *run) registration(ctx context.Context) (gateway.Registration, error) {
	best := gateway.RegUnknown
	for _, name := range []string{"+CREG", "+CEREG"} {
		lines, err := r.s.Query(ctx, name+"?", name)
		if err := optional(err); err != nil {
			return best, err
		}
		if len(lines) == 0 {
			continue
		}
		reg := parseRegistration(lines[0])
		if reg.Usable() {
			return reg, nil
		}
		if name == "+CREG" {
			best = reg
		}
	}
	return best, nil
}

// parseRegistration reads <n>,<stat>[,...] (TS 27.007 §7.2).
func parseRegistration(args string) gateway.Registration {
	switch n := stat(args, 1); n {
	case 6: // registered for messages only: that is what we need
		return gateway.RegHome
	case 7:
		return gateway.RegRoaming
	case 0, 1, 2, 3, 4, 5:
		return gateway.Registration(n)
	}
	return gateway.RegUnknown
}

// look asks for operator and signal.
func (r *run) look(ctx context.Context) error {
	if err := r.operator(ctx); err != nil {
		return err
	}
	return r.signal(ctx)
}

func (r *run) operator(ctx context.Context) error {
	if _, err := r.s.Command(ctx, "+COPS=3,0"); optional(err) != nil { // names, not numbers
		return err
	}
	lines, err := r.s.Query(ctx, "+COPS?", "+COPS")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	if name, ok := operatorName(lines[0]); ok {
		r.set(func(c *gateway.Channel) { c.Operator = name })
	}
	return nil
}

// operatorName reads +COPS: <mode>,<format>,<oper>[,<AcT>]. The name may hold a comma, and
// comes as UCS2 in hex where the modem was left with that character set (TS 27.007 §5.5).
func operatorName(args string) (string, bool) {
	f := strings.SplitN(args, ",", 3)
	if len(f) < 3 {
		return "", false
	}
	name, _, quoted := strings.Cut(strings.TrimPrefix(f[2], `"`), `"`)
	if !quoted {
		name, _, _ = strings.Cut(name, ",")
	}
	if raw, err := hex.DecodeString(name); err == nil && len(raw) >= 4 && len(raw)%2 == 0 && raw[0] == 0 {
		name = gsm7.DecodeUCS2(raw)
	}
	return strings.ToValidUTF8(strings.TrimSpace(name), "?"), true
}

func (r *run) signal(ctx context.Context) error {
	lines, err := r.s.Query(ctx, "+CSQ", "+CSQ")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	if n, ok := parseSignal(lines[0]); ok {
		r.set(func(c *gateway.Channel) { c.Signal = n })
	}
	return nil
}

// parseSignal reads <rssi>,<ber> (TS 27.007 §8.5).
func parseSignal(args string) (int, bool) {
	n, ok := at.FirstInt(args)
	return n, ok && (n <= 31 || n == gateway.SignalUnknown)
}
