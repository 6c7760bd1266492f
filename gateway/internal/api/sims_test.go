package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// simPath is the path of the only card of a rig. Its device does not tell its ICCID.
const simPath = root + "/sims/channel:modems%2F3"

// seen waits until the rig's card has a passport.
func (r *rig) seen() client.SIM {
	r.t.Helper()
	for {
		_, changed := r.spool.Tail()
		var page client.Page[client.SIM]
		r.json(call{method: "GET", path: root + "/sims"}, &page)
		if len(page.Items) == 1 {
			return page.Items[0]
		}
		<-changed // its event comes with it
	}
}

func TestACardIsHeldReleasedAndAskedOverTheAPI(t *testing.T) {
	r := newRig(t)
	if s := r.seen(); s.ID != "channel:modems/3" || s.Channel != "modems/3" || s.Held != nil || s.Places != nil || s.Balance != nil {
		t.Errorf("the list says %+v", s)
	}
	if path := "/sims/" + url.PathEscape("channel:modems/3"); root+path != simPath {
		t.Fatalf("the client asks for %s", path)
	}
	token := r.token("providers")
	var s client.SIM
	r.json(call{method: "POST", path: simPath + "/hold", body: `{"reason":"lent out"}`, token: token}, &s)
	if s.Held == nil || s.Held.Why != "lent out" || s.Held.Cause != "person" || s.Held.By == "" || len(s.Places) != 1 {
		t.Errorf("it is held as %+v", s)
	}
	r.json(call{method: "POST", path: simPath + "/release", token: token}, &s)
	r.json(call{method: "GET", path: simPath}, &s)
	for _, c := range []struct {
		path, body string
		status     int
		kind       gateway.Kind
	}{
		{"/release", "", http.StatusConflict, gateway.KindConflict},
		{"/confirm", "", http.StatusConflict, gateway.KindConflict},
		{"/hold", `{"reason":""}`, http.StatusUnprocessableEntity, gateway.KindInvalid},
		{"/hold", `{"reason":"a\u001b[2J"}`, http.StatusUnprocessableEntity, gateway.KindInvalid},
		{"/hold", `{"reason":"` + strings.Repeat("x", 301) + `"}`, http.StatusUnprocessableEntity, gateway.KindInvalid},
		{"/balance", "", http.StatusUnprocessableEntity, gateway.KindInvalid}, // of no operator
	} {
		if p := r.problem(call{method: "POST", path: simPath + c.path, body: c.body, token: token}); p.Status != c.status || p.Code != c.kind.String() {
			t.Errorf("%s %s: %+v", c.path, c.body, p)
		}
	}
	if p := r.problem(call{method: "POST", path: root + "/sims/8959/release", token: token}); p.Status != http.StatusNotFound {
		t.Errorf("a card that was never seen: %+v", p)
	}
}
