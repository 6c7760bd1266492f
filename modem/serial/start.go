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
func (r *run) start(ctx context.Context) error {
	r.nudge(func(c *chores) { c.restart, c.verify = false, false }) // that is what begins here
	r.linked.Store(false)
	if err := r.s.Init(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.identify, r.switchOn, r.unlock, r.identifySIM, r.setUp, r.empty, r.register, r.look, r.askTime,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	r.ladder.up()
	r.state(gateway.ChannelReady, "")
	c := r.channel()
	r.log.Info("modem ready", slog.String("device", c.Device), slog.String("model", c.Model), slog.String("quirks", r.quirk().name),
		slog.String("operator", c.Operator), slog.Int("signal", c.Signal))
	return nil
}

// switchOn switches a radio on that was left off: by another program, or by a step that
// was to bring the modem back and went no further (TS 27.007 §8.2).
func (r *run) switchOn(ctx context.Context) error {
	lines, err := r.s.Query(ctx, "+CFUN?", "+CFUN")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	if n, ok := at.FirstInt(lines[0]); !ok || n == 1 {
		return nil
	}
	r.log.Warn("the modem's radio was off: it is switched on", slog.String("cfun", lines[0]))
	_, err = r.s.Command(ctx, "+CFUN=1")
	return optional(err)
}

// setting is a command of the set-up. A modem that refuses it serves all the same,
// unless it is needed.
type setting struct {
	cmd    string
	needed bool
}

// setUp makes the modem keep messages and tell of them. It is repeated whenever the
// modem may have forgotten.
func (r *run) setUp(ctx context.Context) error {
	settings := []setting{
		{"+CMEE=1", false}, {"+CMGF=0", true}, {"+CSMS=0", false},
		{"+CREG=1", false}, {"+CREG=2", false}, {"+CEREG=2", false}, // old modems stay at 1
	}
	if cs := r.quirk().cscs; cs != "" {
		settings = append(settings, setting{`+CSCS="` + cs + `"`, false})
	}
	for _, set := range settings {
		if _, err := r.s.Command(ctx, set.cmd); err != nil && set.needed || optional(err) != nil {
			return err
		}
	}
	if err := r.keepTime(ctx); err != nil {
		return err
	}
	if err := r.centre(ctx); err != nil {
		return err
	}
	if err := r.choose(ctx, r.place()); err != nil {
		return err
	}
	return r.announce(ctx)
}

// place is the memory that messages are to be kept in: the SIM's, which moves with it.
func (r *run) place() string {
	if m := r.quirk().memory; m != "" {
		return m
	}
	return "SM"
}

// centre sets the SMSC's address where one is configured, and reads it.
func (r *run) centre(ctx context.Context) error {
	if want := r.o.Port.SMSC; want != "" {
		toa := 129 // TS 24.011 §8.2.5.2: unknown
		if want[0] == '+' {
			toa = 145 // international
		}
		if _, err := r.s.Command(ctx, fmt.Sprintf(`+CSCA="%s",%d`, want, toa)); optional(err) != nil {
			return err
		}
	}
	lines, err := r.s.Query(ctx, "+CSCA?", "+CSCA")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	if addr, ok := parseSMSC(lines[0]); ok {
		r.set(func(c *gateway.Channel) { c.SMSC = addr })
	}
	return nil
}

// parseSMSC reads "+59899000000",145 (TS 27.005 §3.3.1). A SIM without a centre says so
// with an empty one.
func parseSMSC(args string) (string, bool) {
	addr, _, _ := strings.Cut(args, ",")
	addr = strings.Trim(addr, `" `)
	return addr, addr == "" || numberLike(addr)
}

// announce has the modem tell of messages and reports: the first way that it takes.
func (r *run) announce(ctx context.Context) error {
	for _, args := range r.quirk().cnmi {
		_, err := r.s.Command(ctx, "+CNMI="+args)
		if err == nil {
			r.cnmi = args
			return nil
		}
		if at.RefusalOf(err) == nil {
			return err
		}
	}
	r.log.Warn("the modem takes no +CNMI: inbound messages wait for the next look at its memory")
	r.cnmi = ""
	return nil
}

// empty takes over what waits in the memories: that of the modem, where another
// setting may have put messages, and then the one where they are kept.
func (r *run) empty(ctx context.Context) error {
	if err := r.read(ctx, "ME"); err != nil {
		return err
	}
	if r.memory != r.home {
		if err := r.list(ctx); err != nil {
			return err
		}
	}
	return r.sweep(ctx)
}
