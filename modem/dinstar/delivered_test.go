package dinstar

import (
	"net/http"
	"testing"

	"fieldpost/gateway"
)

// A report with a made-up TP-MR of 0 would be taken for that of another message to the same number.
func TestDeliveredWithoutAReferenceIsNoReportOfAnother(t *testing.T) {
	s, r := scripted(t, func(http.ResponseWriter, *http.Request) {})
	s.ports[0] = &port{channel: gateway.Channel{Port: 0, ICCID: "8959"}}
	w := &awaited{userID: 5, port: 0, to: "+59899123456", report: true}
	for _, c := range []struct {
		ref  num
		want int
	}{{num{}, 0}, {num{7, true}, 1}} {
		got, err := s.settle(t.Context(), w, told{fate: fateDelivered, row: result{Status: "DELIVERED", Ref: c.ref}})
		if err != nil || got.HasMR != c.ref.ok || len(r.reports) != c.want {
			t.Errorf("with the reference %+v: %+v, %v, reports %+v", c.ref, got, err, r.reports)
		}
	}
}
