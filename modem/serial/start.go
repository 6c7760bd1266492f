package serial

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// start brings the modem from whatever it is in to ready. It returns when the
// modem is ready, lost, silent, or has started again.
func (l *lane) start(ctx context.Context) error {
	l.nudge(func(c *chores) { c.restart, c.verify = false, false }) // that is what begins here
	l.linked.Store(false)
	if err := l.s.Init(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		l.identify, l.unlock, l.identifySIM, l.setUp, l.empty, l.register, l.look,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	l.state(gateway.ChannelReady, "")
	c := l.channel()
	l.log.Info("modem ready", slog.String("device", c.Device), slog.String("model", c.Model), slog.String("quirks", l.quirk().name),
		slog.String("operator", c.Operator), slog.Int("signal", c.Signal))
	return nil
}

// setting is a command of the set-up. A modem that refuses it serves all the same,
// unless it is needed.
type setting struct {
	cmd    string
	needed bool
}

// setUp makes the modem keep messages and tell of them. It is repeated whenever the
// modem may have forgotten.
func (l *lane) setUp(ctx context.Context) error {
	settings := []setting{
		{"+CMEE=1", false}, {"+CMGF=0", true}, {"+CSMS=0", false},
		{"+CREG=1", false}, {"+CREG=2", false}, {"+CEREG=2", false}, // old modems stay at 1
	}
	if cs := l.quirk().cscs; cs != "" {
		settings = append(settings, setting{`+CSCS="` + cs + `"`, false})
	}
	for _, set := range settings {
		if _, err := l.s.Command(ctx, set.cmd); err != nil && set.needed || optional(err) != nil {
			return err
		}
	}
	if err := l.centre(ctx); err != nil {
		return err
	}
	if err := l.choose(ctx, l.place()); err != nil {
		return err
	}
	return l.announce(ctx)
}

// place is the memory that messages are to be kept in: the SIM's, which moves with it.
func (l *lane) place() string {
	if m := l.quirk().memory; m != "" {
		return m
	}
	return "SM"
}

// centre sets the SMSC's address where one is configured, and reads it.
func (l *lane) centre(ctx context.Context) error {
	if want := l.o.Port.SMSC; want != "" {
		toa := 129 // TS 24.011 §8.2.5.2: unknown
		if want[0] == '+' {
			toa = 145 // international
		}
		if _, err := l.s.Command(ctx, fmt.Sprintf(`+CSCA="%s",%d`, want, toa)); optional(err) != nil {
			return err
		}
	}
	lines, err := l.s.Query(ctx, "+CSCA?", "+CSCA")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	addr, _, _ := strings.Cut(lines[0], ",")
	l.set(func(c *gateway.Channel) { c.SMSC = strings.Trim(addr, `" `) })
	return nil
}

// announce has the modem tell of messages and reports: the first way that it takes.
func (l *lane) announce(ctx context.Context) error {
	for _, args := range l.quirk().cnmi {
		_, err := l.s.Command(ctx, "+CNMI="+args)
		if err == nil {
			l.cnmi = args
			return nil
		}
		if at.RefusalOf(err) == nil {
			return err
		}
	}
	l.log.Warn("the modem takes no +CNMI: inbound messages wait for the next look at its memory")
	l.cnmi = ""
	return nil
}

// empty takes over what waits in the memories: that of the modem, where another
// setting may have put messages, and then the one where they are kept.
func (l *lane) empty(ctx context.Context) error {
	if err := l.read(ctx, "ME"); err != nil {
		return err
	}
	if l.memory != l.home {
		if err := l.list(ctx); err != nil {
			return err
		}
	}
	return l.sweep(ctx)
}
