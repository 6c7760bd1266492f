package serial

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

const (
	// lookAgain is how long the result of a look at every port is good for. Many
	// drivers ask at once when a hub is plugged in.
	lookAgain = 5 * time.Second
	// lookLimit bounds what a port without a modem, or with one that hangs, costs a look.
	lookLimit = 20 * time.Second
)

// Finder finds modems by their IMEI, wherever they are plugged in, and knows which ports
// the drivers of this box have open: it never opens one of those, nor another port of
// the same modem. Share one among all drivers of a box.
type Finder struct {
	ports func() ([]at.PortInfo, error)
	open  Opener
	times Times
	usb   at.USB
	hubs  hubs

	turn chan struct{} // held during a look, so that two never open the same port

	mu      sync.Mutex
	known   map[string][]string // the ports of each modem by its IMEI, the one to use first
	held    map[string]int      // ports that drivers have open, by their real path
	probing map[string]chan struct{}
	looked  time.Time
}

// NewFinder makes a finder for the ports of this machine.
func NewFinder() *Finder {
	return &Finder{
		ports: at.Finder{}.Find, open: at.Ports{}, times: brisk, turn: make(chan struct{}, 1),
		known: map[string][]string{}, held: map[string]int{}, probing: map[string]chan struct{}{},
	}
}

// Find gives the path of the port of the modem with an IMEI, or KindUnavailable.
func (f *Finder) Find(ctx context.Context, imei string) (string, error) {
	if paths := f.lookUp(imei); len(paths) > 0 {
		return paths[0], nil // no look that goes on holds it up
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if paths := f.lookUp(imei); len(paths) > 0 {
		return paths[0], nil
	}
	f.mu.Lock()
	due := time.Since(f.looked) > lookAgain
	f.mu.Unlock()
	if due {
		if err := f.look(ctx, nil); err != nil {
			return "", err
		}
	}
	if paths := f.lookUp(imei); len(paths) > 0 {
		return paths[0], nil
	}
	return "", gateway.Errorf(gateway.KindUnavailable, "no modem with the IMEI %s is plugged in, or another program holds its port", imei)
}

// another gives another port of the modem that has not answered on path; "" where it has
// none.
func (f *Finder) another(ctx context.Context, imei, path string) string {
	if f == nil {
		return ""
	}
	hung, ok := f.info(path)
	if !ok || hung.USBPath == "" {
		return ""
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ""
	}
	sibling := func(p at.PortInfo) bool { return p.USBPath == hung.USBPath && p.Path != hung.Path }
	if err := f.look(ctx, sibling); err != nil {
		return ""
	}
	for _, p := range f.lookUp(imei) {
		if real(p) != real(path) {
			return p
		}
	}
	return ""
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

func (f *Finder) lookUp(imei string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, paths := range f.known {
		if sameIMEI(k, imei) {
			return paths
		}
	}
	return nil
}

// look asks the ports that nobody holds what is behind them; only those of a kind, where
// one is given. The turn is held.
func (f *Finder) look(ctx context.Context, only func(at.PortInfo) bool) error {
	ports, err := f.ports()
	if err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "looking for modems: %w", err)
	}
	if only != nil {
		ports = slices.DeleteFunc(slices.Clone(ports), func(p at.PortInfo) bool { return !only(p) })
	}
	free := f.claim(ports)
	found := make([]Found, len(free))
	var all sync.WaitGroup
	for i, c := range free {
		all.Go(func() {
			defer f.disclaim(c)
			found[i] = probe(ctx, f.open, f.times, c.PortInfo)
		})
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := map[string][]string{}
	for d, paths := range byModem(found) {
		if first := fresh[d.imei]; first == nil || paths[0] < first[0] { // of two with one IMEI always the same
			fresh[d.imei] = paths
		}
	}
	maps.Copy(f.known, fresh)
	if only == nil {
		f.looked = time.Now()
	}
	return ctx.Err()
}

// claimed is a port that is being asked.
type claimed struct {
	at.PortInfo
	real string // its path without links, as it was then: the device may vanish meanwhile
}

// claim gives the ports that may be opened, and marks them as being asked.
func (f *Finder) claim(ports []at.PortInfo) []claimed {
	f.mu.Lock()
	defer f.mu.Unlock()
	live := map[string]bool{} // modems that have a port open
	for _, p := range ports {
		if f.held[real(p.Path)] > 0 && p.Modem() {
			live[p.USBPath] = true
		}
	}
	var free []claimed
	for _, p := range ports {
		c := claimed{p, real(p.Path)}
		if f.held[c.real] > 0 || f.probing[c.real] != nil || p.Modem() && live[p.USBPath] {
			continue
		}
		f.probing[c.real] = make(chan struct{})
		free = append(free, c)
	}
	return free
}

func (f *Finder) disclaim(c claimed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.probing[c.real])
	delete(f.probing, c.real)
}

// hold says that a driver has a port open until it calls release. It waits while the
// port is being asked.
func (f *Finder) hold(ctx context.Context, path string) (release func(), err error) {
	if f == nil {
		return func() {}, nil
	}
	key := real(path)
	f.mu.Lock()
	for f.probing[key] != nil {
		done := f.probing[key]
		f.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		f.mu.Lock()
	}
	f.held[key]++
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.held[key]--; f.held[key] <= 0 {
			delete(f.held, key)
		}
	}, nil
}

// info gives what the kernel says of a port.
func (f *Finder) info(path string) (at.PortInfo, bool) {
	if f == nil {
		return at.PortInfo{}, false
	}
	ports, err := f.ports()
	if err != nil {
		return at.PortInfo{}, false
	}
	for _, p := range ports {
		if real(p.Path) == real(path) {
			return p, true
		}
	}
	return at.PortInfo{}, false
}

// resetUSB resets the USB device of a modem that nothing else brought back. It refuses
// where another driver has a port of that device open: it may be an adapter with a modem
// on each port.
func (f *Finder) resetUSB(path string) error {
	p, ok := f.info(path)
	if !ok || p.USBPath == "" || !p.Modem() {
		return gateway.Errorf(gateway.KindUnavailable, "it is no USB modem")
	}
	ports, err := f.ports()
	if err != nil {
		return err
	}
	f.mu.Lock()
	for _, o := range ports {
		if o.USBPath == p.USBPath && f.held[real(o.Path)] > 0 {
			f.mu.Unlock()
			return gateway.Errorf(gateway.KindConflict, "another channel uses %s of the same device", o.Path)
		}
	}
	f.mu.Unlock()
	return f.usb.Reset(p.USBPath)
}

// real follows links such as those in /dev/serial/by-id.
func real(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return filepath.Clean(path)
}

// nobody is the host of a modem that is only looked at: nothing is taken from it.
type nobody struct{}

func (nobody) Channel(gateway.Channel) {}

func (nobody) Inbound(context.Context, modem.Part) error { return errNobody }

func (nobody) Report(context.Context, gateway.StatusReport) error { return errNobody }

var errNobody = gateway.Errorf(gateway.KindUnavailable, "nobody stores this")
