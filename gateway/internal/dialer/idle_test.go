package dialer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// site is a world in which everything changes at random, and what must hold of it.
type site struct {
	*world
	r     *rand.Rand
	cards *fakeCards
	turns atomic.Int64

	mu      sync.Mutex
	air     *rand.Rand                          // of the network
	stopped map[gateway.Address]map[uint64]bool // numbers that opted out, and what was on its way to each then
	held    map[string]time.Time                // cards that are held, and since when
	faults  []string
}

// A row that could go is not left waiting while a channel is free that takes it; nothing
// begins on a held SIM, or to a customer who opted out; and the loop does not spin.
func TestNoRowThatCouldGoWaitsWhileAChannelIsFree(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { newSite(t, seed).live() })
		})
	}
}

const seeds = 3

func newSite(t *testing.T, seed uint64) *site {
	r := rand.New(rand.NewPCG(seed, 11))
	ports := 2 + r.IntN(5)
	bank, cards := twoOperators(ports)
	var lanes []Lane
	limit := func(n int) uint32 { return uint32(max(0, r.IntN(2*n)-n)) }
	limits := gateway.Limits{PerMinute: limit(12), PerHour: limit(60), PerDay: limit(200), RecipientsPerMonth: limit(30)}
	for i := range 3 {
		l := aLane(string(rune('a' + i)))
		l.Choice = []string{gateway.ChoiceRing, gateway.ChoiceLeastUsed, gateway.ChoiceSameOperator}[r.IntN(3)]
		l.Batch = []int{0, 1, 3, 10}[r.IntN(4)]
		l.DNCR = r.IntN(2) == 0
		l.Limits = limits // of their provider
		if r.IntN(3) == 0 {
			l.Interval = time.Duration(r.IntN(400)) * time.Millisecond
		}
		if r.IntN(4) == 0 {
			l.Ports = []int{1, 0} // no row asks for a port that is not among them
		}
		if r.IntN(4) == 0 {
			l.Schedule = mustSchedule(t, "sat,sun;00:00-00:07", "sat,sun;00:12-23:59")
		}
		lanes = append(lanes, l)
	}
	w := setup(t, bank, lanes...)
	s := &site{
		world: w, r: r, air: rand.New(rand.NewPCG(seed, 12)), cards: cards, stopped: map[gateway.Address]map[uint64]bool{}, held: map[string]time.Time{},
	}
	w.o.SIMs = cards
	w.o.Queue = &watchedQueue{w.store, s}
	w.o.Now = func() time.Time { s.turns.Add(1); return time.Now() }
	w.bank.script(s.answer)
	return s
}

// watchedQueue holds what is opened against the cards that are held.
type watchedQueue struct {
	Queue
	s *site
}

func (q *watchedQueue) Step(st spool.Step, done func(spool.Stepped)) {
	q.s.mu.Lock()
	for _, in := range st.Intents {
		if since, held := q.s.held[in.SIM]; held && in.Segment <= 1 && time.Since(since) > time.Millisecond {
			q.s.fault("message %d was begun on a held SIM", in.IDM)
		}
	}
	q.s.mu.Unlock()
	q.Queue.Step(st, done)
}

func (s *site) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// answer is the network, and holds what begins against what must not.
func (s *site) answer(ctx context.Context, c call) (modem.Receipt, error) {
	s.mu.Lock()
	if c.sub.Segment <= 1 {
		if on, ok := s.stopped[c.sub.To]; ok && !on[c.sub.IDM] {
			s.fault("message %d went past an opt-out", c.sub.IDM)
		}
	}
	wait, temper := time.Duration(s.air.IntN(4000))*time.Millisecond, s.air.IntN(30)
	s.mu.Unlock()
	<-time.After(wait)
	switch temper {
	case 0:
		return modem.Receipt{}, gateway.Errorf(gateway.KindRefused, "no such number")
	case 1:
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "no network")
	case 2:
		return modem.Receipt{}, gateway.Errorf(gateway.KindThrottled, "too fast")
	case 3:
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "no answer")
	}
	return modem.Receipt{}, nil
}

// rows adds n rows of a random shape.
func (s *site) rows(n int) {
	lane := s.defs.Lanes()[s.r.IntN(3)].Name
	var ms []gateway.Message
	few := 1 + s.r.IntN(60)
	for range n {
		m := long(lane, s.r.IntN(few), 1+s.r.IntN(3))
		m.Priority = uint16(1 + s.r.IntN(2))
		if s.r.IntN(6) == 0 {
			m.Source = fmt.Sprint(s.r.IntN(2))
		}
		if s.r.IntN(8) == 0 {
			m.NotBefore = time.Now().Add(time.Duration(s.r.IntN(300)) * time.Second)
		}
		ms = append(ms, m)
	}
	s.addAll(ms...)
}

// live lets things happen, and looks.
func (s *site) live() {
	s.rows(60)
	if s.r.IntN(3) == 0 { // more to one number than a claim passes over
		var ms []gateway.Message
		for range spool.MaxSkip + 200 {
			m := row("a", 5)
			m.Priority = 1
			ms = append(ms, m)
		}
		s.addAll(ms...)
	}
	s.start()
	for range 150 {
		began, turns := time.Now(), s.turns.Load()
		s.happens()
		pass(time.Duration(s.r.IntN(6000)) * time.Millisecond)
		s.spun(began, turns)
		s.look()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		s.t.Error(f)
	}
}

