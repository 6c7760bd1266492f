package modemtest

import (
	"context"
	"testing"
	"time"

	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// Harness says how to make what the suite drives.
type Harness struct {
	// New makes a device that is there and in order, on a network that answers
	// USSDCode, and a driver of it that does not run yet. It gives them back with t.Cleanup.
	New func(t testing.TB) *Rig
	// Lacks says, for each Act that the device cannot do, why not.
	Lacks map[Act]string
	// Patience is how long a case waits for something that must happen; 0 = 20 s.
	Patience time.Duration
}

// Rig is a driver with the device that it drives.
type Rig struct {
	Driver  modem.Driver
	Port    int
	Network *sim.Network // its ledger has what the device put on the air
	SIM     string       // number or ICCID that inbound messages are sent to
	// ICCID is what the driver must report of the card; "" where the device does not tell.
	ICCID string
	// Joins says that the device joins long inbound messages itself.
	Joins bool
	// Stored gives how many inbound messages the device still holds; nil for a
	// device that does not keep them.
	Stored func() int
	// Do makes the device misbehave, or behave again.
	Do func(ctx context.Context, a Act) error
}

// USSDCode and USSDText are a code that the rig's network answers, and how.
const (
	USSDCode = "*100#"
	USSDText = "Balance: 42.00"
)

// Act is something that a device or its network does.
type Act string

// The acts. "The next send" is the next that the driver hands over.
const (
	RefuseNext   Act = "refuse the next send for good"
	ThrottleNext Act = "refuse the next send for now"
	SwallowNext  Act = "swallow the next send: no answer, nothing on the air"
	LoseNext     Act = "lose the answer of the next send, which is on the air"
	DelayNext    Act = "put the next send on the air and answer at Release; other requests are served meanwhile"
	HoldNext     Act = "hold the next send until Release, then serve it as usual"
	AwaitHeld    Act = "wait until a send is held"               // blocks
	Release      Act = "let go what DelayNext or HoldNext keeps" // returns when a late answer is on its way to the driver

	Unplug Act = "take the device away"
	Plug   Act = "bring the device back"

	LoseNetwork Act = "take the network away"
	FindNetwork Act = "bring the network back"
	RemoveSIM   Act = "take the SIM out"
	AskPIN      Act = "put in a SIM that asks for a PIN, which the driver was not given"
	AskPUK      Act = "put in a SIM that asks for its PUK"

	ReportEarly  Act = "bring delivery reports before the answer to the send"
	ReportLate   Act = "bring delivery reports a while after the answer to the send"
	ReportTwice  Act = "bring each delivery report two times"
	ReportFailed Act = "bring delivery reports that say TP-ST 0x46"
	TellDelivery Act = "tell of deliveries" // never done: only for Harness.Lacks

	CarryFlash Act = "carry a message of class 0" // never done: only for Harness.Lacks
)
