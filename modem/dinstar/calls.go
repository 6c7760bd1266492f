package dinstar

import (
	"context"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// call is a row of get_cdr.
type call struct {
	Port        num  `json:"port"`
	Start       text `json:"start_date"` // the gateway's clock
	Answer      text `json:"answer_date"`
	Duration    num  `json:"duration"` // seconds
	Source      text `json:"source_number"`
	Destination text `json:"destination_number"`
	Direction   text `json:"direction"`
	IP          text `json:"ip"`
	Codec       text `json:"codec"`
	Hangup      text `json:"hangup"`
	Code        num  `json:"gsm_code"`
	BCCH        text `json:"bcch"`
}

// Calls gives the calls that the gateway remembers.
func (d *Driver) Calls(ctx context.Context, q modem.CallQuery) ([]modem.Call, error) {
	s, err := d.at()
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if q.Port != modem.AnyPort {
		body["port"] = []int{q.Port}
	}
	for key, at := range map[string]time.Time{"time_after": q.After, "time_before": q.Before} {
		if !at.IsZero() {
			body[key] = s.theirs(at)
		}
	}
	a, err := s.api.post(ctx, s.o.Times.Query, "get_cdr", body)
	switch gateway.KindOf(err) {
	case gateway.KindNone:
	case gateway.KindUnknownOutcome: // a question has none
		return nil, &gateway.Error{Kind: gateway.KindUnavailable, Text: err.Error() + "; a shorter span may help", Err: err}
	default:
		return nil, err
	}
	s.learn(a)
	calls := make([]modem.Call, 0, len(a.Calls))
	for _, c := range a.Calls {
		calls = append(calls, s.callOf(c))
	}
	return calls, nil
}

func (s *site) callOf(c call) modem.Call {
	return modem.Call{
		Port: int(c.Port.n), Began: s.when(c.Start), Answered: s.when(c.Answer),
		Duration: time.Duration(min(max(c.Duration.n, 0), 1<<31)) * time.Second,
		From:     c.Source.word(), To: c.Destination.word(), Direction: c.Direction.word(), Hangup: c.Hangup.word(),
		Code: int(c.Code.n), IP: c.IP.word(), Codec: c.Codec.word(), Cell: c.BCCH.word(),
	}
}

// theirs writes a time of ours as the gateway would.
func (s *site) theirs(t time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.theirs(t)
}

// when reads a time of the gateway; zero where it cannot be read.
func (s *site) when(t text) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.clock.ours(t); ok {
		return at
	}
	at, _ := stamp(t, s.o.Zone)
	return at
}
