package dinstar

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestAReportOfBeforeTheClockWasSetHasNoTime(t *testing.T) {
	s, _ := scripted(t, nil)
	s.ports[0] = &port{channel: gateway.Channel{Port: 0, ICCID: "8959"}}
	row := result{Port: num{0, true}, Number: "+59899123456", Ref: num{42, true}, StatusCode: num{0, true}}
	now := s.o.Now()
	for name, c := range map[string]struct {
		ahead time.Duration // of the clock, as it is known now
		at    time.Time
		want  bool
	}{
		"by the same clock":          {0, now.Add(-time.Minute), true},
		"1970, and it is set now":    {0, time.Date(1970, 1, 1, 0, 5, 0, 0, s.clock.zone), false},
		"today, and now it is 1970":  {time.Date(1970, 1, 1, 0, 5, 0, 0, s.clock.zone).Sub(now), now, false},
		"hours ahead, all the while": {5 * time.Hour, now.Add(5*time.Hour - time.Minute), true},
	} {
		s.clock.ahead, s.clock.known = c.ahead, true
		row.Time = text(c.at.In(s.clock.zone).Format(time.DateTime))
		got, ok := s.reportOf(row)
		if !ok || got.MR != 42 || got.SIM != "8959" || got.SentAt.IsZero() == c.want || c.want && now.Add(-time.Minute).Sub(got.SentAt).Abs() > 2*time.Second {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}
