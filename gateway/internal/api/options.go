package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/sims"
	"fieldpost/modem"
	"fieldpost/spool"
)

// Bank is the hardware as the API sees it.
type Bank interface {
	Channels() []gateway.Channel
	Channel(id string) (gateway.Channel, error)
	Reset(ctx context.Context, id string) error
	USSD(ctx context.Context, id, code string) (string, error)
	Trace(id string) (modem.Trace, error)
}

// Sender tells about what waits: why a message is where it is, and why a dialer
// sends nothing now.
type Sender interface {
	Explain(idm uint64) []string
	Reasons(lane string) []string
}

// Site tells how the whole box stands.
type Site interface {
	// Site is the answer to GET /site. Its State is "ready" when the box can send.
	Site() client.Site
}

// Rooms are what the API opens a door to.
type Rooms struct {
	Spool   *spool.Spool
	Catalog *catalog.Catalog
	Intake  Intake
	Numbers Numbers
	Bank    Bank
	Devices Devices
	SIMs    *sims.SIMs
	Sender  Sender
	Site    Site
}

// Options make an API.
type Options struct {
	Rooms
	Guard    *access.Guard
	Version  string                                     // of the product, for the document
	Dir      string                                     // where a file waits while it is taken; "" = the system's
	Zone     *time.Location                             // of times that name none; nil = UTC
	MaxBody  int64                                      // bytes of a body that is no file; 0 = 1 MiB
	MaxBase  int64                                      // bytes of a file; 0 = 1 GiB
	Rate     float64                                    // requests per second of one address that is not trusted; 0 = no limit
	Burst    int                                        // and at once; 0 = 100
	Segments int                                        // most segments of one message; 0 = gsm7.MaxSegments
	Metrics  http.Handler                               // of GET /metrics; nil = there is none
	Hooks    http.Handler                               // of POST /hooks/: what devices tell by themselves, 64 KiB at most; nil = there is none
	Observe  func(c Class, status int, d time.Duration) // told of every request; may be nil
	Now      func() time.Time                           // nil = time.Now
	Logger   *slog.Logger                               // nil = none
}

// New makes the API. It does not listen.
func New(o Options) (*API, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultBody
	}
	if o.MaxBase == 0 {
		o.MaxBase = defaultBase
	}
	a := &API{
		Rooms: o.Rooms, guard: o.Guard, observe: o.Observe, log: o.Logger, now: o.Now, zone: o.Zone,
		maxBody: o.MaxBody, maxBase: o.MaxBase, dir: o.Dir, segments: o.Segments, metrics: o.Metrics, hooks: o.Hooks,
		done: make(chan struct{}),
	}
	if o.Rate > 0 {
		if o.Burst == 0 {
			o.Burst = 100
		}
		a.throttle = access.NewThrottle(access.ThrottleOptions{PerSecond: o.Rate, Burst: o.Burst, Now: o.Now})
	}
	return a, a.build(o.Version)
}
