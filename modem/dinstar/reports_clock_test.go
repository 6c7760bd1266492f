package dinstar

import (
	"encoding/json"
	"fmt"
	"net/http"
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

func TestReportsOfAGatewayThatStartedAgainAreAskedForWhateverItsClockSays(t *testing.T) {
	var after []string
	s, r := scripted(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/api/get_port_info":
			fmt.Fprint(w, `{"error_code":200,"info":[{"port":0,"reg":"REGISTER_OK"}]}`)
		case "/api/query_sms_deliver_status":
			var body struct {
				After string `json:"time_after"`
			}
			must(t, json.NewDecoder(q.Body).Decode(&body))
			if after = append(after, body.After); body.After > "1970-01-01 00:02:00" {
				fmt.Fprint(w, `{"error_code":200,"result":[]}`)
				return
			}
			fmt.Fprint(w, `{"error_code":200,"result":[{"port":0,"number":"+59899123456","time":"1970-01-01 00:02:00","ref_id":7,"status_code":0}]}`)
		}
	})
	r.ch = map[int]gateway.Channel{}
	s.words = []string{"reg"}
	for name, back := range map[string]func(){
		"away":   func() { s.failing = 2; s.look(t.Context()) },
		"a push": func() { s.rung.Store(uint32(pushBoot)); s.answerPushes(time.Now()) },
	} {
		s.ports[0] = &port{channel: gateway.Channel{Port: 0, ICCID: "8959"}}
		s.clock.known, s.seen, r.reports = true, recent{}, nil
		back()
		s.reports(t.Context())
		if len(r.reports) != 1 || r.reports[0].MR != 7 {
			t.Errorf("%s: after its start it was asked for those after %q, and told %+v", name, after, r.reports)
		}
	}
}
