package serial

import (
	"slices"
	"strconv"
	"strings"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// listen takes the unsolicited lines of a run, in order, until the port is gone.
func (r *run) listen() {
	for u := range r.s.URCs() {
		r.hear(u)
	}
}

func (r *run) hear(u at.URC) {
	switch u.Name {
	case "+CDS":
		r.reported(u)
	case "+CMT":
		r.delivered(u)
	case "+CMTI", "+CDSI":
		r.announced(u.Args)
	case "+CREG", "+CGREG", "+CEREG", "+C5GREG":
		r.registered(u)
	case "+CUSD":
		r.answered(u)
	case "+CPIN", "^SIMST", "+QUSIM", "+SIMCARD", "+QSIMSTAT", "+UUSIMSTAT", "#QSS":
		r.nudge(func(c *chores) { c.poll = true })
	case "+CTZV", "+CTZE", "*PSUTTZ", "^NWTIME": // the network told the time
		r.nudge(func(c *chores) { c.clock = true })
	case "SMS Ready", "Call Ready":
		r.nudge(func(c *chores) { c.verify = true })
	case "+QIND":
		r.indicated(u.Args)
	case at.Restarted:
		r.log.Warn("the modem started again in silence")
		r.nudge(func(c *chores) { c.restart = true })
	default:
		r.peculiar(u.Name)
	}
}

// peculiar takes the lines that only the table of makers explains.
func (r *run) peculiar(name string) {
	q := r.quirk()
	switch {
	case slices.Contains(q.full, name):
		r.nudge(func(c *chores) { c.sweep = true })
	case slices.Contains(q.boot, name):
		r.nudge(func(c *chores) { c.restart = true })
	}
}

// indicated reads Quectel's line for everything.
func (r *run) indicated(args string) {
	switch {
	case strings.Contains(args, "smsfull"):
		r.nudge(func(c *chores) { c.sweep = true })
	case strings.Contains(args, "SMS DONE"):
		r.nudge(func(c *chores) { c.verify = true })
	}
}

// announced notes where a message was stored: +CMTI: "SM",3.
func (r *run) announced(args string) {
	memory, rest, _ := strings.Cut(args, ",")
	n, ok := at.FirstInt(rest)
	r.nudge(func(c *chores) {
		if !ok || len(c.arrived) >= maxArrived {
			c.sweep = true
			return
		}
		c.arrived = append(c.arrived, place{strings.Trim(memory, `" `), n})
	})
}

// reported takes a delivery report that came directly: the modem keeps no copy.
func (r *run) reported(u at.URC) {
	if u.PDU == "" {
		r.log.Warn("delivery report lost on the line")
		return
	}
	n, _ := at.FirstInt(u.Args)
	r.keepHanded(r.decodedReport(u.PDU, n))
}

// delivered takes a message that came directly, which it does only on modems that do not
// do as +CNMI says.
func (r *run) delivered(u at.URC) {
	if u.PDU == "" {
		r.log.Warn("inbound message lost on the line")
		r.nudge(func(c *chores) { c.sweep = true })
		return
	}
	n, _ := at.FirstInt(u.Args[strings.LastIndexByte(u.Args, ',')+1:])
	r.keepHanded(r.decoded(u.PDU, n))
}

// registered takes a change of registration: <stat> of TS 27.007 §7.2. A new cell of
// the same network comes as the same line, every few seconds where a modem moves
// between two: that is no news.
func (r *run) registered(u at.URC) {
	n, ok := at.FirstInt(u.Args)
	if !ok {
		return
	}
	reg, now := gateway.Registration(n), r.channel().Registration
	if reg == now || u.Name != "+CREG" && reg.Usable() == now.Usable() {
		return
	}
	r.nudge(func(c *chores) { c.poll = true })
	if u.Name != "+CREG" || reg > gateway.RegRoaming {
		return
	}
	r.set(func(c *gateway.Channel) {
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
