package sims

import (
	"context"
	"unicode/utf8"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// maxWhy bounds the reason that a person gives, in characters.
const maxWhy = 300

// Hold keeps a card from sending until somebody releases it, and returns when that
// is on disk. why and by are shown to whoever asks.
func (s *SIMs) Hold(ctx context.Context, id, why, by string) (Card, error) {
	if why == "" || utf8.RuneCountInString(why) > maxWhy {
		return Card{}, gateway.Invalid("reason", "must have 1 to %d characters: whoever finds the card held reads it", maxWhy)
	}
	return s.change(ctx, id, func(e *entry) error {
		s.hold(e, Hold{Since: s.now(), Cause: CausePerson, Why: why, By: by})
		return nil
	})
}

// Release lets a held card send again, whatever held it. KindConflict: it is not held.
func (s *SIMs) Release(ctx context.Context, id, by string) (Card, error) {
	s.reread(id)
	return s.change(ctx, id, func(e *entry) error {
		if e.Hold == nil {
			return gateway.Errorf(gateway.KindConflict, "SIM %s is not held", id)
		}
		s.release(e, "it was held: "+e.Hold.Why, by)
		return nil
	})
}

// Confirm says that a card is right where it is. KindConflict: no swap holds it.
func (s *SIMs) Confirm(ctx context.Context, id, by string) (Card, error) {
	s.reread(id)
	return s.change(ctx, id, func(e *entry) error {
		if e.Hold == nil || e.Hold.Cause != CauseSwap {
			return gateway.Errorf(gateway.KindConflict, "SIM %s does not wait to be confirmed", id)
		}
		s.release(e, "it is confirmed in its slot", by)
		return nil
	})
}

// change alters a card, and returns when that is on disk.
func (s *SIMs) change(ctx context.Context, id string, f func(*entry) error) (Card, error) {
	s.mu.Lock()
	e, err := s.find(id)
	if err == nil {
		err = f(e)
	}
	s.mu.Unlock()
	if err != nil {
		return Card{}, err
	}
	// Whether it is on disk must be known, also when the caller is gone.
	if err := s.write(context.WithoutCancel(ctx), e); err != nil {
		return Card{}, gateway.Errorf(gateway.KindOf(err), "this is in force, and not on disk yet: a restart before the disk takes it undoes it: %w", err)
	}
	return s.Card(id)
}

// hold takes a card out of use. mu is held.
func (s *SIMs) hold(e *entry, h Hold) {
	e.Hold = &h
	s.tell(e, "held", h.Why, h.By)
	s.notify()
}

// release gives a card back. What it sent in vain so far counts no more. mu is held.
func (s *SIMs) release(e *entry, why, by string) {
	e.Hold = nil
	e.pardon(s.now())
	s.tell(e, "released", why, by)
	s.notify()
}

// tell notes an event of a card, for the disk. mu is held.
func (s *SIMs) tell(e *entry, change, reason, by string) {
	s.note(e, spool.Change{Event: gateway.EventSIM, Body: gateway.SIMEvent{
		ID: e.ID, ICCID: e.ICCID, Channel: e.Channel, Change: change, Reason: reason, By: by,
	}})
}

// alarm notes that an operator should look. mu is held.
func (s *SIMs) alarm(e *entry, reason string) {
	s.loud = append(s.loud, reason)
	s.note(e, spool.Change{Event: gateway.EventAlarm, Body: gateway.AlarmEvent{Reason: reason}})
}

// note keeps an event until the disk has it; of more than maxNews the oldest are
// dropped, and the log says so. mu is held.
func (s *SIMs) note(e *entry, ch spool.Change) {
	e.dirty = true
	e.news = append(e.news, ch)
	if len(e.news) > maxNews {
		e.news = e.news[1:]
		s.o.Logger.Error("an event of a SIM is lost: the disk takes none", "sim", e.ID)
	}
	s.wake()
}
