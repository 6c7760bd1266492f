package api

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem"
)

// received stores a message with a wish that a person shall decide.
func (r *rig) received(from, text string) string {
	r.t.Helper()
	in, _, err := r.spool.Inbound(r.t.Context(), "modems/0", "8959801", modem.Part{From: from, Text: text, SentAt: time.Now(), Raw: text + from})
	must(r.t, err)
	return idOf(in.Seq)
}

// decision is a call that decides a message.
func (r *rig) decision(id, wish, token string) call {
	return call{method: "POST", path: root + "/inbound/" + id + "/opt-out", kind: "application/json", body: `{"wish":"` + wish + `"}`, token: token}
}

func TestAPersonDecidesWhatAMessageAsksAndTheListNamesWho(t *testing.T) {
	r := newRig(t)
	id, name := r.received("+59898344484", "leave me in peace"), r.received("Telenor", "STOP")
	token := r.token("blacklist", "read")
	var got client.Inbound
	r.json(r.decision(id, "stop", token), &got)
	if got.ID != id || got.Wish != "stop" || got.WishBy == "" {
		t.Errorf("decided %+v", got)
	}
	var list client.Page[client.Listed]
	r.json(call{method: "GET", path: root + "/blacklist"}, &list)
	if len(list.Items) != 1 || !list.Items[0].OptOut || !strings.HasPrefix(list.Items[0].Source, "sms:"+id+" by ") {
		t.Errorf("listed %+v", list.Items)
	}
	for wish, want := range map[string]int{"stop": 1, "start": 0, "near": 0} {
		var page client.Page[client.Inbound]
		r.json(call{method: "GET", path: root + "/inbound?wish=" + wish}, &page)
		if len(page.Items) != want {
			t.Errorf("%s: %+v", wish, page.Items)
		}
	}
	for what, tc := range map[string]struct {
		id, wish string
		status   int
	}{
		"otherwise":       {id, "none", 409},
		"a name":          {name, "stop", 422},
		"no message":      {"99", "stop", 404},
		"no id":           {"x", "stop", 404},
		"as a near miss":  {name, "near", 422},
		"as another word": {name, "halt", 422},
	} {
		if p := r.problem(r.decision(tc.id, tc.wish, token)); p.Status != tc.status {
			t.Errorf("%s: %+v, want %d", what, p, tc.status)
		}
	}
}

func TestOnlyWhoMayEditTheBlacklistDecides(t *testing.T) {
	r := newRig(t)
	id := r.received("+59898344484", "leave me in peace")
	if p := r.problem(r.decision(id, "stop", r.token("read"))); p.Status != 403 {
		t.Errorf("a reader decides: %+v", p)
	}
	if p := r.problem(call{method: "GET", path: root + "/inbound?wish=none"}); p.Status != 422 || p.Field != "wish" {
		t.Errorf("a wish that is none: %+v", p)
	}
}
