package dinstar

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestAGatewayThatTellsNoOutcomesSaysWhy(t *testing.T) {
	d, _ := wire(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/api/send_sms":
			fmt.Fprint(w, `{"error_code":202,"task_id":1}`)
		case "/api/query_sms_result":
			http.NotFound(w, q)
		default:
			fmt.Fprint(w, `{"error_code":200}`)
		}
	})
	d.o.Times.Fate = 20 * time.Millisecond
	s := newSite(d, nil)
	defer s.end()
	s.ports[0] = &port{channel: gateway.Channel{State: gateway.ChannelReady}}
	_, err := s.send(t.Context(), 0, modem.Submission{UserID: 1, To: "+59899123456", Text: "x", Segments: 1})
	if gateway.KindOf(err) != gateway.KindUnknownOutcome || !strings.Contains(fmt.Sprint(err), "no such API") {
		t.Errorf("it gives %v, want unknown_outcome with what the gateway answers", err)
	}
}
