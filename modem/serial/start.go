package serial

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

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

// identify asks who the modem is, and chooses its quirks.
func (l *lane) identify(ctx context.Context) error {
	maker, err := l.word(ctx, "+CGMI")
	if err != nil {
		return err
	}
	model, err := l.word(ctx, "+CGMM")
	if err != nil {
		return err
	}
	imei, err := l.number(ctx, "+CGSN", 14, 17)
	if err != nil {
		return err
	}
	if want := l.o.Port.IMEI; want != "" && imei != "" && !sameIMEI(want, imei) {
		return gateway.Errorf(gateway.KindConflict, "%s: another modem is here: its IMEI is %s, not %s", l.channel().Device, imei, want)
	}
	l.mu.Lock()
	l.q = quirkOf(maker)
	l.mu.Unlock()
	l.set(func(c *gateway.Channel) { c.Model, c.IMEI = strings.TrimSpace(maker+" "+model), imei })
	for _, cmd := range l.quirk().init {
		if _, err := l.s.Command(ctx, cmd); optional(err) != nil {
			return err
		}
	}
	return nil
}

// sameIMEI compares the 14 digits that count: the last is a check digit or, in an
// IMEISV, a version (TS 23.003 §6.2).
func sameIMEI(a, b string) bool {
	return len(a) >= 14 && len(b) >= 14 && a[:14] == b[:14]
}

// identifySIM asks who the SIM is.
func (l *lane) identifySIM(ctx context.Context) error {
	iccid, err := l.iccid(ctx)
	if err != nil {
		return err
	}
	imsi, err := l.number(ctx, "+CIMI", 6, 15)
	if err != nil {
		return err
	}
	number, err := l.ownNumber(ctx)
	if err != nil {
		return err
	}
	l.set(func(c *gateway.Channel) { c.ICCID, c.IMSI, c.Number = iccid, imsi, number })
	return nil
}

// iccid asks for the card's number (ITU-T E.118 §4.1: 19 or 20 digits) in every way that
// the maker's modems know.
func (l *lane) iccid(ctx context.Context) (string, error) {
	for _, cmd := range l.quirk().iccid {
		info, err := l.s.Command(ctx, cmd)
		if err := optional(err); err != nil {
			return "", err
		}
		for _, line := range info {
			if _, rest, ok := strings.Cut(line, ":"); ok {
				line = rest
			}
			n := strings.TrimRight(strings.Trim(line, " \""), "Ff") // an odd length is filled up
			if len(n) >= 18 && len(n) <= 20 && digits(n) {
				return n, nil
			}
		}
	}
	return "", nil
}

// ownNumber asks for the SIM's own number: mostly nobody wrote it there.
func (l *lane) ownNumber(ctx context.Context) (string, error) {
	lines, err := l.s.Query(ctx, "+CNUM", "+CNUM")
	if err := optional(err); err != nil || len(lines) == 0 {
		return "", err
	}
	f := strings.Split(lines[0], ",")
	if len(f) < 2 {
		return "", nil
	}
	n := strings.Trim(f[1], `" `)
	if !numberLike(n) {
		return "", nil
	}
	return n, nil
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
		{"+CREG=2", false}, {"+CEREG=2", false},
	}
	if cs := l.quirk().cscs; cs != "" {
		settings = append(settings, setting{`+CSCS="` + cs + `"`, false})
	}
	for _, set := range settings {
		if _, err := l.s.Command(ctx, set.cmd); err != nil && (set.needed || at.RefusalOf(err) == nil) {
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

// register waits until the modem may use a network.
func (l *lane) register(ctx context.Context) error {
	for {
		reg, err := l.registration(ctx)
		if err != nil {
			return err
		}
		l.set(func(c *gateway.Channel) { c.Registration = reg })
		if reg.Usable() {
			return nil
		}
		l.state(gateway.ChannelStarting, regReason(reg))
		if err := l.pause(ctx, l.o.Every.Network); err != nil {
			return err
		}
	}
}

// pause waits, but no longer than until there is news. errAgain: the modem restarted.
func (l *lane) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.wake:
		if l.restarted() {
			return errAgain
		}
	case <-ctx.Done():
		return ctx.Err()
	case <-l.s.Done():
		return l.s.Cause()
	}
	return nil
}

// restarted says that the modem told of a restart. What else waits, waits on.
func (l *lane) restarted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.todo.restart
}

// registration asks for the registration: that of the circuit-switched network, or
// of LTE where messages travel over it (TS 27.007 §7.2, §10.1.22).
func (l *lane) registration(ctx context.Context) (gateway.Registration, error) {
	best := gateway.RegUnknown
	for _, name := range []string{"+CREG", "+CEREG"} {
		lines, err := l.s.Query(ctx, name+"?", name)
		if err := optional(err); err != nil {
			return best, err
		}
		if len(lines) == 0 {
			continue
		}
		n := stat(lines[0], 1)
		if n == 6 || n == 7 { // registered for messages only: that is what we need (TS 27.007 §7.2)
			n -= 5
			if n == 2 {
				n = int(gateway.RegRoaming)
			}
		}
		reg := gateway.Registration(n)
		if reg.Usable() {
			return reg, nil
		}
		if name == "+CREG" {
			best = reg
		}
	}
	return best, nil
}

// look asks for operator and signal.
func (l *lane) look(ctx context.Context) error {
	if err := l.operator(ctx); err != nil {
		return err
	}
	return l.signal(ctx)
}

func (l *lane) operator(ctx context.Context) error {
	if _, err := l.s.Command(ctx, "+COPS=3,0"); optional(err) != nil { // names, not numbers
		return err
	}
	lines, err := l.s.Query(ctx, "+COPS?", "+COPS")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	f := strings.SplitN(lines[0], ",", 4)
	if len(f) < 3 {
		return nil
	}
	l.set(func(c *gateway.Channel) { c.Operator = strings.ToValidUTF8(strings.Trim(f[2], `" `), "?") })
	return nil
}

func (l *lane) signal(ctx context.Context) error {
	lines, err := l.s.Query(ctx, "+CSQ", "+CSQ")
	if err := optional(err); err != nil || len(lines) == 0 {
		return err
	}
	if n, ok := at.FirstInt(lines[0]); ok && (n <= 31 || n == gateway.SignalUnknown) {
		l.set(func(c *gateway.Channel) { c.Signal = n })
	}
	return nil
}

// word asks for one line of text, such as a maker's name.
func (l *lane) word(ctx context.Context, cmd string) (string, error) {
	info, err := l.s.Command(ctx, cmd)
	if err := optional(err); err != nil || len(info) == 0 {
		return "", err
	}
	line := info[0]
	if rest, ok := strings.CutPrefix(line, cmd+":"); ok {
		line = rest
	}
	return strings.ToValidUTF8(strings.Trim(line, " \""), "?"), nil
}

// number asks for a line of so many digits: other lines of the answer are not it (A1).
func (l *lane) number(ctx context.Context, cmd string, least, most int) (string, error) {
	info, err := l.s.Command(ctx, cmd)
	if err := optional(err); err != nil {
		return "", err
	}
	for _, line := range info {
		if rest, ok := strings.CutPrefix(line, cmd+":"); ok {
			line = rest
		}
		if n := strings.Trim(line, " \""); len(n) >= least && len(n) <= most && digits(n) {
			return n, nil
		}
	}
	return "", nil
}
