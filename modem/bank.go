package modem

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fieldpost/gateway"
)

// Sink is where the bank's drivers put what they receive. Both methods return
// when the thing is on disk.
type Sink interface {
	// Inbound stores one TPDU that came in on a channel.
	Inbound(ctx context.Context, channel string, in Part) error
	// Report stores one delivery report.
	Report(ctx context.Context, r gateway.StatusReport) error
}

// BankOptions are a bank's settings.
type BankOptions struct {
	Store  Sink             // required
	Now    func() time.Time // stamps; nil = time.Now
	Logger *slog.Logger     // nil = none
	// Backoff is the wait before a driver that ended is started again.
	Backoff Backoff
	// Grace is how long a driver that was told to stop may take, and how long past
	// its own limit a send may take, before the bank goes on without it; 0 = 5 s.
	Grace time.Duration
	// OnChange hears of each change of a channel's state, reason, device or SIM, in
	// order and outside the bank's lock. A removed channel is told as absent. It must
	// not block: it runs on the goroutine of the driver that reported.
	OnChange func(old, new gateway.Channel)
}

// Device is one device that the bank shall keep running.
type Device struct {
	// Key names the physical device ("/dev/serial/by-id/...", "http://192.0.2.20").
	// One driver at a time runs for a key.
	Key string
	// Version is a fingerprint of the settings: a device whose version changed is
	// stopped and started with its new New.
	Version  string
	Provider string
	// Ports are the ports that the device is expected to report: they show as absent
	// until it does, and any other port is ignored. nil = whatever it reports.
	Ports []int
	// New makes the driver. It is called before the first Run, after a panic in Run
	// and after it gave an error; it must not open the device.
	New func() (Driver, error)
}

// Bank keeps drivers running. Its methods may be called from any goroutine.
type Bank struct {
	o BankOptions // set once

	mu          sync.Mutex
	run         context.Context // of the present Run; nil when there is none
	closed      bool
	supervisors map[string]*supervisor   // desired and supervised, by key
	leaving     map[*supervisor]struct{} // no longer desired; their driver has not returned
	slots       map[string]*slot         // by channel id
	watch       chan struct{}            // closed at the next change
	news        []change                 // for OnChange, in order
	telling     bool                     // somebody is emptying news

	stop context.CancelFunc
	base context.Context // ends at Close
	wg   sync.WaitGroup  // supervisors
}

type change struct{ old, new gateway.Channel }

// NewBank makes a bank that runs nothing until Run.
func NewBank(o BankOptions) *Bank {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	o.Backoff = o.Backoff.withDefaults()
	b := &Bank{
		o: o, supervisors: map[string]*supervisor{}, leaving: map[*supervisor]struct{}{}, slots: map[string]*slot{},
		watch: make(chan struct{}),
	}
	b.base, b.stop = context.WithCancel(context.Background())
	return b
}

// Run starts the drivers of the desired devices and keeps them running until ctx
// ends or Close is called; then it stops them and returns nil. A driver that does
// not stop within Grace is left behind, and the log names it. A bank runs once.
func (b *Bank) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.base, cancel)()

	b.mu.Lock()
	if b.run != nil || b.closed {
		b.mu.Unlock()
		return gateway.Errorf(gateway.KindConflict, "the bank ran already; make a new one")
	}
	b.run = ctx
	for _, v := range b.supervisors {
		b.start(v)
	}
	b.mu.Unlock()

	<-ctx.Done()
	b.mu.Lock()
	b.closed = true // nothing starts from here on
	b.mu.Unlock()
	b.wg.Wait()
	b.mu.Lock()
	for _, s := range b.slots {
		s.dropTimer()
	}
	b.mu.Unlock()
	b.stop()
	return nil
}

// Close ends Run and waits until its supervisors are done, which takes at most
// about Grace. It may be called more than once.
func (b *Bank) Close() error {
	b.stop()
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wg.Wait()
	return nil
}

// Set makes devices the ones that shall run: those that are new start, those
// that are missing stop, those whose version changed restart, and the others are
// not touched. It does not wait for any driver. When two devices share a key or a
// channel, or one lacks a field, nothing changes and the error (invalid) says which.
func (b *Bank) Set(devices []Device) error {
	if err := checkDevices(devices); err != nil {
		return err
	}
	b.mu.Lock()
	wanted := make(map[string]Device, len(devices))
	for _, d := range devices {
		wanted[d.Key] = d
	}
	for key, v := range b.supervisors {
		if d, ok := wanted[key]; !ok || d.Version != v.dev.Version || d.Provider != v.dev.Provider || !slices.Equal(d.Ports, v.dev.Ports) {
			b.retire(v)
		}
	}
	for _, d := range devices {
		if b.supervisors[d.Key] == nil {
			b.adopt(d)
		}
	}
	b.mu.Unlock()
	b.tell()
	return nil
}

