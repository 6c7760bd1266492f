package dinstar

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestAGatewayThatRefusesOneIDStillTellsTheOthers(t *testing.T) {
	d, _ := wire(t, func(w http.ResponseWriter, q *http.Request) {
		var body struct {
			IDs []uint32 `json:"user_id"`
		}
		must(t, json.NewDecoder(q.Body).Decode(&body))
		switch {
		case slices.Equal(body.IDs, []uint32{1}):
			fmt.Fprint(w, `{"error_code":200,"result":[{"port":0,"user_id":1,"number":"+59899123456","status":"SENT_OK","ref_id":1}]}`)
		default:
			fmt.Fprint(w, `{"error_code":404}`)
		}
	})
	s := newSite(d, nil)
	defer s.end()
	for i := range 2 {
		s.ports[i] = &port{channel: gateway.Channel{State: gateway.ChannelReady}}
		w, err := s.begin(i, modem.Submission{UserID: uint32(i + 1), To: "+59899123456"})
		must(t, err)
		s.await(w, num{}, nil)
	}
	s.outcomes(t.Context())
	if !s.open[1].done || s.open[2].done || s.open[2].absent.IsZero() {
		t.Errorf("the one that it knows: %+v; the other: %+v", s.open[1], s.open[2])
	}
}