// spun counts the turns of a time: a look behind the front each lookPause is the most
// that the loop does by itself, what happens takes a few, and a row that is barred one.
func (s *site) spun(began time.Time, turns int64) {
	took := time.Since(began)
	if n := s.turns.Load() - turns; n > 2*spool.MaxSkip+int64(took/lookPause) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fault("%d turns in %v", n, took)
	}
}

func (s *site) happens() {
	id := gateway.ChannelID("bank", s.r.IntN(len(s.bank.Channels())))
	lane := s.defs.Lanes()[s.r.IntN(3)].Name
	switch s.r.IntN(9) {
	case 0:
		s.bank.down(id, "unplugged")
	case 1, 2:
		s.bank.up(id)
	case 3:
		s.hold()
	case 4:
		s.defs.change(lane, func(l *Lane) { l.Running = !l.Running || s.r.IntN(2) == 0 })
	case 5:
		limits := s.defs.Lanes()[0].Limits
		limits.PerMinute, limits.RecipientsPerMonth = uint32(s.r.IntN(12)), uint32(s.r.IntN(40))
		for _, l := range s.defs.Lanes() {
			s.defs.change(l.Name, func(l *Lane) { l.Limits = limits })
		}
	case 6:
		s.stops(number(s.r.IntN(60)))
	case 7:
		s.rows(1 + s.r.IntN(20))
	case 8:
		s.bank.set(id, func(c *gateway.Channel) {
			other := &s.bank.channels[s.r.IntN(len(s.bank.channels))]
			c.ICCID, other.ICCID = other.ICCID, c.ICCID
		})
	}
}

// hold holds some cards. What has its intent by then goes on.
func (s *site) hold() {
	s.mu.Lock()
	held, was := map[string]string{}, s.held
	s.held = map[string]time.Time{}
	for range s.r.IntN(3) {
		sim := fmt.Sprintf("8959%03d", s.r.IntN(6))
		held[sim], s.held[sim] = noDelivery, time.Now()
		if since, ok := was[sim]; ok {
			s.held[sim] = since
		}
	}
	s.mu.Unlock()
	s.cards.hold(held)
}

// stops has a customer opt out of everything.
func (s *site) stops(to gateway.Address) {
	s.d.mu.Lock()
	on := map[uint64]bool{}
	if h := s.d.numbers[to]; h != nil {
		on[h.idm] = true
	}
	s.d.mu.Unlock()
	for _, l := range s.defs.Lanes() {
		if err := s.store.Blacklist(context.Background(), spool.Listed{Number: to, Campaign: l.Name, OptOut: true}); err != nil {
			s.t.Fatal(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped[to] == nil {
		s.stopped[to] = on
	}
}

// look finds rows that wait for nothing: they do so still a little later.
func (s *site) look() {
	waiting := s.idle()
	for range 3 {
		if len(waiting) == 0 {
			return
		}
		pass(13 * time.Millisecond)
		again := s.idle()
		waiting = slices.DeleteFunc(waiting, func(idm uint64) bool { return !slices.Contains(again, idm) })
	}
	if len(waiting) > 0 && len(s.faults) < 5 {
		m := s.message(waiting[0])
		st, _ := s.d.Status(m.Campaign)
		why := strings.Join(s.d.Explain(m), " ")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fault("%d rows wait for nothing; %d (source %q, %d segments): %q; lane %+v", len(waiting), m.IDM, m.Source, m.Segments, why, st)
	}
}

// idle gives the rows that could go now, by the definition and not by the loop.
func (s *site) idle() (could []uint64) {
	for _, def := range s.defs.Lanes() {
		var queued []gateway.Message
		_, err := s.store.Claim(spool.Claim{Campaign: def.Name, Limit: 1, Peek: true, Skip: func(m *gateway.Message) bool {
			queued = append(queued, *m)
			return true
		}})
		if err != nil {
			s.t.Fatal(err)
		}
		could = append(could, s.d.couldGo(def.Name, queued)...)
	}
	return could
}

func (d *Dialer) couldGo(name string, queued []gateway.Message) (could []uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, now := d.lanes[name], time.Now()
	if !l.def.Running || !l.def.Schedule.On(now.UTC(), l.def.Zone) || l.pace.wait(now) > 0 || l.provider.wait(now) > 0 ||
		l.flying+l.dropping >= l.batch() || d.store.err != nil {
		return nil
	}
	for _, sl := range d.row {
		if !sl.sim.current(d) {
			return nil // its windows are looked at anew in the next turn
		}
	}
	if l.flying+l.dropping+len(l.buf) >= l.batch() && !slices.ContainsFunc(l.buf, func(m gateway.Message) bool {
		return d.waitsAlone(l, &m)
	}) {
		return nil // the memory is full of rows that wait for room on any SIM
	}
	seen := map[gateway.Address]bool{}
	for i := range queued {
		m := &queued[i]
		first := !seen[m.To]
		seen[m.To] = true
		h := d.numbers[m.To]
		if !first || d.dropped[m.IDM] != nil || h != nil && (h.flying || h.idm != m.IDM && now.Before(h.until)) {
			continue
		}
		if sl, _ := d.seat(l, m, (*Dialer).wouldTake); sl != nil {
			could = append(could, m.IDM)
		}
	}
	return could
}
