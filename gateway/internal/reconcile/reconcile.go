package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// Store is the part of the spool that keeps the doubts.
type Store interface {
	Doubts(after uint64, limit int) ([]spool.Doubt, error)
	// WatchDoubts gives a channel that is closed when there is another doubt.
	WatchDoubts() <-chan struct{}
	Settle(ctx context.Context, d spool.Doubt, o spool.Outcome) (bool, error)
}

// Devices is the bank of channels.
type Devices interface {
	Channels() []gateway.Channel
	// Watch gives a channel that is closed at the next change of Channels.
	Watch() <-chan struct{}
	// Reconcile gives a Receipt, unknown_outcome, or why nothing went out.
	Reconcile(ctx context.Context, id string, q modem.Question) (modem.Receipt, error)
}

// Options are what New needs. Store and Devices are required.
type Options struct {
	Store   Store
	Devices Devices
	// Retry is the retry table: when a message is tried again after its nth try ended so,
	// and whether it is at all; nil = never.
	Retry  func(k gateway.Kind, n int) (wait time.Duration, again bool)
	Now    func() time.Time // stamps; nil = time.Now
	Logger *slog.Logger     // nil = none
}

// Reconciler asks. It is used by one Run.
type Reconciler struct {
	o       Options
	answers chan answer
	asking  sync.WaitGroup

	// of Run's goroutine
	open map[key]*doubt
	busy map[string]bool // devices with a question out
	read time.Time       // readEvery before the doubts are to be read
	last time.Time       // when they were
	left bool            // not all of them are in open
}

const (
	// readEvery is how often the doubts are read again, so that those that ended or grew
	// too old are let go.
	readEvery = time.Hour
	// readAgain is the wait after the spool could not be read.
	readAgain = time.Minute
	// readPause is the least time between two readings.
	readPause = time.Second
	// askTime bounds one question and the commit of its answer.
	askTime = time.Minute
)

// New makes a reconciler that asks nobody until Run.
func New(o Options) *Reconciler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Retry == nil {
		o.Retry = func(gateway.Kind, int) (time.Duration, bool) { return 0, false }
	}
	return &Reconciler{o: o, answers: make(chan answer), open: map[key]*doubt{}, busy: map[string]bool{}}
}

// Run asks until ctx ends (nil), and then waits for the questions that are out.
func (r *Reconciler) Run(ctx context.Context) error {
	defer r.asking.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		doubted, changed := r.o.Store.WatchDoubts(), r.o.Devices.Watch()
		now := time.Now()
		r.refresh(now)
		r.look(now)
		timer.Reset(r.ask(ctx, now))
		if len(r.open) == 0 {
			changed = nil
		}
		select {
		case <-doubted:
			r.readSoon()
		case <-changed:
		case a := <-r.answers:
			r.answered(a)
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ask puts every doubt that is due to its device, as far as it is free, and gives the
// wait until the next is.
func (r *Reconciler) ask(ctx context.Context, now time.Time) time.Duration {
	next := r.read.Add(readEvery)
	for _, d := range r.byDue() {
		if d.due.After(now) {
			if d.due.Before(next) {
				next = d.due
			}
			break
		}
		if r.busy[d.device] {
			continue // its answer wakes us
		}
		r.busy[d.device], d.asking = true, true
		r.asking.Add(1)
		go r.put(ctx, d.Doubt, d.device)
	}
	return max(next.Sub(now), 0)
}

// answer is what came of a question.
type answer struct {
	key    key
	device string
	ended  bool // it is in doubt no longer
}

// put asks a device and stores its word.
func (r *Reconciler) put(ctx context.Context, d spool.Doubt, device string) {
	defer r.asking.Done()
	a := answer{key: keyOf(&d), device: device}
	bounded, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	receipt, err := r.o.Devices.Reconcile(bounded, d.Channel, modem.Question{UserID: d.UserID, To: d.To})
	if k := gateway.KindOf(err); err == nil || k != gateway.KindUnknownOutcome {
		a.ended = r.settle(bounded, &d, receipt, err)
	}
	select {
	case r.answers <- a:
	case <-ctx.Done():
	}
}

// settle stores a device's word; it is false when the store could not take it.
func (r *Reconciler) settle(ctx context.Context, d *spool.Doubt, receipt modem.Receipt, refusal error) bool {
	settled, err := r.o.Store.Settle(ctx, *d, r.outcomeOf(d, receipt, refusal))
	log := r.o.Logger.With(slog.Uint64("message", d.IDM), slog.String("channel", d.Channel))
	switch {
	case err != nil:
		log.Warn("a device's word on a message in doubt is not stored", slog.Any("error", err))
		return false
	case settled:
		log.Info("a doubt has ended: the device was asked", slog.String("kind", gateway.KindOf(refusal).String()))
	}
	return true
}

// outcomeOf puts a device's word into the spool's.
func (r *Reconciler) outcomeOf(d *spool.Doubt, receipt modem.Receipt, refusal error) spool.Outcome {
	o := spool.Outcome{IDM: d.IDM, Segment: d.Segment}
	if refusal == nil {
		o.Queued, o.MR, o.HasMR, o.Ref = receipt.Queued, receipt.MR, receipt.HasMR, receipt.Ref
		return o
	}
	o.Kind, o.Text, o.Code = gateway.KindOf(refusal), textOf(refusal), codeOf(refusal)
	if wait, again := r.o.Retry(o.Kind, int(d.Attempt)); again {
		o.Retry = r.o.Now().Add(wait)
	}
	return o
}
