package gateway

import (
	"strconv"
	"strings"
	"time"
)

// ChannelState says what a channel can do now.
type ChannelState uint8

// The states of a channel. Only a ready one carries messages.
const (
	ChannelAbsent   ChannelState = iota // the device is not there
	ChannelStarting                     // the device answers; SIM and network are awaited
	ChannelReady                        // registered, can send
	ChannelResting                      // refused or failed too often: rests until Until
	ChannelFault                        // a person must act: PIN, PUK, no SIM, port taken
)

var channelStateNames = [...]string{"absent", "starting", "ready", "resting", "fault"}

// String gives the state's word.
func (s ChannelState) String() string {
	if int(s) < len(channelStateNames) {
		return channelStateNames[s]
	}
	return "absent"
}

// Registration is the network registration of TS 27.007 §7.2.
type Registration uint8

// The registrations, numbered as <stat> of AT+CREG.
const (
	RegIdle      Registration = 0
	RegHome      Registration = 1
	RegSearching Registration = 2
	RegDenied    Registration = 3
	RegUnknown   Registration = 4
	RegRoaming   Registration = 5
)

var registrationNames = [...]string{"idle", "home", "searching", "denied", "unknown", "roaming"}

// String gives the registration's word.
func (r Registration) String() string {
	if int(r) < len(registrationNames) {
		return registrationNames[r]
	}
	return "unknown"
}

// Usable says that messages can pass: home or roaming.
func (r Registration) Usable() bool { return r == RegHome || r == RegRoaming }

// SignalUnknown is <rssi> 99 of AT+CSQ (TS 27.007 §8.5).
const SignalUnknown = 99

// Channel is one sending lane: a port with a SIM in it, or a cloud sender.
type Channel struct {
	ID       string // "provider/port"; see ChannelID
	Provider string
	Port     int // physical slot, 0-31; 0 for a cloud sender
	State    ChannelState
	Reason   string    // why it is not ready, in words; "" when it is
	Since    time.Time // of State
	Until    time.Time // end of a rest; zero otherwise

	Device       string // path or address of the device
	Model        string // manufacturer and model
	IMEI         string // device identity; quirks follow it
	ICCID        string // card identity; quota, number and balance follow it
	IMSI         string // subscriber identity
	Number       string // the SIM's own number, where known
	SMSC         string
	Operator     string
	Registration Registration
	Signal       int // 0-31 as AT+CSQ, SignalUnknown when not known

	Stored  int // messages in the SIM's or modem's memory, of Storage
	Storage int // how many there is room for; 0 = not known

	ClockAt time.Time     // when the network's time was last asked; zero = never
	Ahead   time.Duration // how far the network's clock was ahead of ours then
}

// DBm gives the signal in dBm (-113 + 2n, TS 27.007 §8.5) and whether it is known.
func (c *Channel) DBm() (int, bool) {
	if c.Signal < 0 || c.Signal > 31 {
		return 0, false
	}
	return -113 + 2*c.Signal, true
}

// SIMKey names the SIM for quota and reports: its ICCID, or its IMSI or the
// channel where a device does not tell it.
func (c *Channel) SIMKey() string {
	switch {
	case c.ICCID != "":
		return c.ICCID
	case c.IMSI != "":
		return "imsi:" + c.IMSI
	}
	return "channel:" + c.ID
}

// ChannelID gives the id of a provider's port.
func ChannelID(provider string, port int) string {
	return provider + "/" + strconv.Itoa(port)
}

// SplitChannelID undoes ChannelID.
func SplitChannelID(id string) (provider string, port int, ok bool) {
	i := strings.LastIndexByte(id, '/')
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(id[i+1:])
	if err != nil || n < 0 {
		return "", 0, false
	}
	return id[:i], n, true
}

// MaxPort is the highest port of a device.
const MaxPort = 31
