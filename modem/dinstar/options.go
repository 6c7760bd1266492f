package dinstar

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// Auth is how the driver logs in.
type Auth string

// The ways to log in.
const (
	AuthAuto   Auth = ""       // digest, or basic where the gateway names only that
	AuthDigest Auth = "digest" // RFC 7616; a gateway that wants basic gets no password
	AuthBasic  Auth = "basic"  // RFC 7617, with the first request
)

// Options describe one gateway.
type Options struct {
	Provider string
	URL      string // http://192.0.2.20; the address alone means http
	User     string
	Password gateway.Secret
	Auth     Auth
	// Certificate is the SHA-256 of the gateway's own certificate, in hex. It is then the only one
	// that is believed; "" = one that the system's roots vouch for.
	Certificate string
	Ports       []int          // to use; nil = all that the gateway has
	Report      bool           // ask the network for a delivery report of everything that is sent
	Marks       Marks          // nil = the whole inbox is read again at each start
	Pushes      bool           // it is set up to push, see Hear: what it does not push is worth a warning
	Zone        *time.Location // of the gateway's clock; nil = ours
	Logger      *slog.Logger   // nil = none
	Now         func() time.Time
	Times       Times
	Every       Every
}

// Marks remembers on disk how far the inbox of a gateway was read.
type Marks interface {
	// Mark gives the newest message that was stored; zero where none was.
	Mark(ctx context.Context, gateway string) (Mark, error)
	// SetMark notes it and returns when that is on disk.
	SetMark(ctx context.Context, gateway string, m Mark) error
}

// Mark is a message in the inbox of a gateway.
type Mark struct {
	ID int64  `json:"id"` // incoming_sms_id
	Of string `json:"of"` // who sent it and when: its id may be given again
	// Nameless are the messages without an id that the gateway tells again and again.
	Nameless []string `json:"nameless,omitempty"`
}

// Times are how long the driver waits; zero ones are those for real gateways.
type Times struct {
	Connect time.Duration // for a connection: 5 s
	Query   time.Duration // for the answer to a question: 10 s
	Submit  time.Duration // for the answer to send_sms: 30 s
	Fate    time.Duration // for the outcome of a message that the gateway took: 2 min
	Doubt   time.Duration // how long a gateway that answers must not know a message: 15 s
	Fresh   time.Duration // before a refused login is tried on a new connection (T8): 500 ms
	LockOut time.Duration // before a refused login is tried again; doubles up to 1 h: 5 min
	USSD    time.Duration // for the network's answer: 1 min
}

// Every says how often something is looked at; zero ones are the usual.
type Every struct {
	Result  time.Duration // outcomes, while some are due; no sooner after the last answer: 20 ms
	Ports   time.Duration // registration, signal, SIM: 15 s
	Inbox   time.Duration // 5 s
	Reports time.Duration // 5 s
	Pushed  time.Duration // inbox and reports, while pushes announce what is found there: 1 min
	Queue   time.Duration // what others have in the gateway's queue: 10 s
	Retry   time.Duration // a gateway that does not answer: 2 s
}

func (t Times) orUsual() Times {
	usual(map[*time.Duration]time.Duration{
		&t.Connect: 5 * time.Second, &t.Query: 10 * time.Second, &t.Submit: 30 * time.Second,
		&t.Fate: 2 * time.Minute, &t.Doubt: 15 * time.Second, &t.Fresh: 500 * time.Millisecond,
		&t.LockOut: 5 * time.Minute, &t.USSD: time.Minute,
	})
	return t
}

func (e Every) orUsual() Every {
	usual(map[*time.Duration]time.Duration{
		&e.Result: 20 * time.Millisecond, &e.Ports: 15 * time.Second, &e.Inbox: 5 * time.Second,
		&e.Reports: 5 * time.Second, &e.Queue: 10 * time.Second, &e.Retry: 2 * time.Second,
		&e.Pushed: time.Minute,
	})
	return e
}

func usual(fields map[*time.Duration]time.Duration) {
	for d, u := range fields {
		if *d == 0 {
			*d = u
		}
	}
}

// base reads the gateway's address.
func (o *Options) base() (*url.URL, error) {
	raw := o.URL
	if raw != "" && !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, gateway.Invalid("url", "must be the address of the gateway, such as http://192.0.2.20")
	case u.User != nil:
		return nil, gateway.Invalid("url", "must hold no password: it has a field of its own")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, gateway.Invalid("url", "must end with the address or a path")
	case o.Certificate != "" && u.Scheme != "https":
		return nil, gateway.Invalid("certificate", "belongs to an https address: over http nobody shows one")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

func (o *Options) check() error {
	for _, p := range o.Ports {
		if p < 0 || p > gateway.MaxPort {
			return gateway.Invalid("ports", "must be 0 to %d, one is %d", gateway.MaxPort, p)
		}
	}
	if !slices.Contains([]Auth{AuthAuto, AuthDigest, AuthBasic}, o.Auth) {
		return gateway.Invalid("auth", "must be digest or basic, or empty for what the gateway names")
	}
	return nil
}

var (
	_ modem.Driver     = (*Driver)(nil)
	_ modem.USSDer     = (*Driver)(nil)
	_ modem.Resetter   = (*Driver)(nil)
	_ modem.Reconciler = (*Driver)(nil)
)
