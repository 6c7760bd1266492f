package sims

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Bank is the hardware, in so far as cards are in it.
type Bank interface {
	Channels() []gateway.Channel
	Watch() <-chan struct{}
	USSD(ctx context.Context, id, code string) (string, error)
}

// Store keeps the passports.
type Store interface {
	Docs(kind string) ([]spool.Doc, error)
	PutDoc(ctx context.Context, d spool.Doc) (spool.Doc, error)
	PutDocTold(ctx context.Context, d spool.Doc, ch spool.Change) (spool.Doc, error)
	DeleteDoc(ctx context.Context, kind, name string) error
	Emit(ctx context.Context, kind string, body any) error
}

// Meter tells what a card sent, and what became of it.
type Meter interface {
	SIMRecord(sim string) (spool.SIMRecord, error)
	SIMUsage(sim string, now time.Time) (spool.Usage, error)
}

// Site is what the site says of its cards.
type Site struct {
	Operators   []gateway.Operator
	Own         map[string]Own // by ICCID
	ConfirmSwap bool           // another card than before in a slot is held until a person confirms it
}

// Own is what the site says of one card.
type Own struct {
	Number     gateway.Address // "" = as the card says
	Operator   string          // "" = as its IMSI says
	BalanceLow float64         // 0 = the operator's
}

// Options are the settings. The first three are required; the spool is Store and Meter.
type Options struct {
	Bank  Bank
	Store Store
	Meter Meter
	Site  Site

	// Limits gives what a card may send through a provider; nil = no limit.
	Limits func(sim, provider string) gateway.Limits
	// Reports says whether a provider asks for delivery reports; nil = always. Where it does
	// not, no card is judged by those that do not come.
	Reports func(provider string) bool
	// Trusted says whether the clock is believed; nil = always.
	Trusted func() bool
	Now     func() time.Time    // stamps; nil = time.Now
	Rand    func(n int64) int64 // spreads the balances: 0 to n-1; nil = math/rand/v2
	Tick    time.Duration       // between two looks at what the cards sent, and which are due; 0 = 1 min
	Logger  *slog.Logger        // nil = none
}

func (o *Options) defaults() {
	if o.Limits == nil {
		o.Limits = func(string, string) gateway.Limits { return gateway.Limits{} }
	}
	if o.Reports == nil {
		o.Reports = func(string) bool { return true }
	}
	if o.Trusted == nil {
		o.Trusted = func() bool { return true }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Int64N
	}
	if o.Tick <= 0 {
		o.Tick = tickEvery
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}
