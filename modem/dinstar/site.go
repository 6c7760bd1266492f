package dinstar

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// site is one run of a driver: a gateway and its ports.
type site struct {
	o     *Options
	api   *client
	host  modem.Host
	log   *slog.Logger
	ctx   context.Context // ends with the run: sends that wait end with it
	end   context.CancelFunc
	wake  chan struct{} // an outcome is awaited, or a port is to be looked at
	hurry atomic.Bool   // the ports are to be looked at
	rung  atomic.Uint32 // kinds of push that came since the keeper last answered them

	// Owned by the keeper.
	words   []string // info_type words that the gateway takes
	chores  []*chore
	asked   time.Time       // when outcomes were last asked for
	gap     time.Duration   // how long after that they are not asked for again
	failing int             // looks at the ports in a row that gave nothing
	came    glance          // of the look that is under way
	told    time.Time       // when a fault of the gateway's own was last logged
	lacks   map[string]bool // requests that the firmware does not know
	inbox   inbox
	seen    recent // delivery reports that the host has

	mu     sync.Mutex
	ports  map[int]*port
	open   map[uint32]*awaited // by user id
	crowd  crowd
	serial string // "" where the gateway does not tell it
	clock  clock

	condition modem.Condition // what the gateway told of itself
	fault     fault           // the last one that the gateway pushed
}

// port is what is known of one port. It is under site.mu.
type port struct {
	channel gateway.Channel
	told    bool
	sending bool
	dialing bool
	pace    pace
	ussd    chan struct{} // takes one: the network's answer to a USSD request was pushed
	seized  string        // what is being done to it; "" = nothing
	blocked bool          // for sending, by Control
	refused bool          // send_sms found it not usable, and nobody looked since
}

// chore is something that is done again and again.
type chore struct {
	every time.Duration
	due   time.Time
	do    func(ctx context.Context) (again bool) // again: there is more of it

	push   pushKind // what has it done at once
	vow    vow
	rested time.Time // not done before, whatever is pushed: it took long
	failed int       // times in a row that the gateway gave nothing
}

func newSite(d *Driver, host modem.Host) *site {
	s := &site{
		o: &d.o, api: d.api, host: host, wake: make(chan struct{}, 1),
		log:   d.o.Logger.With(slog.String("provider", d.o.Provider)),
		ports: map[int]*port{}, open: map[uint32]*awaited{}, clock: clock{zone: d.o.Zone},
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.chores = []*chore{
		{every: s.o.Every.Ports, do: s.look, push: pushPorts},
		{every: s.o.Every.Inbox, do: s.fetch, push: pushInbox, vow: vow{rest: s.o.Every.Pushed}},
		{every: s.o.Every.Reports, do: s.reports, push: pushReports, vow: vow{rest: s.o.Every.Pushed}},
		{every: s.o.Every.Queue, do: s.countQueue},
		{every: statusEvery, do: s.status},
	}
	return s
}

// keep does what is due, outcomes before everything else, until ctx ends.
func (s *site) keep(ctx context.Context) {
	for ctx.Err() == nil {
		now := time.Now()
		s.answerPushes(now)
		due, some := s.outcomesDue()
		if some && !due.After(now) {
			s.outcomes(ctx)
			continue
		}
		if s.hurry.Swap(false) {
			s.chores[0].due = now
		}
		c := s.nextChore()
		if !c.due.After(now) {
			s.perform(ctx, c, now)
			continue
		}
		if !some || c.due.Before(due) {
			due = c.due
		}
		s.pause(ctx, time.Until(due))
	}
}

// nextChore gives the chore that is due first.
func (s *site) nextChore() *chore {
	first := s.chores[0]
	for _, c := range s.chores[1:] {
		if c.due.Before(first.due) {
			first = c
		}
	}
	return first
}

// pause waits, but no longer than until there is news.
func (s *site) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.wake:
	case <-ctx.Done():
	}
}

// nudge tells the keeper that there is news.
func (s *site) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// away says that the gateway did not answer when it was last looked at.
func (s *site) away() bool { return s.failing > 0 }

// learn takes over what each answer tells of the gateway.
func (s *site) learn(a answer) {
	if a.SN.word() == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial = a.SN.word()
}

// name is what the gateway is known by on disk: its serial number, or its address.
func (s *site) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serial != "" {
		return "sn:" + s.serial
	}
	return s.api.base.Host
}

// channel gives what is known of a port.
func (s *site) channel(n int) (gateway.Channel, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[n]
	if p == nil {
		return gateway.Channel{}, false
	}
	return p.channel, true
}
