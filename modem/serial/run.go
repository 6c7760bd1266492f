package serial

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/at"
)

// run is one run of a driver: one open port, from its first byte to its last.
type run struct {
	o       *Options
	host    modem.Host
	s       *at.Session
	trace   *at.Recorder // of the driver: it outlives the run
	ladder  *ladder      // of the driver
	backlog *backlog     // of the driver
	log     *slog.Logger
	ctx     context.Context // ends with the run: what the listener stores by
	end     context.CancelFunc
	wg      sync.WaitGroup // the listener, and who stores what it heard
	heard   chan struct{}  // closed when the listener has ended

	ready   atomic.Bool  // Send may begin
	sending atomic.Int32 // sends that have not returned
	linked  atomic.Bool  // +CMMS=2 was taken
	sent    atomic.Int64 // when the network last took a message, in Unix ns
	begun   atomic.Int64 // when the last message was begun, in Unix ns; 0 = none yet
	former  atomic.Bool  // a USSD dialogue was given up: the network may still answer it
	mute    atomic.Int32 // sends in a row that the modem did not answer

	mu     sync.Mutex
	ch     gateway.Channel // as the host knows it
	told   bool
	todo   chores
	q      *quirk
	wake   chan struct{} // todo is not empty
	answer chan at.URC   // +CUSD for the dialogue that goes on; nil = none
	dialog chan struct{} // one USSD dialogue at a time

	// Owned by the keeper.
	home    string          // the memory where messages are kept
	memory  string          // the one that is being read
	cnmi    string          // what +CNMI was set to
	crammed bool            // a person was told that the memory does not empty
	torn    map[string]int  // places whose content is no TPDU, and how often it was seen so
	offline time.Time       // since when there is no network; zero while there is one
	clock   bool            // the modem tells the network's time as the standard says
	stuck   map[string]bool // TPDUs that are stored, and that the modem does not delete
}

// chores is what the listener and the senders leave to the keeper.
type chores struct {
	arrived []place // messages that were announced
	sweep   bool    // look at everything that is in the memory
	verify  bool    // look whether the modem still has its settings
	poll    bool    // look at SIM and network
	clock   bool    // ask the network's time
	radio   string  // switch the radio off and on, for this reason
	restart bool    // the modem started again: set it up again
}

// place is where the modem keeps a message.
type place struct {
	memory string
	index  int
}

func (c *chores) any() bool {
	return len(c.arrived) > 0 || c.sweep || c.verify || c.poll || c.clock || c.radio != "" || c.restart
}

// maxArrived bounds the places that wait: beyond it, everything is looked at.
const maxArrived = 64

func newRun(d *Driver, host modem.Host, path string, port at.Conn) *run {
	o := &d.o
	r := &run{
		o: o, host: host, trace: d.trace, ladder: d.ladder, backlog: d.handed, q: quirkOf(""),
		log:   o.Logger.With(slog.String("provider", o.Provider), slog.Int("port", o.Port.Port)),
		stuck: map[string]bool{}, torn: map[string]int{},
		wake: make(chan struct{}, 1), dialog: make(chan struct{}, 1),
		ch: gateway.Channel{Port: o.Port.Port, Device: path, Signal: gateway.SignalUnknown, Registration: gateway.RegUnknown},
	}
	r.ctx, r.end = context.WithCancel(context.Background())
	r.s = at.New(at.Options{Port: port, URCs: allURCs(), Trace: r.trace, Times: o.Times})
	r.heard = make(chan struct{})
	r.wg.Go(func() {
		defer close(r.heard)
		r.listen()
	})
	r.wg.Go(r.storeHanded)
	return r
}

func (r *run) close() {
	r.ready.Store(false)
	r.s.Close()
	r.finish()
	r.end()
	r.wg.Wait()
}

// finish lets the listener come to the end of what was said, and the disk to the end of that.
func (r *run) finish() {
	t := time.NewTimer(storeGrace)
	defer t.Stop()
	select {
	case <-r.heard:
		r.settleHanded()
	case <-t.C: // a port that the kernel does not give back
	}
}

