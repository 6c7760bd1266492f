package dialer

import (
	"context"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Dialer sends what is queued. Its methods may be called from any goroutine.
type Dialer struct {
	o    Options     // set once
	mail *mail       // set once
	ids  chan uint32 // user ids, fetched ahead: the source may wait for a sync

	senders sync.WaitGroup // goroutines with a send out
	sends   context.Context
	abort   context.CancelFunc // ends sends

	// under mu, which the loop holds during a turn and never while it waits
	mu       sync.Mutex
	ran      bool
	draining bool
	drained  chan struct{} // closed when draining and nothing is out

	now     time.Time // of this turn, wall, UTC
	mono    time.Time // of this turn, for waits
	trusted bool      // the wall clock, in this turn
	wait    time.Duration
	served  uint64 // turns that lanes were given, to serve the one that waits longest

	lanes     map[string]*lane
	order     []*lane          // lanes by name
	providers map[string]*pace // rate over all lanes of a provider
	slots     map[string]*slot // by channel id
	row       []*slot          // slots by provider and port
	sims      map[string]*sim  // by SIM key
	numbers   map[gateway.Address]*hold
	moved     bool // a number or a channel came free: rows that were passed over may go
	placed    bool // a SIM has a place for a recipient again: rows that were barred may go

	drops   []spool.Drop // waiting to be written
	sent    []spool.Drop // being written
	dropped map[uint64]*lane
	rests   []rest // to be told to the bank after the turn

	store storage
}

// hold keeps a number to one message.
type hold struct {
	idm    uint64
	flying bool      // between intent and recorded outcome
	until  time.Time // otherwise: of the next try; later messages wait for it
	waited bool      // somebody was passed over for it
}

// rest is a channel that shall rest.
type rest struct {
	id     string
	d      time.Duration
	reason string
}

// New makes a dialer that does nothing until Run.
func New(o Options) *Dialer {
	o.defaults()
	d := &Dialer{
		o: o, mail: newMail(), ids: make(chan uint32, 256), drained: make(chan struct{}),
		lanes: map[string]*lane{}, providers: map[string]*pace{}, slots: map[string]*slot{},
		sims: map[string]*sim{}, numbers: map[gateway.Address]*hold{}, dropped: map[uint64]*lane{},
	}
	d.sends, d.abort = context.WithCancel(context.Background())
	return d
}

const (
	// longestWait is how long the loop sleeps at most: a wall clock that was set
	// is noticed within it.
	longestWait = 30 * time.Second
	// lastWords bounds how long Run waits, after its context ended, for sends to
	// say what they know and for that to be written.
	lastWords = 10 * time.Second
)

// Run sends until ctx ends. Then it opens nothing more, tells the sends that are
// out to stop waiting, records what they say, and returns nil. Call Drain first to
// let them learn their outcome. A dialer runs once.
func (d *Dialer) Run(ctx context.Context) error {
	d.mu.Lock()
	again := d.ran
	d.ran = true
	d.mu.Unlock()
	if again {
		return gateway.Errorf(gateway.KindConflict, "the dialer ran already; make a new one")
	}
	defer d.senders.Wait()
	var fetch sync.WaitGroup
	fetching, stop := context.WithCancel(context.Background())
	defer fetch.Wait()
	defer stop()
	fetch.Go(func() { d.fetchIDs(fetching) })

	d.loop(ctx, nil)
	d.startDrain()
	d.abort()
	t := time.NewTimer(lastWords)
	defer t.Stop()
	d.loop(context.Background(), t.C)
	return nil
}

// fetchIDs keeps user ids ready for the loop.
func (d *Dialer) fetchIDs(ctx context.Context) {
	for {
		select {
		case d.ids <- d.o.Queue.NextUserID():
		case <-ctx.Done():
			return
		}
	}
}

// loop takes turns until ctx ends, or, when over is given, until it fires or
// nothing is out any more.
func (d *Dialer) loop(ctx context.Context, over <-chan time.Time) {
	var ended <-chan struct{}
	if over != nil {
		ended = d.drained
	}
	channels, definitions, cards := d.o.Channels.Watch(), d.o.Definitions.Watch(), d.o.SIMs.Watch()
	news := news{channels: true, definitions: true}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	var spare []event
	for {
		spare = d.turn(news, spare)
		news.channels, news.definitions, news.cards = false, false, false
		timer.Reset(d.wait)
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case <-over:
			d.o.Logger.Warn("dialer left outcomes unwritten: their messages will be in doubt")
			return
		case <-d.mail.wake:
		case <-timer.C:
		case <-channels:
			channels, news.channels = d.o.Channels.Watch(), true
		case <-definitions:
			definitions, news.definitions = d.o.Definitions.Watch(), true
		case <-cards:
			cards, news.cards = d.o.SIMs.Watch(), true
		}
	}
}

