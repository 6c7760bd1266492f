package serial

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/internal/tpdu"
)

// listen takes the unsolicited lines of a run, in order, until the port is gone.
func (l *lane) listen() {
	for u := range l.s.URCs() {
		l.hear(u)
	}
}

func (l *lane) hear(u at.URC) {
	switch u.Name {
	case "+CDS":
		l.reported(u)
	case "+CMT":
		l.delivered(u)
	case "+CMTI", "+CDSI":
		l.announced(u.Args)
	case "+CREG", "+CGREG", "+CEREG", "+C5GREG":
		l.registered(u)
	case "+CUSD":
		l.answered(u)
	case "+CPIN", "^SIMST", "+QUSIM", "+SIMCARD", "+QSIMSTAT", "+UUSIMSTAT", "#QSS":
		l.nudge(func(c *chores) { c.poll = true })
	case "SMS Ready", "Call Ready":
		l.nudge(func(c *chores) { c.verify = true })
	case "+QIND":
		l.indicated(u.Args)
	case at.Restarted:
		l.log.Warn("the modem started again in silence")
		l.nudge(func(c *chores) { c.restart = true })
	default:
		l.peculiar(u.Name)
	}
}

// peculiar takes the lines that only the table of makers explains.
func (l *lane) peculiar(name string) {
	q := l.quirk()
	switch {
	case slices.Contains(q.full, name):
		l.nudge(func(c *chores) { c.sweep = true })
	case slices.Contains(q.boot, name):
		l.nudge(func(c *chores) { c.restart = true })
	}
}

// indicated reads Quectel's line for everything.
func (l *lane) indicated(args string) {
	switch {
	case strings.Contains(args, "smsfull"):
		l.nudge(func(c *chores) { c.sweep = true })
	case strings.Contains(args, "SMS DONE"):
		l.nudge(func(c *chores) { c.verify = true })
	}
}

// announced notes where a message was stored: +CMTI: "SM",3.
func (l *lane) announced(args string) {
	memory, rest, _ := strings.Cut(args, ",")
	n, ok := at.FirstInt(rest)
	l.nudge(func(c *chores) {
		if !ok || len(c.arrived) >= maxArrived {
			c.sweep = true
			return
		}
		c.arrived = append(c.arrived, place{strings.Trim(memory, `" `), n})
	})
}

// Storing is tried this often for what the modem has no copy of.
const (
	storeTries = 5
	storePause = time.Second
)

// reported stores a delivery report that came directly. The modem keeps no copy: a
// disk that has a bad moment gets more tries.
func (l *lane) reported(u at.URC) {
	if u.PDU == "" {
		l.log.Warn("delivery report lost on the line")
		return
	}
	n, _ := at.FirstInt(u.Args)
	l.insist(func() error { return l.takeReport(l.ctx, u.PDU, n) })
}

// delivered stores a message that came directly, which it does only on modems that
// do not do as +CNMI says.
func (l *lane) delivered(u at.URC) {
	if u.PDU == "" {
		l.log.Warn("inbound message lost on the line")
		l.nudge(func(c *chores) { c.sweep = true })
		return
	}
	n, _ := at.FirstInt(u.Args[strings.LastIndexByte(u.Args, ',')+1:])
	l.insist(func() error { return l.take(l.ctx, u.PDU, n) })
}

func (l *lane) insist(store func() error) {
	for try := 1; ; try++ {
		err := store()
		if err == nil {
			return
		}
		if try == storeTries || !wait(l.ctx, storePause) {
			l.log.Error("lost what the network said: it cannot be stored", slog.Any("error", err))
			return
		}
	}
}

// take stores one TPDU, whatever it is, and returns when it is on disk.
func (l *lane) take(ctx context.Context, pdu string, length int) error {
	if tpdu.IsReport(pdu, length) {
		return l.takeReport(ctx, pdu, length)
	}
	return l.host.Inbound(ctx, l.part(tpdu.DecodeDeliver(pdu, length)))
}

func (l *lane) takeReport(ctx context.Context, pdu string, length int) error {
	r := tpdu.DecodeReport(pdu, length)
	if r.Undecoded != "" {
		return l.host.Inbound(ctx, l.part(tpdu.DecodeDeliver(pdu, length))) // kept, with its raw hex
	}
	c := l.channel()
	c.ID = gateway.ChannelID(l.o.Provider, l.o.Port.Port)
	return l.host.Report(ctx, gateway.StatusReport{
		Channel: c.ID, SIM: c.SIMKey(), MR: r.MR, Recipient: gateway.Address(r.Recipient),
		SentAt: r.SentAt, DischargedAt: r.DischargedAt, ST: r.ST,
	})
}

// registered takes a change of registration: <stat> of TS 27.007 §7.2. A new cell of
// the same network comes as the same line, every few seconds where a modem moves
// between two: that is no news.
func (l *lane) registered(u at.URC) {
	n, ok := at.FirstInt(u.Args)
	if !ok {
		return
	}
	reg, now := gateway.Registration(n), l.channel().Registration
	if reg == now || u.Name != "+CREG" && reg.Usable() == now.Usable() {
		return
	}
	l.nudge(func(c *chores) { c.poll = true })
	if u.Name != "+CREG" || reg > gateway.RegRoaming {
		return
	}
	l.set(func(c *gateway.Channel) {
		c.Registration = reg
		if c.State == gateway.ChannelReady && !reg.Usable() {
			c.State, c.Reason = gateway.ChannelStarting, regReason(reg)
		}
	})
}

func regReason(r gateway.Registration) string {
	switch r {
	case gateway.RegSearching:
		return "searching for a network"
	case gateway.RegDenied:
		return "the network denies the registration: is the SIM active and paid for?"
	case gateway.RegIdle:
		return "not registered, and not searching: is there an antenna?"
	}
	return "no network: registration " + strconv.Itoa(int(r))
}
