package sims

import (
	"time"

	"fieldpost/spool"
)

// cardLog is what became of what one card sent, as the spool keeps it.
type cardLog struct {
	spool.SIMRecord
	id string
}

// habitOf gives a card a past: n segments a day with a report asked for, a share of
// them delivered.
func (w *world) habitOf(id string, n uint32, share float64) *cardLog {
	l := &cardLog{id: id}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for i := range 12 {
		l.Days = append(l.Days, spool.SIMDay{Day: today.AddDate(0, 0, -i), Accepted: n, Awaited: n, Delivered: uint32(share * float64(n))})
	}
	l.LastDelivered = time.Now()
	w.meter.set(id, l.SIMRecord)
	return l
}

// day gives the entry of the present day.
func (l *cardLog) day() *spool.SIMDay {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if len(l.Days) == 0 || l.Days[0].Day.Before(today) {
		l.Days = append([]spool.SIMDay{{Day: today}}, l.Days...)
	}
	return &l.Days[0]
}

// sent sends n segments, with reports asked for.
func (w *world) sent(l *cardLog, n uint32) {
	d := l.day()
	d.Accepted, d.Awaited = d.Accepted+n, d.Awaited+n
	if l.Streak == 0 && n > 0 {
		l.StreakSince = time.Now()
	}
	l.Streak += n
	w.meter.set(l.id, l.SIMRecord)
}

// delivered has n of them delivered.
func (w *world) delivered(l *cardLog, n uint32) {
	l.day().Delivered += n
	l.Streak, l.LastDelivered = 0, time.Now()
	w.meter.set(l.id, l.SIMRecord)
}

// three is a provider of three cards that usually get their reports.
func (w *world) three() (a, b, c *cardLog) {
	w.plug(in(0, "8000"), in(1, "8001"), in(2, "8002"))
	return w.habitOf("8000", 50, .9), w.habitOf("8001", 50, .9), w.habitOf("8002", 50, .9)
}

func (w *world) heldOnes() (ids []string) {
	for _, c := range w.Cards() {
		if w.Held(c.ID) != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
