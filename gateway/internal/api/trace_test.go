package api

import (
	"strings"
	"testing"

	"fieldpost/gateway/client"
)

func TestAChannelShowsMemoryTimeAndEvidence(t *testing.T) {
	r := newRig(t)
	token := r.token("providers")
	var c client.Channel
	r.json(call{method: "GET", path: "/api/v1/channels/modems/3"}, &c)
	if c.Stored == nil || *c.Stored != 2 || c.Storage != 20 {
		t.Errorf("memory %v of %d", c.Stored, c.Storage)
	}
	if c.ClockAt == nil || c.AheadSeconds == nil || *c.AheadSeconds != -1.5 {
		t.Errorf("clock asked at %v, ahead %v", c.ClockAt, c.AheadSeconds)
	}
	var tr client.Trace
	r.json(call{method: "GET", path: "/api/v1/channels/modems/3/trace", token: token}, &tr)
	if len(tr.Lines) != 1 || len(tr.Incidents) != 1 || !strings.Contains(tr.Incidents[0].Steps[0], "answers again") {
		t.Errorf("%+v", tr)
	}
}
