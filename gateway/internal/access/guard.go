package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Store keeps the tokens as definitions.
type Store interface {
	PutDoc(ctx context.Context, d spool.Doc) (spool.Doc, error)
	Docs(kind string) ([]spool.Doc, error)
	DeleteDoc(ctx context.Context, kind, name string) error
}

// MaxTokens is how many tokens there may be at once.
const MaxTokens = 1000

// Options says where tokens are kept and who is trusted.
type Options struct {
	Store   Store
	Trusted []netip.Prefix   // addresses that need no token; none = no address
	File    string           // where the local admin token is written; "" = there is none
	Host    string           // name of this box; "" = the system's
	Now     func() time.Time // nil = time.Now
	Logger  *slog.Logger     // nil = none
}

// Guard knows the tokens and the trusted addresses. Its methods may be called
// from many goroutines.
type Guard struct {
	// Set once.
	store   Store
	trusted []netip.Prefix
	file    string
	local   [sha256.Size]byte // hash of the local admin token
	hasFile bool
	host    string // name of this box, lower case; "" = none
	now     func() time.Time
	log     *slog.Logger
	wrong   *Throttle // wrong tokens, by address

	// Replaced whole by whoever holds mu, read by everyone.
	tokens atomic.Pointer[map[string]*token]
	mu     sync.Mutex // one change of the tokens at a time
}

// Open reads the tokens and writes the local admin token. A token that cannot be
// read lets nobody in, is left where it is, and is told to the log.
func Open(o Options) (*Guard, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname() // A box without a name is called by its address.
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	g := &Guard{
		store:   o.Store,
		host:    strings.ToLower(o.Host),
		trusted: masked(o.Trusted),
		file:    o.File,
		now:     o.Now,
		log:     o.Logger,
		// Ten wrong tokens at once, then one every ten seconds.
		wrong: NewThrottle(ThrottleOptions{PerSecond: 0.1, Burst: 10, Now: o.Now}),
	}
	docs, err := o.Store.Docs(docKind)
	if err != nil {
		return nil, err
	}
	g.read(docs)
	if err := g.writeLocal(); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Guard) read(docs []spool.Doc) {
	known := make(map[string]*token, len(docs))
	for _, d := range docs {
		t, err := readToken(d)
		if err != nil {
			g.log.Error("a token cannot be read and lets nobody in", "token_id", d.Name, "error", err)
			continue
		}
		known[t.id] = t
	}
	g.tokens.Store(&known)
}

// Close takes the local admin token's file away. It may be called again.
func (g *Guard) Close() error { return g.removeLocal() }

// Identify says who makes a request. KindUnauthorized: nobody known, or a wrong
// token; KindThrottled: too many wrong tokens from there.
func (g *Guard) Identify(r *http.Request) (Caller, error) {
	from := Remote(r)
	given, err := bearer(r.Header)
	if err != nil {
		return Caller{}, g.refuse(from, err)
	}
	trusted := g.trusts(from)
	if given == "" {
		switch {
		case !trusted || !direct(r.Header):
		case !looks(r.Method) || g.named(r.Host):
			return Caller{ID: "trusted", Name: "trusted address", Scope: Read | Send, Trusted: true}, nil
		default:
			return Caller{}, gateway.Errorf(gateway.KindUnauthorized,
				"a token is needed to read under this name of the box: give one, or write the box's address in the URL")
		}
		return Caller{}, gateway.Errorf(gateway.KindUnauthorized, "a token is needed: Authorization: Bearer <token>")
	}
	c, ok := g.lookup(given)
	if !ok {
		return Caller{}, g.refuse(from, gateway.Errorf(gateway.KindUnauthorized, "the token is not known, or was revoked"))
	}
	c.Trusted = trusted
	return c, nil
}

// refuse counts a wrong token against its address.
func (g *Guard) refuse(from netip.Addr, err error) error {
	if wait := g.wrong.Take(from); wait > 0 {
		return &gateway.Error{Kind: gateway.KindThrottled, Text: "too many wrong tokens from this address", Retry: wait}
	}
	return err
}

// lookup finds the caller of a token. Its time does not depend on how much of
// the secret is right.
func (g *Guard) lookup(given string) (Caller, bool) {
	hash := sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(hash[:], g.local[:])&flag(g.hasFile) == 1 {
		return Caller{ID: localID, Name: "verbs on this box", Scope: Admin}, true
	}
	t, ok := (*g.tokens.Load())[idOf(given)]
	if !ok {
		// The comparison is made all the same: an id is not told by the time that it takes.
		t = &token{}
	}
	if subtle.ConstantTimeCompare(hash[:], t.hash[:])&flag(ok) == 0 {
		return Caller{}, false
	}
	t.touch(g.now())
	return Caller{ID: t.id, Name: t.name, Scope: t.scope}, true
}

// change replaces the tokens by a changed copy; the caller holds mu.
func (g *Guard) change(f func(map[string]*token)) {
	next := maps.Clone(*g.tokens.Load())
	f(next)
	g.tokens.Store(&next)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