// news says what a turn must read anew.
type news struct{ channels, definitions, cards bool }

// turn takes in what happened and gives out what follows from it.
func (d *Dialer) turn(n news, spare []event) []event {
	events := d.mail.take(spare)
	d.mu.Lock()
	d.now, d.mono, d.trusted = d.o.Now().UTC(), time.Now(), d.o.Trusted()
	d.wait = longestWait
	if n.cards {
		d.refreshSIMs()
	}
	if n.channels {
		d.refreshChannels()
	}
	if n.definitions {
		d.refreshLanes()
	}
	for i := range events {
		d.take(&events[i])
	}
	clear(events) // holds no message beyond its time
	d.mail.takeArrivals(d.arrived)
	if d.moved {
		d.unblockRows()
	}
	if d.placed {
		d.unbar()
	}
	d.store.due(d)
	if !d.draining {
		d.dispatch()
	}
	d.writeOutcomes()
	d.writeDrops()
	if d.draining && d.quiet() {
		d.closeDrained()
	}
	rests := d.rests
	d.rests = nil
	d.mu.Unlock()
	for _, r := range rests { // outside the lock: the bank tells others
		d.o.Channels.Rest(r.id, r.d, r.reason)
	}
	return events
}

// take takes in one event.
func (d *Dialer) take(e *event) {
	switch e.kind {
	case eventStepped:
		d.stepped(e.slot, e.stepped)
	case eventSent:
		d.finished(e.slot, e.receipt, e.err)
	case eventDropped:
		d.dropsWritten(e.stepped)
	case eventPromoted:
		d.promoted(e.lane, e.err)
	}
}

// shortestWait keeps the loop from spinning on a time that has passed.
const shortestWait = time.Millisecond

// wakeIn asks for a turn after w at the latest.
func (d *Dialer) wakeIn(w time.Duration) {
	d.wait = min(d.wait, max(w, shortestWait))
}

// wakeAt is wakeIn for wall time.
func (d *Dialer) wakeAt(t time.Time) { d.wakeIn(t.Sub(d.now)) }

// Queued tells that a row came into a campaign's queue, as spool.Options.OnQueued
// does; idm 0 means many rows. It never blocks.
func (d *Dialer) Queued(campaign string, priority uint16, idm uint64) {
	d.mail.arrived(campaign, rank{priority, idm})
}

// Drain stops claiming and opening, waits until every send that is out has its
// outcome on disk, and returns nil, or an unavailable error that counts what is
// left when ctx ends first. A dialer that drained does not start again.
func (d *Dialer) Drain(ctx context.Context) error {
	d.startDrain()
	select {
	case <-d.drained:
		return nil
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return gateway.Errorf(gateway.KindUnavailable, "%d sends have no outcome yet", d.out())
}

func (d *Dialer) startDrain() {
	d.mu.Lock()
	d.draining = true
	for _, l := range d.order {
		l.forget()
	}
	if !d.ran {
		d.closeDrained()
	}
	d.mu.Unlock()
	d.mail.nudge()
}

// closeDrained tells that nothing is out. d.mu is held.
func (d *Dialer) closeDrained() {
	select {
	case <-d.drained:
	default:
		close(d.drained)
	}
}

// quiet says that nothing is out and nothing waits to be written.
func (d *Dialer) quiet() bool { return d.out() == 0 && len(d.drops)+len(d.sent) == 0 }

// out counts the channels with a send out or something to be written.
func (d *Dialer) out() int {
	n := 0
	for _, s := range d.slots {
		if s.state != slotIdle {
			n++
		}
	}
	return n
}
