package intake

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/spool"
)

// Store is what intake needs of the spool.
type Store interface {
	Add(ctx context.Context, m gateway.Message, key spool.Idempotency) (spool.Added, error)
	AddBatch(ctx context.Context, up spool.Upload, ms []gateway.Message) (spool.Upload, error)
	PutUpload(ctx context.Context, u spool.Upload) error
	Upload(id string) (spool.Upload, error)
}

// Blacklist takes a list of numbers.
type Blacklist interface {
	// ImportBlacklist adds what next gives until io.EOF: all of it, or nothing.
	ImportBlacklist(ctx context.Context, next func() (spool.Listed, error), progress func(n int)) (n int, err error)
}

// Catalog says what a campaign's name means.
type Catalog interface {
	// Resolve gives the route of a campaign; an error of kind invalid when there is none.
	Resolve(name string) (Route, error)
}

// Numbers makes addresses of what people type.
type Numbers interface {
	Normalise(typed string) (gateway.Address, error)
}

// Route is what intake must know of a campaign.
type Route struct {
	Policy gateway.UnknownPolicy
}

// Options are what New needs to know.
type Options struct {
	Store     Store
	Blacklist Blacklist
	Catalog   Catalog
	Numbers   Numbers
	Dir       string           // where files wait until they are loaded; made when it is not there
	Now       func() time.Time // nil = time.Now
	Logger    *slog.Logger     // nil = none

	MaxSegments int           // of one message, 1 to gsm7.MaxSegments; 0 = gsm7.MaxSegments
	MaxBase     int64         // bytes of one file; 0 = 1 GiB
	ValidSingle time.Duration // how long a single message waits before it expires; 0 = for ever
	ValidBase   time.Duration // and a row of a base
}

const defaultMaxBase = 1 << 30

// Intake is the door. It is safe for use by many goroutines.
type Intake struct {
	// set once, by New
	o     Options
	log   *slog.Logger
	text  gsm7.Options
	retry time.Duration // the first wait for a disk that is full

	taking sync.Mutex    // held while a file gets its id: two with one id are told apart
	wake   chan struct{} // a load waits

	// under mu
	mu    sync.Mutex
	loads map[string]*load // accepted and not loaded, by upload id
	queue []*load          // of these, the ones that no goroutine has yet
}

// New opens the door. Files that were accepted and not loaded before the process
// ended wait for RunLoader; what was never accepted is removed.
func New(o Options) (*Intake, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBase <= 0 {
		o.MaxBase = defaultMaxBase
	}
	in := &Intake{
		o:     o,
		log:   o.Logger,
		text:  gsm7.Options{MaxSegments: o.MaxSegments},
		retry: firstRetry,
		wake:  make(chan struct{}, 1),
		loads: map[string]*load{},
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, unavailable("make the directory of uploads", err)
	}
	return in, in.recover()
}

// unavailable says that a disk did not do what it was asked for.
func unavailable(what string, err error) error {
	return gateway.Errorf(gateway.KindUnavailable, "%s: %w", what, err)
}
