package serial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

// Driver drives the modem of one port.
type Driver struct {
	o      Options
	trace  *at.Recorder
	ladder *ladder
	handed *backlog
	run    atomic.Pointer[run] // the present one; nil between two

	// Owned by Run.
	imei   string // of the modem, once it was told
	hung   string // the port on which the last run found it silent; "" = none
	mended int    // how often it was down when its USB device was last reset

	resting atomic.Bool // Run waits because the budget of the ladder is used up
}

// New makes a driver. It opens nothing: see Run.
func New(o Options) (*Driver, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Alarm == nil {
		o.Alarm = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Open == nil {
		o.Open = at.Ports{}
	}
	o.Every = o.Every.orUsual()
	return &Driver{o: o, trace: &at.Recorder{Now: o.Now}, ladder: newLadder(o.Budget), handed: newBacklog()}, nil
}

// Limits says that the driver takes one segment at a time.
func (d *Driver) Limits() modem.Limits {
	return modem.Limits{Send: d.o.Times.SendLimit() + turnLimit}
}

// turnLimit is how long a send may wait for the one command of the housekeeping
// that is in flight: AT+CMGL, on a slow SIM, and the way back to sync where it is not
// answered.
const turnLimit = 75 * time.Second

// Run opens the port and serves the modem until ctx ends (nil) or the modem is lost
// (why). A port that somebody holds, or that this user may not open, is reported as
// a fault and tried again.
func (d *Driver) Run(ctx context.Context, host modem.Host) error {
	if !d.rest(ctx, host) {
		return nil
	}
	d.mend()
	b, err := d.open(ctx, host)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer b.release()
	r := newRun(d, host, b.path, b.conn)
	defer r.close()
	// A command in flight does not hold up the end.
	defer context.AfterFunc(ctx, func() { r.s.CloseWith(context.Cause(ctx)) })()
	d.run.Store(r)
	defer d.run.Store(nil)
	err = r.keep(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return d.lost(r, b, err)
}

// berth is the port of a run.
type berth struct {
	path    string
	conn    at.Conn
	usb     string // where its device is plugged in; "" = not known
	release func()
}

// lost says why a run ended, and keeps what the next one needs to know of it.
func (d *Driver) lost(r *run, b berth, err error) error {
	if d.o.Port.Device == "" && gateway.KindOf(err) == gateway.KindConflict {
		d.o.Finder.Forget(d.o.Port.IMEI) // another modem came back in its place
	}
	if imei := r.channel().IMEI; imei != "" {
		d.imei = imei
	}
	cause := r.s.Cause()
	if cause == nil {
		return err
	}
	text := fmt.Sprintf("%s: modem lost: %v", b.path, cause)
	switch {
	case errors.Is(cause, at.ErrSilent):
		d.hung = b.path
	case errors.Is(cause, at.ErrGone) && b.usb != "" && time.Since(time.Unix(0, r.begun.Load())) < powerWindow:
		reason, alarm := d.o.Finder.hubs.lost(time.Now(), b.usb)
		text += ": " + reason
		if alarm {
			d.o.Alarm(reason)
		}
	}
	return &gateway.Error{Kind: gateway.KindUnavailable, Text: text, Err: cause}
}

// mend resets the USB device of a modem that neither its own restart nor an opening of its
// port brought back.
func (d *Driver) mend() {
	downs := d.ladder.downs()
	if d.hung == "" || d.o.Finder == nil || downs < stubborn || downs == d.mended || d.ladder.gentle(time.Now()) {
		return
	}
	d.mended = downs
	begin := time.Now()
	err := d.o.Finder.resetUSB(d.hung)
	step := at.Step{Rung: "USB reset", Took: time.Since(begin), Err: err}.String()
	if err == nil {
		step = "USB reset: the device is expected back"
	}
	d.ladder.between(time.Now(), step, err == nil)
	d.o.Logger.Warn("modem did not come back", slog.String("device", d.hung), slog.String("step", step))
}

// stubborn is how many runs in a row must have ended with a modem that does not answer
// before its USB device is reset.
const stubborn = 2

// rest waits while the modem is beyond what may be done for it, or until a person says
// that it is not, or pulls it out. It is false when ctx ended first.
func (d *Driver) rest(ctx context.Context, host modem.Host) bool {
	freed := d.ladder.awaitForgiven()
	pause, reason, first := d.ladder.rest(time.Now())
	if pause == 0 {
		return true
	}
	if first {
		last, _ := d.ladder.evidence()
		d.o.Alarm(reason + "; the last time: " + last)
	}
	c := d.blank(d.o.Port.Device, gateway.ChannelResting, reason)
	c.Until = d.o.Now().UTC().Add(pause)
	d.resting.Store(true)
	defer d.resting.Store(false)
	host.Channel(c)
	t, look := time.NewTimer(pause), time.NewTicker(d.o.Every.Retry)
	defer t.Stop()
	defer look.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-freed:
			return true
		case <-look.C:
			if d.pulled() {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// pulled says that the device of a modem that rests is no longer there.
func (d *Driver) pulled() bool {
	if _, err := os.Stat(d.hung); d.hung == "" || !errors.Is(err, os.ErrNotExist) {
		return false
	}
	d.ladder.away()
	return true
}

// open finds and opens the port.
func (d *Driver) open(ctx context.Context, host modem.Host) (berth, error) {
	for {
		b, err := d.tryOpen(ctx)
		switch gateway.KindOf(err) {
		case gateway.KindConflict, gateway.KindForbidden: // a person must act, and will not tell us
			host.Channel(d.blank(b.path, gateway.ChannelFault, err.Error()))
		default:
			return b, err
		}
		if !wait(ctx, d.o.Every.Retry) {
			return b, ctx.Err()
		}
	}
}

func (d *Driver) tryOpen(ctx context.Context) (b berth, err error) {
	if b.path, err = d.place(ctx); err != nil {
		return b, err
	}
	if b.release, err = d.o.Finder.hold(ctx, b.path); err != nil {
		return b, err
	}
	info, _ := d.o.Finder.info(b.path)
	b.usb = info.USBPath
	if b.conn, err = d.o.Open.Open(b.path, d.o.Port.Baud); err != nil {
		b.release()
		if d.o.Port.Device == "" {
			d.o.Finder.Forget(d.o.Port.IMEI)
		}
		return b, err
	}
	d.hung = ""
	return b, nil
}

// place gives the port to open: the one that is configured or found, or another of the
// same modem after that one fell silent.
func (d *Driver) place(ctx context.Context) (string, error) {
	path := d.o.Port.Device
	if path == "" {
		found, err := d.o.Finder.Find(ctx, d.o.Port.IMEI)
		if err != nil {
			return "", err
		}
		path = found
	}
	if d.imei != "" && d.hung != "" && real(d.hung) == real(path) {
		if other := d.o.Finder.another(ctx, d.imei, path); other != "" {
			d.o.Logger.Warn("the modem is tried on another of its ports", slog.String("device", other), slog.String("hung", path))
			d.ladder.between(time.Now(), "another port: "+other, false)
			return other, nil
		}
	}
	return path, nil
}

// blank is the channel of a modem of which nothing is known.
func (d *Driver) blank(path string, state gateway.ChannelState, reason string) gateway.Channel {
	return gateway.Channel{Port: d.o.Port.Port, State: state, Reason: reason, Device: path, Signal: gateway.SignalUnknown}
}

// Send hands one segment to the network.
func (d *Driver) Send(ctx context.Context, port int, s modem.Submission) (modem.Receipt, error) {
	r, err := d.at(port)
	if err != nil {
		return modem.Receipt{}, err
	}
	return r.send(ctx, s)
}

// USSD runs one USSD request and gives the network's answer. A dialogue that the
// network would go on with is ended. It takes up to two minutes; messages are sent
// meanwhile.
func (d *Driver) USSD(ctx context.Context, port int, code string) (string, error) {
	return d.Dialogue(ctx, port, []string{code})
}

// Dialogue runs a USSD request and answers the menus that the network opens with the
// codes that follow. It gives the last answer; one that is left without a menu is refused.
func (d *Driver) Dialogue(ctx context.Context, port int, codes []string) (string, error) {
	r, err := d.at(port)
	if err != nil {
		return "", err
	}
	return r.dial(ctx, codes)
}

// Reset restarts the modem (AT+CFUN=1,1, TS 27.007 §8.2), which ends the run, and gives it
// its whole budget back; the rest of a modem that used it up ends. While a send is on its
// way it refuses with KindConflict.
func (d *Driver) Reset(ctx context.Context, port int) error {
	if port != d.o.Port.Port {
		return d.foreign(port)
	}
	d.ladder.forgive()
	r := d.run.Load()
	if r == nil && d.resting.Load() {
		return nil // it is opened at once, and set up from the beginning
	}
	if r == nil {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the modem is not there"}
	}
	return r.reset(ctx)
}

func (d *Driver) foreign(port int) error {
	return gateway.Invalid("port", "this modem is port %d, not %d", d.o.Port.Port, port)
}

// at gives the present run, when it can send.
func (d *Driver) at(port int) (*run, error) {
	if port != d.o.Port.Port {
		return nil, d.foreign(port)
	}
	r := d.run.Load()
	if r == nil || !r.ready.Load() {
		return nil, &gateway.Error{Kind: gateway.KindUnavailable, Text: "the modem is not ready"}
	}
	return r, nil
}

// Trace gives the last lines between the driver and the modem, and the incidents, without
// texts and PINs, and of numbers the last three digits.
func (d *Driver) Trace(int) modem.Trace {
	_, all := d.ladder.evidence()
	return modem.Trace{Lines: d.trace.Lines(), Incidents: all}
}

// Stats counts what was taken out of the stream of the present run.
type Stats = at.LinkStats

// Stats gives the counters of the present run; zero between two.
func (d *Driver) Stats() Stats {
	if r := d.run.Load(); r != nil {
		return r.s.Stats()
	}
	return Stats{}
}

// wait waits for a time; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
