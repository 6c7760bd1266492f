package modem

import (
	"context"
	"time"

	"fieldpost/gateway"
)

// Inspector is a driver whose device tells how it is.
type Inspector interface {
	// Inspect asks the device.
	Inspect(ctx context.Context) (Condition, error)
	// Condition gives what the device told last, without asking; false = nothing yet.
	Condition() (Condition, bool)
}

// Condition is what a device says of itself. What it does not tell is zero.
type Condition struct {
	At     time.Time // when it said so
	Serial string
	Queue  int  // messages that wait in the device, whoever sent them
	Queued bool // Queue was told
	CPU    int  // percent of it that is in use
	Flash  Store
	Memory Store
}

// Store is how full a memory is, in bytes; Total 0 = not known.
type Store struct {
	Used, Total uint64
}

// CallLister is a driver whose device keeps a list of calls.
type CallLister interface {
	// Calls gives the calls that began in a span of time, in the order of the device. Its
	// number is bounded by what the device keeps.
	Calls(ctx context.Context, q CallQuery) ([]Call, error)
}

// CallQuery says which calls; zero times leave an end open.
type CallQuery struct {
	Port   int // AnyPort = all
	After  time.Time
	Before time.Time
}

// AnyPort names all ports of a device.
const AnyPort = -1

// Call is one call that a device carried.
type Call struct {
	Port      int
	Began     time.Time // zero where the device's time cannot be read
	Answered  time.Time // zero = it was not
	Duration  time.Duration
	From      string // as the device wrote it
	To        string
	Direction string // in the words of the device: "ip->gsm", "gsm->ip", "callback"
	Hangup    string // who ended it: "called", "calling", "gateway"
	Code      int    // the network's cause (TS 24.008 §10.5.4.11)
	IP        string
	Codec     string
	Cell      string // BCCH
}

// Control is something that a person does to a port of a device.
type Control string

// The controls. Changing an IMEI is none of them: it is unlawful in many countries. Nor
// are the locks of a card: a wrong PIN locks it for good.
const (
	ControlPowerOff Control = "power_off"
	ControlPowerOn  Control = "power_on"
	ControlSlot     Control = "slot"    // the parameter is its number, 0-3
	ControlBlock    Control = "block"   // the device sends nothing more over the port
	ControlUnblock  Control = "unblock" // and does again
)

// Controls gives all controls.
func Controls() []Control {
	return []Control{ControlPowerOff, ControlPowerOn, ControlSlot, ControlBlock, ControlUnblock}
}

// Controller is a driver that can do something to a port of its device. It refuses
// with KindConflict while a send or a USSD request is on its way there.
type Controller interface {
	Control(ctx context.Context, port int, c Control, param string) error
}

// Inspect asks the device of a provider how it is. A driver that cannot is invalid,
// an unknown provider not_found.
func (b *Bank) Inspect(ctx context.Context, provider string) (c Condition, err error) {
	err = askDevice(b, provider, "tell how its device is", func(i Inspector) error {
		c, err = i.Inspect(ctx)
		return err
	})
	return c, err
}

// Calls gives the calls that the device of a provider carried: see CallLister. A driver
// that cannot is invalid, an unknown provider not_found.
func (b *Bank) Calls(ctx context.Context, provider string, q CallQuery) (calls []Call, err error) {
	err = askDevice(b, provider, "list calls", func(l CallLister) error {
		calls, err = l.Calls(ctx, q)
		return err
	})
	return calls, err
}

// Control does something to a channel at its device. A driver that cannot is invalid, an
// unknown channel not_found.
func (b *Bank) Control(ctx context.Context, id string, c Control, param string) error {
	return b.ask(id, "control", func(d Driver, port int) error {
		k, ok := d.(Controller)
		if !ok {
			return cannot("control a port")
		}
		return k.Control(ctx, port, c, param)
	})
}

// Conditions gives what the devices told of themselves last, by provider. It asks none.
func (b *Bank) Conditions() map[string]Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]Condition{}
	for _, v := range b.supervisors {
		if i, ok := v.driver.(Inspector); ok && v.session != nil {
			if c, told := i.Condition(); told {
				all[v.dev.Provider] = c
			}
		}
	}
	return all
}

// askDevice calls an ability of the device of a provider that has it.
func askDevice[T any](b *Bank, provider, what string, f func(T) error) error {
	v, able, err := deviceOf[T](b, provider, what)
	if err != nil {
		return err
	}
	defer v.leave()
	return asked(v.protect(what, func() error { return f(able) }))
}

// deviceOf enters the driver of a provider that has an ability.
func deviceOf[T any](b *Bank, provider, what string) (v *supervisor, able T, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err = gateway.Errorf(gateway.KindNotFound, "there is no device of a provider %q", provider)
	for _, v := range b.supervisors {
		switch d, ok := v.driver.(T); {
		case v.dev.Provider != provider:
		case v.driver == nil || v.session == nil:
			err = gateway.Errorf(gateway.KindUnavailable, "the device of %q is not there", provider)
		case ok:
			v.enter()
			return v, d, nil
		case gateway.KindOf(err) != gateway.KindUnavailable:
			err = cannot(what)
		}
	}
	return nil, able, err
}
