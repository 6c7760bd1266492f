package serial

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

// Options describe one modem and its place.
type Options struct {
	Provider string
	Port     gateway.Port // Device or IMEI says where the modem is
	Report   bool         // ask the network for a delivery report of everything that is sent
	PINs     PINMemory    // needed where Port.PIN is set
	Finder   *Finder      // shared by all drivers of a box; needed where Port.IMEI is set and Port.Device is not
	Logger   *slog.Logger // nil = none
	// Alarm hears what a person must look at, in words; nil = nobody. It must not block.
	Alarm  func(reason string)
	Now    func() time.Time // stamps the trace; nil = time.Now
	Times  Times
	Budget Budget
	Every  Every
	Open   Opener // nil = the real ports
}

// Times are how long the driver waits for a modem; zero ones are those for real modems.
type Times = at.Times

// Opener opens ports.
type Opener = at.Opener

// Every says how often the housekeeping is done; zero ones are the usual.
type Every struct {
	Poll    time.Duration // signal, registration, operator, fill of the memory: 30 s
	Sweep   time.Duration // messages in the memory that no line announced: 3 min
	Verify  time.Duration // that the modem still announces messages (G4): 5 min
	Retry   time.Duration // what is missing at the start, a SIM or a taken port: 5 s
	Network time.Duration // registration, while it is awaited: 2 s
	Offline time.Duration // without a network, after which the radio is switched off and on: 10 min
	Echo    time.Duration // wait for what the network still says to a USSD dialogue that was given up: 3 s
	Store   time.Duration // first pause before what the disk did not take is stored again, 30 times that in the end: 1 s
	Clock   time.Duration // the network's time: 1 h
}

func (e Every) orUsual() Every {
	for _, f := range []struct {
		d     *time.Duration
		usual time.Duration
	}{
		{&e.Poll, 30 * time.Second}, {&e.Sweep, 3 * time.Minute}, {&e.Verify, 5 * time.Minute},
		{&e.Retry, 5 * time.Second}, {&e.Network, 2 * time.Second},
		{&e.Echo, 3 * time.Second}, {&e.Store, time.Second}, {&e.Clock, time.Hour}, {&e.Offline, 10 * time.Minute},
	} {
		if *f.d == 0 {
			*f.d = f.usual
		}
	}
	return e
}

// PINMemory remembers on disk which PIN was tried on which SIM. A wrong PIN is thus
// tried once, whatever restarts; three wrong ones would lock the SIM.
type PINMemory interface {
	// Tried says that this PIN was tried on this SIM and not accepted since.
	Tried(iccid string, hash [32]byte) bool
	// Remember notes a try and returns when that is on disk.
	Remember(ctx context.Context, iccid string, hash [32]byte) error
	// Forget takes a try back: the SIM accepted the PIN.
	Forget(ctx context.Context, iccid string, hash [32]byte) error
}

// pinHash tells PINs of one SIM apart without keeping them.
func pinHash(iccid string, pin gateway.Secret) [32]byte {
	return sha256.Sum256([]byte("fieldpost pin\x00" + iccid + "\x00" + string(pin)))
}

func (o *Options) check() error {
	switch {
	case o.Port.Port < 0 || o.Port.Port > gateway.MaxPort:
		return gateway.Invalid("port", "must be 0 to %d, is %d", gateway.MaxPort, o.Port.Port)
	case o.Port.Device == "" && o.Port.IMEI == "":
		return gateway.Invalid("device", "either device or imei must say where the modem is")
	case o.Port.Device == "" && o.Finder == nil:
		return gateway.Invalid("imei", "a finder is needed to look for a modem by its IMEI")
	case o.Port.PIN != "" && o.PINs == nil:
		return gateway.Invalid("pin", "a memory of tried PINs is needed")
	case o.Port.PIN != "" && !pinLike(string(o.Port.PIN)):
		return gateway.Invalid("pin", "must be 4 to 8 digits") // TS 31.101 §9.5.1
	case o.Port.SMSC != "" && !numberLike(o.Port.SMSC):
		return gateway.Invalid("smsc", "must be a number, with + before a country code")
	}
	return nil
}

func pinLike(s string) bool { return len(s) >= 4 && len(s) <= 8 && digits(s) }

func numberLike(s string) bool {
	if len(s) > 1 && s[0] == '+' {
		s = s[1:]
	}
	return len(s) >= 3 && len(s) <= 20 && digits(s)
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

var (
	_ modem.Driver    = (*Driver)(nil)
	_ modem.USSDer    = (*Driver)(nil)
	_ modem.Resetter  = (*Driver)(nil)
	_ modem.Dialoguer = (*Driver)(nil)
	_ modem.Tracer    = (*Driver)(nil)
)
