package serial

import (
	"context"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// The years that a network's time can be of. A modem that never heard the network counts
// from its own beginning: 1970, 1980, 2000, 2004, 2015.
const (
	firstYear = 2025
	lastYear  = 2064
)

// clockPause is the least time between two questions, once the answer was good.
const clockPause = time.Minute

// keepTime has the modem take the network's time and tell when it comes (TS 27.007
// §8.40, §8.41). Not every modem can.
func (r *run) keepTime(ctx context.Context) error {
	local := r.quirk().local
	arg := local
	if arg == "" {
		arg = "1"
	}
	_, err := r.s.Command(ctx, "+CTZU="+arg)
	r.clock = err == nil || local == ""
	if err := optional(err); err != nil {
		return err
	}
	_, err = r.s.Command(ctx, "+CTZR=1")
	return optional(err)
}

// askTime asks for the network's time, and tells how far it is ahead of ours. One that
// cannot be right is none.
func (r *run) askTime(ctx context.Context) error {
	if !r.clock {
		return nil
	}
	before := r.o.Now()
	if last := r.channel().ClockAt; !last.IsZero() && before.Sub(last).Abs() < clockPause {
		return nil // some networks tell the time with every cell
	}
	lines, err := r.s.Query(ctx, "+CCLK?", "+CCLK")
	if err := optional(err); err != nil {
		return err
	}
	now := r.o.Now()
	var there time.Time
	if len(lines) > 0 {
		there, _ = parseClock(lines[0])
	}
	r.set(func(c *gateway.Channel) {
		c.ClockAt, c.Ahead = time.Time{}, 0
		if !there.IsZero() {
			// It told a whole second, at some moment between the question and its answer.
			c.ClockAt, c.Ahead = now.UTC(), there.Add(500*time.Millisecond).Sub(before.Add(now.Sub(before)/2)).Round(100*time.Millisecond)
		}
	})
	return nil
}

// parseClock reads "yy/MM/dd,hh:mm:ss+zz", local time and its zone in quarters of an hour
// (TS 27.007 §8.15). Without a zone nobody knows what it says, and a year that no
// network tells is the modem's own.
func parseClock(args string) (time.Time, bool) {
	s := strings.Trim(args, `" `)
	i := strings.LastIndexAny(s, "+-")
	if i < 0 || len(s)-i > 3 {
		return time.Time{}, false
	}
	quarters, ok := at.FirstInt(s[i+1:])
	if !ok || quarters > 56 || !digits(s[i+1:]) { // +14:00 is the last there is
		return time.Time{}, false
	}
	if s[i] == '-' {
		quarters = -quarters
	}
	local := s[:i]
	if len(local) == len("2006/01/02,15:04:05") { // some write the whole year
		local = strings.TrimPrefix(local, "20")
	}
	t, err := time.ParseInLocation("06/01/02,15:04:05", local, time.FixedZone("", quarters*15*60))
	if err != nil {
		return time.Time{}, false
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return time.Time{}, false
	}
	return t.UTC(), true
}
