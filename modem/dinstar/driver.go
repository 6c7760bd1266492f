package dinstar

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// Driver drives one gateway.
type Driver struct {
	o    Options
	api  *client
	site atomic.Pointer[site] // of the present run; nil between two
}

// New makes a driver. It asks the gateway nothing: see Run.
func New(o Options) (*Driver, error) {
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	pin, err := o.pin()
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Marks == nil {
		o.Marks = &forgetful{}
	}
	o.Times, o.Every = o.Times.orUsual(), o.Every.orUsual()
	d := &Driver{o: o}
	d.api = newClient(&d.o, base, pin)
	return d, nil
}

// Limits says that the gateway takes whole messages and cuts them itself.
func (d *Driver) Limits() modem.Limits {
	t := &d.o.Times
	// send_sms, its outcome, one stop_sms and two last questions; each may find the
	// line taken by another request.
	return modem.Limits{Whole: true, Send: 2*t.Submit + t.Fate + t.Doubt + 6*t.Query}
}

// Run finds the gateway's ports and serves them until ctx ends (nil). A gateway that
// is away at the start ends it; one that goes away later is waited for, since only it
// knows what became of what it took.
func (d *Driver) Run(ctx context.Context, host modem.Host) error {
	s := newSite(d, host)
	defer s.end()
	if err := s.find(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	d.site.Store(s)
	defer d.site.Store(nil)
	s.countQueue(ctx) // what a former run left there
	s.keep(ctx)
	return nil
}

// Send hands one message to a port and waits for its outcome.
func (d *Driver) Send(ctx context.Context, port int, m modem.Submission) (modem.Receipt, error) {
	s, err := d.at()
	if err != nil {
		return modem.Receipt{}, err
	}
	return s.send(ctx, port, m)
}

// USSD runs one USSD request on a port and gives the network's answer.
func (d *Driver) USSD(ctx context.Context, port int, code string) (string, error) {
	s, err := d.at()
	if err != nil {
		return "", err
	}
	return s.dial(ctx, port, code)
}

// Reset restarts the modem of a port, which takes it 10 to 30 s and kills what it is
// sending. While a send is on its way there it refuses with KindConflict.
func (d *Driver) Reset(ctx context.Context, port int) error {
	s, err := d.at()
	if err != nil {
		return err
	}
	return s.reset(ctx, port)
}

// Reconcile asks the gateway what became of a message.
func (d *Driver) Reconcile(ctx context.Context, port int, q modem.Question) (modem.Receipt, error) {
	s, err := d.at()
	if err != nil {
		return modem.Receipt{}, &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: err.Error(), Err: err}
	}
	return s.reconcile(ctx, port, q)
}

// at gives the present run.
func (d *Driver) at() (*site, error) {
	if s := d.site.Load(); s != nil {
		return s, nil
	}
	return nil, &gateway.Error{Kind: gateway.KindUnavailable, Text: "the gateway is not there"}
}
