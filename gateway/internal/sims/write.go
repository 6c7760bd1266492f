package sims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// save writes what changed, and tells the log of new alarms. What the disk does not take is tried again at the next
// turn, a minute later at most.
func (s *SIMs) save(ctx context.Context) {
	s.mu.Lock()
	var dirty []*entry
	for _, e := range s.cards {
		if e.dirty {
			dirty = append(dirty, e)
		}
	}
	gone, alarms, loud := s.gone, s.alarms, s.loud
	s.gone, s.alarms, s.loud = nil, nil, nil
	s.mu.Unlock()
	for _, reason := range loud {
		s.o.Logger.Error("alarm", "reason", reason)
	}
	var errs []error
	for _, e := range dirty {
		errs = append(errs, s.write(ctx, e))
	}
	again := s.forget(ctx, gone, &errs)
	unsaid := s.raise(ctx, alarms, &errs)
	s.mu.Lock()
	s.gone, s.alarms = append(again, s.gone...), append(unsaid, s.alarms...)
	s.mu.Unlock()
	if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
		s.o.Logger.Error("what changed of the SIMs is not on disk yet", "error", err)
	}
}

// forget deletes passports, and gives those that are still there.
func (s *SIMs) forget(ctx context.Context, ids []string, errs *[]error) (left []string) {
	for _, id := range ids {
		if err := s.o.Store.DeleteDoc(ctx, docKind, id); err != nil && gateway.KindOf(err) != gateway.KindNotFound {
			*errs, left = append(*errs, err), append(left, id)
		}
	}
	return left
}

// raise raises alarms, and gives those that the disk did not take.
func (s *SIMs) raise(ctx context.Context, alarms []string, errs *[]error) (left []string) {
	for _, reason := range alarms {
		if err := s.o.Store.Emit(ctx, gateway.EventAlarm, gateway.AlarmEvent{Reason: reason}); err != nil {
			*errs, left = append(*errs, err), append(left, reason)
		}
	}
	return left
}

// write brings one passport to disk, each event of it in a commit with it.
func (s *SIMs) write(ctx context.Context, e *entry) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	for {
		d, seen, news, err := s.page(e)
		if d.Name == "" {
			return nil
		}
		if err == nil {
			d, err = s.put(ctx, d, news)
		}
		s.mu.Lock()
		if err != nil {
			e.dirty, e.news = true, append(news, e.news...)
			s.mu.Unlock()
			return fmt.Errorf("the passport of SIM %s: %w", e.ID, err)
		}
		e.revision, e.saved = d.Revision, seen
		s.mu.Unlock()
	}
}

// page takes what is to be written of a card now: its passport, and the oldest of its
// events. There is no name when nothing is.
func (s *SIMs) page(e *entry) (d spool.Doc, seen time.Time, news []spool.Change, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !e.dirty || s.cards[e.ID] != e {
		return d, seen, nil, nil
	}
	d = spool.Doc{Kind: docKind, Name: e.ID, Revision: e.revision}
	d.Body, err = json.Marshal(&e.Card)
	if len(e.news) > 0 {
		news, e.news = e.news[:1:1], e.news[1:]
	}
	e.dirty = len(e.news) > 0
	return d, e.Last, news, err
}

func (s *SIMs) put(ctx context.Context, d spool.Doc, news []spool.Change) (spool.Doc, error) {
	if len(news) == 0 {
		return s.o.Store.PutDoc(ctx, d)
	}
	return s.o.Store.PutDocTold(ctx, d, news[0])
}
