package sims

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// lift gives a card back whose report came after all. mu is held.
func (s *SIMs) lift(e *entry) {
	if h := e.Hold; h != nil && h.Cause == CauseReports && !e.record.LastDelivered.Before(h.Since.Truncate(time.Second)) { // it is kept to the second
		s.release(e, "a delivery report came at "+e.record.LastDelivered.UTC().Format("2006-01-02 15:04:05")+" UTC", "")
	}
}

// judge holds the cards that send and never deliver, where others show that it is the
// card. mu is held.
func (s *SIMs) judge(now time.Time) {
	providers := map[string][]*entry{}
	for _, e := range s.cards {
		if e.ready && e.reports && (e.Hold == nil || e.Hold.Cause == CauseReports) {
			providers[e.provider] = append(providers[e.provider], e)
		}
	}
	for provider := range s.broken {
		if providers[provider] == nil {
			delete(s.broken, provider)
		}
	}
	for provider, all := range providers {
		slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.ID, b.ID) })
		s.judgeProvider(provider, all, now)
	}
}

// judgeProvider judges the cards of one provider that are ready: those that may send,
// and those that we hold.
func (s *SIMs) judgeProvider(provider string, all []*entry, now time.Time) {
	var doubtful []*entry
	for _, e := range all {
		if e.Hold != nil {
			continue
		}
		switch suspect, peers := s.suspect(e, now), s.peers(e, all); {
		case !suspect:
			e.doubt(false)
		case !s.blames(e, peers, now):
			e.doubt(true)
			doubtful = append(doubtful, e)
		case e.Doubt && e.reportsAgain(peers): // what it lost meanwhile says nothing of the card
			e.doubt(false)
			e.pardon(now)
		default:
			e.doubt(false)
			s.block(e, now)
		}
	}
	if len(doubtful) == 0 {
		delete(s.broken, provider)
		return
	}
	if !s.broken[provider] {
		s.broken[provider] = true
		why := s.brokenWords(provider, doubtful, now)
		s.loud, s.alarms = append(s.loud, why), append(s.alarms, why)
		s.wake()
	}
	s.amnesty(doubtful, all, now)
}

// doubt notes whether a card sent in vain while the reports themselves were in doubt.
func (e *entry) doubt(yes bool) {
	e.dirty = e.dirty || e.Doubt != yes
	e.Doubt = yes
}

// reportsAgain says that reports came to another card since this one fell silent.
func (e *entry) reportsAgain(peers []*entry) bool {
	_, since := mute(&e.record, e.Pardon)
	return slices.ContainsFunc(peers, func(p *entry) bool { return p.record.LastDelivered.After(since) })
}

// pardon has what a card sent in vain so far count no more.
func (e *entry) pardon(now time.Time) {
	e.Pardon, e.dirty = &Pardon{At: now, Streak: e.record.Streak}, true
}

// suspect says that a card sends and nothing is delivered, though it usually is. Of a
// card without a past, that of the others in the box is asked. A report that the box
// could not hear while it was off, or a clock that is set after the start, has its hour
// to show.
func (s *SIMs) suspect(e *entry, now time.Time) bool {
	n, since := mute(&e.record, e.Pardon)
	if n < muteSegments || now.Sub(since) < muteTime || now.Sub(s.from) < muteTime {
		return false
	}
	own := past(&e.record, now)
	if !own.habit() {
		own = tally{}
		for _, o := range s.cards {
			if o != e {
				own.add(past(&o.record, now))
			}
		}
	}
	return own.habit() && own.share() >= usualShare
}

// peers are the cards that tell whether reports come at all: the others of the same
// operator, whose reports come the same way, or all others where there is none.
func (s *SIMs) peers(e *entry, all []*entry) (peers []*entry) {
	for _, same := range []bool{true, false} {
		for _, o := range all {
			if o != e && (!same || s.network(o) == s.network(e)) {
				peers = append(peers, o)
			}
		}
		if len(peers) > 0 {
			break
		}
	}
	return peers
}

// network is the operator of a card, or its MCC and MNC as far as they are always there.
func (s *SIMs) network(e *entry) string {
	if name := s.book.operatorOf(&e.Card); name != "" {
		return name
	}
	return e.IMSI[:min(len(e.IMSI), 5)]
}

// blames says that it is the card and not the reports: one of its peers may send in
// its place, and has not fallen silent too. To be released makes no card a witness.
func (s *SIMs) blames(e *entry, peers []*entry, now time.Time) bool {
	_, since := mute(&e.record, e.Pardon)
	return slices.ContainsFunc(peers, func(p *entry) bool {
		silent := p.record.Streak >= muteHint && !p.record.LastDelivered.After(since)
		return p.Hold == nil && !silent && !s.suspect(p, now)
	})
}

// block takes a card out of the ring that the network has blocked, as it looks.
func (s *SIMs) block(e *entry, now time.Time) {
	n, since := mute(&e.record, e.Pardon)
	why := fmt.Sprintf("none of the %d segments that it sent since %s was delivered%s: the operator may have blocked it",
		n, since.UTC().Format("2006-01-02 15:04 MST"), usually(past(&e.record, now)))
	s.alarm(e, fmt.Sprintf("SIM %s in %s is held and sends nothing: %s. \"fieldpost sims release %s\" gives it back", e.ID, e.Channel, why, e.ID))
	s.hold(e, Hold{Since: now, Cause: CauseReports, Why: why})
}

func usually(t tally) string {
	if !t.habit() {
		return ", while those of other SIMs are"
	}
	return fmt.Sprintf(", and %.0f %% were in the %d days before", 100*t.share(), usualDays)
}

func (s *SIMs) brokenWords(provider string, doubtful []*entry, now time.Time) string {
	first := now
	var segments uint32
	for _, e := range doubtful {
		n, since := mute(&e.record, e.Pardon)
		segments += n
		if since.Before(first) {
			first = since
		}
	}
	who := fmt.Sprintf("%d SIMs", len(doubtful))
	if len(doubtful) == 1 {
		who = "SIM " + doubtful[0].ID
	}
	return fmt.Sprintf("no delivery report comes to provider %s: none for %d segments of %s since %s; no other SIM shows whether it is the SIM or the reports, so it goes on sending",
		provider, segments, who, first.UTC().Format("2006-01-02 15:04 MST"))
}

// amnesty gives the cards back that were held before the others fell silent too: then
// it was the reports.
func (s *SIMs) amnesty(doubtful, all []*entry, now time.Time) {
	for _, e := range all {
		if e.Hold == nil || now.Sub(e.Hold.Since) < restTime {
			continue
		}
		peers := s.peers(e, all)
		free := slices.DeleteFunc(slices.Clone(peers), func(p *entry) bool { return p.Hold != nil })
		if len(free) > 0 && !slices.ContainsFunc(free, func(p *entry) bool { return !slices.Contains(doubtful, p) }) {
			s.release(e, "no SIM beside it gets delivery reports either: it is the reports", "")
		}
	}
}
