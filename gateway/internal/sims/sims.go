package sims

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// docKind is the kind of the documents that hold the passports.
const docKind = "sim"

// SIMs looks after the cards of a box. Its methods may be called from any goroutine.
type SIMs struct {
	// Set once.
	o    Options
	book *book
	from time.Time     // when it was opened
	kick chan struct{} // something waits for the disk
	asks chan struct{} // a seat for each balance that is asked for by schedule

	writing sync.Mutex // one writes at a time; taken before mu

	mu      sync.Mutex
	cards   map[string]*entry // by id
	gone    []string          // passports that are to be deleted
	alarms  []string          // of no single card, that wait for the disk
	loud    []string          // alarms that the log has not heard: it may block, and is told with no lock held
	broken  map[string]bool   // providers whose reports do not come, and the alarm was raised
	watch   <-chan struct{}   // of the bank, taken before the last look
	changed chan struct{}     // closed at the next change of an answer for the dialer
}

// entry is what is known of one card: its passport, and what is not written.
type entry struct {
	Card
	revision uint64 // of the passport on disk; 0 = none
	dirty    bool
	saved    time.Time // Last, as it is on disk
	news     []spool.Change

	ready    bool // its channel can send
	provider string
	reports  bool    // are asked for by its provider
	signal   float64 // the present one, averaged; 0 = not known
	record   spool.SIMRecord

	asking bool
	due    time.Time // of its balance; zero = not planned
	fails  int       // tries in a row that could not ask
}

// Open reads the passports. One that cannot be read begins anew, and the log says so.
func Open(o Options) (*SIMs, error) {
	o.defaults()
	b, err := newBook(&o.Site)
	if err != nil {
		return nil, err
	}
	docs, err := o.Store.Docs(docKind)
	if err != nil {
		return nil, err
	}
	s := &SIMs{
		o: o, book: b, from: o.Now().UTC(), kick: make(chan struct{}, 1), asks: make(chan struct{}, asksAtOnce),
		cards: map[string]*entry{}, broken: map[string]bool{}, changed: make(chan struct{}),
	}
	for _, d := range docs {
		e := &entry{revision: d.Revision}
		if err := json.Unmarshal(d.Body, &e.Card); err != nil {
			o.Logger.Error("a SIM's passport cannot be read and begins anew", "sim", d.Name, "error", err)
			e.Card = Card{First: d.Changed, Last: d.Changed}
		}
		e.ID, e.saved = d.Name, e.Last
		s.cards[e.ID] = e
	}
	return s, nil
}

// Run watches the channels, judges the cards and asks for balances until ctx ends.
func (s *SIMs) Run(ctx context.Context) error {
	tick := time.NewTicker(s.o.Tick)
	defer tick.Stop()
	var asks sync.WaitGroup
	defer asks.Wait()
	for {
		watch := s.look()
		s.save(ctx)
		select {
		case <-watch:
		case <-s.kick:
		case <-tick.C:
			s.care()
			s.askDue(ctx, &asks)
		case <-ctx.Done():
			s.save(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// Held says why a card must not send; "" = it may. Where a swap must be confirmed it
// looks at the slots itself first: no message leaves by a card that came a moment ago.
func (s *SIMs) Held(sim string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Site.ConfirmSwap {
		s.refresh()
	}
	if e := s.cards[sim]; e != nil && e.Hold != nil {
		return e.Hold.Why
	}
	if imsi, ok := strings.CutPrefix(sim, "imsi:"); ok {
		return s.heldByIMSI(imsi)
	}
	return ""
}

// heldByIMSI says why a card is held whose device told its ICCID once, and does not
// now. mu is held.
func (s *SIMs) heldByIMSI(imsi string) string {
	for _, e := range s.cards {
		if e.IMSI == imsi && e.Hold != nil {
			return e.Hold.Why
		}
	}
	return ""
}

// Operator gives the name of a card's operator; "" = not known.
func (s *SIMs) Operator(sim string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.cards[sim]; e != nil {
		return s.book.operatorOf(&e.Card)
	}
	return ""
}

// Owner gives the name of the operator that owns a number's prefix, the longest of
// them; "" = not known.
func (s *SIMs) Owner(to gateway.Address) string { return s.book.owner(string(to)) }

// Watch gives a channel that is closed at the next change of Held or Operator.
func (s *SIMs) Watch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Cards gives all passports, by id.
func (s *SIMs) Cards() []Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	all := make([]Card, 0, len(s.cards))
	for _, e := range s.cards {
		all = append(all, s.view(e))
	}
	slices.SortFunc(all, func(a, b Card) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Card gives one passport, or not_found.
func (s *SIMs) Card(id string) (Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return Card{}, err
	}
	return s.view(e), nil
}

// view is a passport as the world sees it. mu is held.
func (s *SIMs) view(e *entry) Card {
	c := e.Card
	if c.Channel != "" {
		c.Last = s.now()
	}
	if name := s.book.operatorOf(&c); name != "" {
		c.Operator = name
	}
	if own := s.o.Site.Own[c.ICCID]; own.Number != "" {
		c.Number = string(own.Number)
	}
	return c
}

// find gives an entry, or not_found. mu is held.
func (s *SIMs) find(id string) (*entry, error) {
	s.refresh()
	if e := s.cards[id]; e != nil {
		return e, nil
	}
	return nil, gateway.Errorf(gateway.KindNotFound, "no SIM %q was ever seen here", id)
}

// notify tells the dialer that an answer changed. mu is held.
func (s *SIMs) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wake has Run write what changed.
func (s *SIMs) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // it will
	}
}

func (s *SIMs) now() time.Time { return s.o.Now().UTC() }
