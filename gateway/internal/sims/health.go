package sims

import (
	"fmt"
	"math"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// tally is what became of segments for which a report was asked.
type tally struct{ awaited, delivered uint32 }

func (t tally) share() float64 {
	if t.awaited == 0 {
		return 0
	}
	return min(1, float64(t.delivered)/float64(t.awaited))
}

// habit says that there is enough to call it a habit.
func (t tally) habit() bool { return t.awaited >= usualLeast }

func (t *tally) add(o tally) { t.awaited, t.delivered = t.awaited+o.awaited, t.delivered+o.delivered }

// between sums the days of a record from a time on, and before another.
func between(r *spool.SIMRecord, from, to time.Time) (t tally) {
	for _, d := range r.Days {
		if !d.Day.Before(from) && d.Day.Before(to) {
			t.add(tally{d.Awaited, d.Delivered})
		}
	}
	return t
}

// past is what was usual of a card before it fell silent: the segments of its streak
// are not its habit.
func past(r *spool.SIMRecord, now time.Time) tally {
	t := between(r, now.AddDate(0, 0, -usualDays), now.AddDate(0, 0, 1))
	t.awaited -= min(t.awaited, r.Streak)
	return t
}

// mute gives how many segments a card sent in a row of which none was delivered, and
// since when. What it had sent before it was released counts no more.
func mute(r *spool.SIMRecord, p *Pardon) (n uint32, since time.Time) {
	if p == nil || r.Streak == 0 || !r.StreakSince.Before(p.At) {
		return r.Streak, r.StreakSince
	}
	return r.Streak - min(r.Streak, p.Streak), p.At
}

// sample averages a card's signal: what is usual over a week, what is now over half an
// hour.
func (e *entry) sample(rssi int) {
	if rssi < 0 || rssi > 31 { // not known, TS 27.007 §8.5
		return
	}
	v := float64(rssi)
	if e.signal == 0 {
		e.signal = v
	}
	e.signal += (v - e.signal) / signalNow
	e.Signal.Samples = min(e.Signal.Samples+1, signalWeek)
	e.Signal.Usual += (v - e.Signal.Usual) / float64(e.Signal.Samples)
}

// weigh gives a card's health.
func (e *entry) weigh(now time.Time) Health {
	h := Health{Known: true, Score: 100}
	r := &e.record
	cut := now.AddDate(0, 0, -recentDays)
	before, recent := between(r, now.AddDate(0, 0, -usualDays), cut), between(r, cut, now.AddDate(0, 0, 1))
	recent.awaited -= min(recent.awaited, r.Streak) // which costs its own
	if before.habit() && recent.habit() && before.share() > 0 {
		drop := (before.share() - recent.share()) / before.share()
		h.take(pointsDelivery*drop, "%.0f %% of what it sent in the last %d days was delivered, and %.0f %% before",
			100*recent.share(), recentDays, 100*before.share())
	}
	if n, _ := mute(r, e.Pardon); e.reports && n >= muteHint {
		h.take(pointsMute*float64(n)/muteSegments, "none of the last %d segments was reported as delivered", n)
	}
	if r.Refusals > 1 {
		h.take(min(mostRefusal, pointsRefusal*float64(r.Refusals-1)), "the network refused the last %d segments", r.Refusals)
	}
	if weak := e.Signal.Usual - e.signal; e.signal > 0 && e.Signal.Samples >= signalLeast && weak >= signalDrop/2 {
		h.take(pointsSignal*weak/signalDrop, "the signal is %.0f dBm, and %.0f usually", dbm(e.signal), dbm(e.Signal.Usual))
	}
	h.Score = max(h.Score, 0)
	return h
}

// take takes points off, at most as many as one reason can cost, and says why.
func (h *Health) take(points float64, why string, args ...any) {
	n := int(math.Round(min(points, pointsDelivery)))
	if n <= 0 {
		return
	}
	h.Score -= n
	h.Reasons = append(h.Reasons, fmt.Sprintf(why, args...))
}

func dbm(rssi float64) float64 { return -113 + 2*rssi } // TS 27.007 §8.5

// left gives what a card may still send.
func left(l gateway.Limits, day, month, recipients uint32) (out Left) {
	room := func(limit, used uint32, least *uint32) *uint32 {
		if limit == 0 {
			return least
		}
		n := limit - min(limit, used)
		if least != nil {
			n = min(n, *least)
		}
		return &n
	}
	out.Segments = room(l.PerMonth, month, room(l.PerDay, day, nil))
	out.Recipients = room(l.RecipientsPerMonth, recipients, nil)
	return out
}
