package sims

import (
	"time"

	"fieldpost/spool"
)

// care judges the cards by what became of what they sent.
func (s *SIMs) care() {
	s.sampleSignals()
	if !s.o.Trusted() {
		return
	}
	now := s.now()
	read := map[string]reading{}
	for _, id := range s.watched() {
		if r, ok := s.read(id, now); ok {
			read[id] = r
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range read {
		e := s.cards[id]
		if e == nil {
			continue
		}
		e.record, e.reports = r.SIMRecord, s.o.Reports(e.provider)
		e.Health = e.weigh(now)
		e.Left = left(s.o.Limits(id, e.provider), r.Day, r.Month, r.Recipients)
		s.lift(e)
	}
	s.judge(now)
}

// reading is what the spool says of a card.
type reading struct {
	spool.SIMRecord
	spool.Usage
}

// watched gives the cards that are looked at: those that are in a slot, and those
// that wait for a report.
func (s *SIMs) watched() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, e := range s.cards {
		if e.Channel != "" || e.Hold != nil && e.Hold.Cause == CauseReports {
			ids = append(ids, id)
		}
	}
	return ids
}

// read asks the spool, with no lock held.
func (s *SIMs) read(id string, now time.Time) (r reading, ok bool) {
	var err error
	if r.SIMRecord, err = s.o.Meter.SIMRecord(id); err == nil {
		r.Usage, err = s.o.Meter.SIMUsage(id, now)
	}
	if err != nil {
		s.o.Logger.Error("what a SIM sent cannot be read", "sim", id, "error", err)
	}
	return r, err == nil
}

// reread takes over what a card has sent by now: what is released is forgiven all of
// it, also in the first minute of the daemon.
func (s *SIMs) reread(id string) {
	r, ok := s.read(id, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.cards[id]; e != nil && ok {
		e.record = r.SIMRecord
	}
}

func (s *SIMs) sampleSignals() {
	channels := s.o.Bank.Channels()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range channels {
		c := &channels[i]
		if e := s.cards[c.SIMKey()]; e != nil && e.Channel == c.ID && e.ready {
			e.sample(c.Signal)
		}
	}
}
