package sims

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// AskBalance asks the network for a card's balance now, and returns when the answer is
// on disk: within about two minutes. KindInvalid: its operator has no balance code.
// KindUnavailable: the card is in no slot. KindConflict: it is being asked already.
// Other errors are the device's. An answer without an amount is no error.
func (s *SIMs) AskBalance(ctx context.Context, id string) (Card, error) {
	s.mu.Lock()
	q, err := s.question(id)
	s.mu.Unlock()
	if err != nil {
		return Card{}, err
	}
	if err := s.ask(ctx, q); err != nil {
		return Card{}, err
	}
	if err := s.write(context.WithoutCancel(ctx), q.e); err != nil {
		return Card{}, err
	}
	return s.Card(id)
}

// question is a balance that is being asked for.
type question struct {
	e       *entry
	channel string
	*operator
	low float64
}

// question begins to ask. mu is held.
func (s *SIMs) question(id string) (question, error) {
	e, err := s.find(id)
	if err != nil {
		return question{}, err
	}
	o, low := s.book.balance(&e.Card)
	switch {
	case o == nil:
		return question{}, gateway.Invalid("operator", "no [[operator]] of this SIM has a balance code: its IMSI is %q", e.IMSI)
	case e.Channel == "":
		return question{}, gateway.Errorf(gateway.KindUnavailable, "SIM %s is in no slot now", id)
	case e.asking:
		return question{}, gateway.Errorf(gateway.KindConflict, "SIM %s is being asked already", id)
	}
	e.asking = true
	return question{e: e, channel: e.Channel, operator: o, low: low}, nil
}

// askDue asks the cards whose time has come, a few at once. Who finds no seat is asked
// at the next tick.
func (s *SIMs) askDue(ctx context.Context, asks *sync.WaitGroup) {
	if !s.o.Trusted() {
		return
	}
	for _, q := range s.due() {
		asks.Go(func() {
			defer func() { <-s.asks }()
			if err := s.ask(ctx, q); err != nil && ctx.Err() == nil {
				s.o.Logger.Info("a SIM's balance is not known", "sim", q.e.ID, "channel", q.channel, "error", err)
			}
			s.wake()
		})
	}
}

// due begins the questions whose time has come, each with a seat.
func (s *SIMs) due() (all []question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for id, e := range s.cards {
		o, _ := s.book.balance(&e.Card)
		if o == nil || !e.ready || e.asking {
			continue
		}
		if e.due.IsZero() || e.due.Sub(now) > 2*o.Balance.Every { // the clock was set back since
			e.due = s.plan(e, o.Balance.Every, now)
		}
		if now.Before(e.due) {
			continue
		}
		select {
		case s.asks <- struct{}{}:
		default:
			return all
		}
		if q, err := s.question(id); err == nil {
			all = append(all, q)
		} else {
			<-s.asks
		}
	}
	return all
}

// plan says when a card is asked next: a period after the last answer, give or take a
// twentieth, so that the cards spread over the day. One that is due is asked soon, and
// not all at once. A last answer in the future was stamped by a clock that was wrong.
func (s *SIMs) plan(e *entry, every time.Duration, now time.Time) time.Time {
	soon := now.Add(s.jitter(firstWithin))
	if e.Balance.Asked.IsZero() || e.Balance.Asked.After(now) {
		return soon
	}
	next := e.Balance.Asked.Add(every - every/20 + s.jitter(every/10))
	if next.Before(soon) {
		return soon
	}
	return next
}

func (s *SIMs) jitter(d time.Duration) time.Duration { return time.Duration(s.o.Rand(int64(d) + 1)) }

// ask dials the code and takes the answer over.
func (s *SIMs) ask(ctx context.Context, q question) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	text, err := s.o.Bank.USSD(ctx, q.channel, q.Balance.Code)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookLocked()
	e := q.e
	e.asking = false
	switch {
	case e.Channel != q.channel:
		return gateway.Errorf(gateway.KindUnavailable, "SIM %s left %s while it was asked", e.ID, q.channel)
	case err != nil:
		s.unanswered(&q, err)
		return err
	}
	s.answered(&q, text)
	return nil
}

// unanswered plans the next try. What the device or the network will never do is left
// for the next period.
func (s *SIMs) unanswered(q *question, err error) {
	e, now, why := q.e, s.now(), clip(err.Error())
	tell := false
	switch gateway.KindOf(err) {
	case gateway.KindRefused, gateway.KindInvalid:
		tell = why != e.Balance.Error
		e.fails, e.Balance.Asked = 0, now
		e.due = s.plan(e, q.Balance.Every, now)
	default:
		e.fails++
		tell = e.fails == failsTold
		e.due = now.Add(backoff(e.fails, q.Balance.Every))
	}
	if why != e.Balance.Error {
		e.Balance.Error, e.dirty = why, true
	}
	if tell {
		s.alarm(e, fmt.Sprintf("the balance of SIM %s in %s cannot be asked for with %s of operator %s: %s", e.ID, e.Channel, q.Balance.Code, q.Name, why))
	}
}

// answered takes an answer over.
func (s *SIMs) answered(q *question, text string) {
	e, now := q.e, s.now()
	b := &e.Balance
	unread := b.Answer != nil && !b.Answer.Read // and was told
	b.Asked, b.Error, e.fails, e.dirty = now, "", 0, true
	e.due = s.plan(e, q.Balance.Every, now)
	amount, ok := amountIn(q.pattern, text)
	if !ok {
		b.Answer = &Answer{At: now, Text: clip(text)}
		if !unread {
			s.alarm(e, fmt.Sprintf("the balance of SIM %s cannot be read: the pattern of operator %s finds no amount in the answer to %s", e.ID, q.Name, q.Balance.Code))
		}
		return
	}
	b.Answer = &Answer{At: now, Read: true, Amount: amount}
	b.Amounts = slices.Insert(slices.Clone(b.Amounts), 0, Amount{At: now, Amount: amount})
	b.Amounts = b.Amounts[:min(len(b.Amounts), maxAmounts)]
	s.note(e, spool.Change{Event: gateway.EventSIM, Body: gateway.SIMEvent{
		ID: e.ID, ICCID: e.ICCID, Channel: e.Channel, Change: "balance", Amount: &amount,
	}})
	low := q.low > 0 && amount < q.low
	if low && !b.Low {
		s.alarm(e, fmt.Sprintf("the balance of SIM %s in %s is %s, below %s%s", e.ID, e.Channel, money(amount), money(q.low), lasting(b)))
	}
	b.Low = low
}

func money(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// lasting says for how long a balance lasts, where that can be told.
func lasting(b *Balance) string {
	days, ok := b.DaysLeft()
	if !ok {
		return ""
	}
	return fmt.Sprintf(": at the present rate it lasts %d days", days)
}

// clip keeps as much of a text as an answer can have.
func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	return string(r[:min(len(r), maxText)])
}