func checkDevices(devices []Device) error {
	keys, channels, providers := map[string]bool{}, map[string]string{}, map[string]int{}
	for _, d := range devices {
		providers[d.Provider]++
	}
	for _, d := range devices {
		switch {
		case d.Key == "":
			return gateway.Invalid("key", "a device of provider %q has no key", d.Provider)
		case d.Provider == "":
			return gateway.Invalid("provider", "device %q has no provider", d.Key)
		case d.New == nil:
			return gateway.Invalid("new", "device %q has no driver", d.Key)
		case keys[d.Key]:
			return gateway.Invalid("key", "device %q is named twice; a device serves one provider", d.Key)
		case d.Ports == nil && providers[d.Provider] > 1:
			return gateway.Invalid("ports", "device %q must say its ports: %q has other devices", d.Key, d.Provider)
		}
		keys[d.Key] = true
		for _, p := range d.Ports {
			if p < 0 || p > gateway.MaxPort {
				return gateway.Invalid("port", "port %d of %q is outside 0-%d", p, d.Provider, gateway.MaxPort)
			}
			id := gateway.ChannelID(d.Provider, p)
			if other, taken := channels[id]; taken {
				return gateway.Invalid("port", "port %d of %q is on both %q and %q", p, d.Provider, other, d.Key)
			}
			channels[id] = d.Key
		}
	}
	return nil
}

// adopt makes d's supervisor and its channels, and starts it when the bank runs. b.mu is held.
func (b *Bank) adopt(d Device) {
	v := newSupervisor(b, d)
	b.supervisors[d.Key] = v
	for _, p := range d.Ports {
		b.report(v, gateway.Channel{Port: p, State: gateway.ChannelAbsent, Reason: reasonNotReported, Signal: gateway.SignalUnknown})
	}
	if b.run != nil && !b.closed {
		b.start(v)
	}
}

// start begins to supervise v. b.mu is held.
func (b *Bank) start(v *supervisor) {
	ctx, cancel := context.WithCancel(b.run)
	v.cancel, v.started = cancel, true
	b.leaving[v] = struct{}{} // until its driver returned for the last time
	b.wg.Add(1)
	go func() {
		defer b.wg.Done()
		defer cancel()
		v.supervise(ctx)
	}()
}

// retire stops v and forgets its channels. b.mu is held.
func (b *Bank) retire(v *supervisor) {
	delete(b.supervisors, v.dev.Key)
	v.retired = true
	if v.started {
		v.cancel()
	}
	for id, s := range b.slots {
		if s.supervisor == v {
			s.dropTimer()
			delete(b.slots, id)
			gone := s.view
			gone.State, gone.Reason, gone.Since, gone.Until = gateway.ChannelAbsent, "removed from the configuration", b.o.Now().UTC(), time.Time{}
			b.publish(s.view, gone)
		}
	}
}

// former gives a supervisor whose driver may still hold v's device or one of its
// channels; nil when there is none. b.mu is held.
func (b *Bank) former(v *supervisor) *supervisor {
	for o := range b.leaving {
		if o != v && o.retired && o.overlaps(v) {
			return o
		}
	}
	return nil
}

// Channels gives a snapshot of every channel, by provider and port.
func (b *Bank) Channels() []gateway.Channel {
	b.mu.Lock()
	all := make([]gateway.Channel, 0, len(b.slots))
	for _, s := range b.slots {
		all = append(all, s.view)
	}
	b.mu.Unlock()
	slices.SortFunc(all, func(x, y gateway.Channel) int {
		return cmp.Or(cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Port, y.Port))
	})
	return all
}

// Channel gives a snapshot of one channel, or not_found.
func (b *Bank) Channel(id string) (gateway.Channel, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.slots[id]; s != nil {
		return s.view, nil
	}
	return gateway.Channel{}, noChannel(id)
}

// Watch gives a channel that is closed at the next change of any snapshot. Take
// it before reading the snapshots, or a change may be missed.
func (b *Bank) Watch() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.watch
}

// publish tells that a snapshot changed. b.mu is held; the caller calls tell
// after it released it.
func (b *Bank) publish(old, now gateway.Channel) {
	close(b.watch)
	b.watch = make(chan struct{})
	if b.o.OnChange != nil && notable(old, now) {
		b.news = append(b.news, change{old, now})
	}
}

// notable says that a person may want to know of the change: signal strength
// and the like move all the time.
func notable(old, now gateway.Channel) bool {
	return old.State != now.State || old.Reason != now.Reason || old.IMEI != now.IMEI ||
		old.SIMKey() != now.SIMKey() || old.Device != now.Device
}

// tell hands the news to OnChange. One goroutine at a time does, so that the
// order is kept; the others leave theirs to it.
func (b *Bank) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.telling {
		return
	}
	b.telling = true
	for len(b.news) > 0 {
		c := b.news[0]
		b.news = b.news[1:]
		b.mu.Unlock()
		b.o.OnChange(c.old, c.new)
		b.mu.Lock()
	}
	b.telling = false
}

func noChannel(id string) error {
	return gateway.Errorf(gateway.KindNotFound, "there is no channel %q", id)
}

// errorText is what a person may read of err: never empty.
func errorText(err error) string {
	if err == nil {
		return "the driver ended without an error"
	}
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}