// set changes what is known of the channel and tells the host of a change.
func (r *run) set(change func(c *gateway.Channel)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.ch
	change(&r.ch)
	if r.ch.State == gateway.ChannelReady {
		r.ch.Reason = ""
	}
	if r.told && r.ch == before {
		return
	}
	r.told = true
	// First the door, then the word: whoever hears of a ready channel may send at once.
	r.ready.Store(r.ch.State == gateway.ChannelReady)
	r.host.Channel(r.ch)
}

// state changes the channel's state, with the reason.
func (r *run) state(s gateway.ChannelState, reason string) {
	r.set(func(c *gateway.Channel) { c.State, c.Reason = s, reason })
}

// quirk gives the row of the modem's maker.
func (r *run) quirk() *quirk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.q
}

func (r *run) channel() gateway.Channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch
}

// nudge leaves something to the keeper.
func (r *run) nudge(note func(c *chores)) {
	r.mu.Lock()
	note(&r.todo)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// chores takes what was left.
func (r *run) chores() chores {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.todo
	r.todo = chores{}
	return c
}

// errAgain says that the modem must be set up again from the beginning.
var errAgain = errors.New("the modem started again")

// again is how often in a row the set-up begins anew before the port is opened anew.
const again = 3

// keep sets the modem up and keeps house until the modem is lost or ctx ends.
func (r *run) keep(ctx context.Context) error {
	r.state(gateway.ChannelStarting, "the port is open; the modem is awaited")
	for failures := 0; ; {
		err := r.start(ctx)
		if err == nil {
			failures = 0
			err = r.house(ctx)
		}
		r.ready.Store(false)
		switch {
		case ctx.Err() != nil:
			return nil
		case r.s.Cause() != nil:
			return err
		case errors.Is(err, errAgain):
		case errors.Is(err, at.ErrSilent):
			if err := r.revive(ctx, err); err != nil {
				return err
			}
			failures++
		case gateway.KindOf(err) == gateway.KindConflict:
			return err
		default:
			failures++
		}
		if failures > again {
			return err
		}
		if r.channel().State == gateway.ChannelReady {
			r.state(gateway.ChannelStarting, "the modem is set up again")
		}
	}
}

// revive wakes a modem that does not answer, or says why that cannot be done.
func (r *run) revive(ctx context.Context, cause error) error {
	r.state(gateway.ChannelStarting, "the modem does not answer: it is being woken")
	r.mute.Store(0)
	gentle := r.ladder.gentle(time.Now())
	steps, err := r.s.Revive(ctx, gentle)
	if ctx.Err() == nil {
		r.note(cause.Error(), steps, err)
	}
	return err
}

// note writes an incident down: in the log, and for who asks for the evidence.
func (r *run) note(cause string, steps []at.Step, err error) {
	lines := r.trace.Lines()
	i := modem.Incident{At: r.o.Now().UTC(), Cause: cause, Lines: lines[max(0, len(lines)-evidenceLines):]}
	r.ladder.climbed(time.Now(), i, steps, err == nil)
	words := make([]string, len(steps))
	for n, s := range steps {
		words[n] = s.String()
	}
	log := r.log
	if err != nil || slices.ContainsFunc(steps, costly) {
		log = log.With(slog.Any("trace", i.Lines)) // one that woke at once has no story
	}
	log.Warn("modem did not answer", slog.String("cause", cause), slog.Bool("woken", err == nil), slog.Any("steps", words))
}

// evidenceLines is how many lines an incident keeps.
const evidenceLines = 60

// cycle switches the radio of a modem that answers, and yet does not do its work, off and on.
func (r *run) cycle(ctx context.Context, why string) error {
	r.mute.Store(0)
	r.offline = time.Now()
	if r.ladder.gentle(time.Now()) {
		return nil
	}
	r.state(gateway.ChannelStarting, why+": its radio is switched off and on")
	step, err := r.s.Radio(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.note(why, []at.Step{step}, err)
	if err != nil {
		return err
	}
	return errAgain
}
