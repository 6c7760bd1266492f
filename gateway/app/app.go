package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/api"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/dialer"
	"fieldpost/gateway/internal/intake"
	"fieldpost/gateway/internal/metrics"
	"fieldpost/gateway/internal/sims"
	"fieldpost/gateway/numbers"
	"fieldpost/modem"
	"fieldpost/modem/dinstar"
	"fieldpost/modem/serial"
	"fieldpost/spool"
)

// AdminTokenFile is the file beside the spool that holds the token of the verbs
// on the same box. It is made new at each start and taken away at the end.
const AdminTokenFile = "admin.token"

// Bounds of the releases: 30 s in all with room for what comes with the hub.
const (
	stopTime   = 30 * time.Second // all of it, whatever the sum
	drainTime  = 10 * time.Second // sends in flight learn their outcome
	graceTime  = 3 * time.Second  // a driver lets go of a send, or of its port
	recordTime = time.Second      // what came of that is told and written
	httpTime   = 3 * time.Second
	loaderTime = 2 * time.Second
	spoolTime  = 5 * time.Second
	quickTime  = time.Second
)

// Options are what New needs.
type Options struct {
	Config  *config.Config
	Version string
	Logger  *slog.Logger     // nil = none
	Now     func() time.Time // nil = time.Now

	polls dinstar.Every // how often gateways are asked; zero = as usual
	tick  time.Duration // between two looks at the cards; 0 = as usual
}

// App is the whole daemon. New, Run and Stop are called one after the other.
type App struct {
	// Set once by New.
	cfg       *config.Config
	version   string
	log       *slog.Logger
	now       func() time.Time
	started   time.Time
	stack     stack
	actors    []*actor
	spool     *spool.Spool
	numbers   *numbers.Normaliser
	catalog   *catalog.Catalog
	guard     *access.Guard
	intake    *intake.Intake
	finder    *serial.Finder // of modems by IMEI
	hooks     *hooks         // of gateways that push
	polls     dinstar.Every  // how often gateways are asked; zero = as usual
	tick      time.Duration  // between two looks at the cards; 0 = as usual
	bank      *modem.Bank
	sims      *sims.SIMs
	dialer    *dialer.Dialer
	metrics   *metrics.Metrics
	api       *api.API
	server    *http.Server
	listeners []net.Listener

	listening atomic.Pointer[dialer.Dialer] // who hears of queued rows; nil until it is made
	changes   chan client.Channel           // of channels, for the event stream
	alarms    chan gateway.AlarmEvent       // for the event stream
	draining  atomic.Bool
}

// New opens the spool, builds every room and binds every listener. When it
// cannot, it gives back all that it had acquired.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &App{cfg: o.Config, version: o.Version, log: o.Logger, now: o.Now, started: o.Now(), changes: make(chan client.Channel, 256), alarms: make(chan gateway.AlarmEvent, maxAlarms), finder: serial.NewFinder(), polls: o.polls, tick: o.tick}
	a.stack.log = o.Logger
	// The order in which releases are pushed is that of a shutdown read backwards.
	for _, step := range []func(context.Context) error{
		a.openSpool, a.openDefinitions, a.openGuard, a.openIntake, a.makeSenders,
		a.openAPI, a.addBank, a.addSIMs, a.addDialer, a.addReconciler, a.addConfirmer, a.addKeepers,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.stack.unwind(context.WithoutCancel(ctx)))
		}
	}
	return a, nil
}

// Addresses gives where the API listens, as the kernel bound it.
func (a *App) Addresses() []string {
	all := make([]string, len(a.listeners))
	for i, l := range a.listeners {
		all[i] = l.Addr().String()
	}
	return all
}

// Run starts the actors and returns when ctx ends or when one of them does, after
// a stop in order. hurry ends the patience of the stop: a second signal.
func (a *App) Run(ctx, hurry context.Context) error {
	ended := make(chan *actor, len(a.actors))
	for _, one := range a.actors {
		one.start(ended)
	}
	a.notify(daemon.SdNotifyReady)
	a.log.Info("ready", "listen", a.Addresses(), "spool", a.cfg.Storage.Path, "version", a.version)
	var fault error
	select {
	case <-ctx.Done():
		a.log.Info("stopping", "cause", context.Cause(ctx))
	case one := <-ended:
		fault = fmt.Errorf("%s ended before it was told to: %w", one.name, orNil(one.err))
		a.log.Error("stopping", "actor", one.name, "error", one.err)
		one.err = nil // its release need not say it again
	case <-a.spool.Failed():
		fault = errors.New("the storage failed: systemd starts the daemon again, and the spool checks itself")
		a.log.Error("stopping", "error", fault)
	}
	return errors.Join(fault, a.Stop(hurry))
}

// Stop gives back everything, in order; it may be called without Run.
func (a *App) Stop(hurry context.Context) error { return a.stack.unwind(hurry) }

var errNoReason = errors.New("without a reason")

func orNil(err error) error {
	if err == nil {
		return errNoReason
	}
	return err
}

// actor registers a part that Run starts, and gives it for its release.
func (a *App) actor(name string, run func(context.Context) error) *actor {
	one := &actor{name: name, run: run, done: make(chan struct{})}
	a.actors = append(a.actors, one)
	return one
}

// adminToken gives the path of the local admin token.
func (a *App) adminToken() string {
	return filepath.Join(filepath.Dir(a.cfg.Storage.Path), AdminTokenFile)
}
