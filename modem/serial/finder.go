package serial

import (
	"context"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

// lookAgain is how long the result of a look at every port is good for. Many
// drivers ask at once when a hub is plugged in.
const lookAgain = 5 * time.Second

// Finder finds modems by their IMEI, wherever they are plugged in. It asks every
// port that nobody holds. Share one among all drivers of a box.
type Finder struct {
	ports func() ([]at.PortInfo, error)
	open  Opener
	times Times

	mu     sync.Mutex // held during a look, so that two never open the same port
	known  map[string]string
	looked time.Time
}

// NewFinder makes a finder for the ports of this machine.
func NewFinder() *Finder {
	return &Finder{ports: at.Finder{}.Find, open: at.Ports{}, times: brisk, known: map[string]string{}}
}

// Find gives the path of the port of the modem with an IMEI, or KindUnavailable.
func (f *Finder) Find(ctx context.Context, imei string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path, ok := f.lookUp(imei); ok {
		return path, nil
	}
	if time.Since(f.looked) > lookAgain {
		if err := f.look(ctx); err != nil {
			return "", err
		}
	}
	if path, ok := f.lookUp(imei); ok {
		return path, nil
	}
	return "", gateway.Errorf(gateway.KindUnavailable, "no modem with the IMEI %s is plugged in, or another program holds its port", imei)
}

// Forget says that a modem is no longer where it was found.
func (f *Finder) Forget(imei string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k := range f.known {
		if sameIMEI(k, imei) {
			delete(f.known, k)
		}
	}
}

func (f *Finder) lookUp(imei string) (string, bool) {
	for k, path := range f.known {
		if sameIMEI(k, imei) {
			return path, true
		}
	}
	return "", false
}

func (f *Finder) look(ctx context.Context) error {
	ports, err := f.ports()
	if err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "looking for modems: %w", err)
	}
	found := detect(ctx, f.open, f.times, ports)
	for i := range found {
		if m := &found[i]; m.Best {
			f.known[m.IMEI] = m.Port.Name()
		}
	}
	f.looked = time.Now()
	return ctx.Err()
}

// nobody is the host of a modem that is only looked at: nothing is taken from it.
type nobody struct{}

func (nobody) Channel(gateway.Channel) {}

func (nobody) Inbound(context.Context, modem.Part) error { return errNobody }

func (nobody) Report(context.Context, gateway.StatusReport) error { return errNobody }

var errNobody = gateway.Errorf(gateway.KindUnavailable, "nobody stores this")
