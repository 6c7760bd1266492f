package api

import (
	"net/http"
	"strings"
	"testing"

	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/catalog"
)

// What goes by a provider's own lane passes opt-outs: no caller's message may.
func TestNoCallerReachesAProvidersOwnLane(t *testing.T) {
	r := newRig(t)
	own := catalog.OwnLane("modems")
	token := r.token("send", "campaigns", "providers", "blacklist", "read")
	for _, path := range []string{"/campaigns/", "/dialers/", "/providers/"} {
		for _, c := range []call{
			{method: "POST", path: root + path[:len(path)-1], body: `{"name":"` + own + `","provider":"modems","dial_string":"(0.3)","type":"GSM"}`},
			{method: "PUT", path: root + path + own, body: `{"name":"` + own + `","provider":"modems","dial_string":"(0.3)","type":"GSM"}`},
			{method: "DELETE", path: root + path + own},
		} {
			c.token = token
			if status, body := r.do(c); status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
			}
		}
	}
	for _, c := range []call{
		{method: "POST", path: root + "/messages", body: `{"to":"098344484","text":"Hi","campaign":"` + own + `"}`},
		{method: "POST", path: root + "/dialers/" + own + "/bases", kind: "text/csv", body: "test1;098344484;Hi;1\r\n"},
		{method: "POST", path: root + "/campaigns/" + own + "/start"},
		{method: "POST", path: root + "/dialers/" + own + "/start"},
	} {
		c.token = token
		if status, body := r.do(c); status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
	form := sms("campaign", own)
	if w := r.serve(call{method: "POST", path: sendPath, kind: formKind, body: form.Encode()}); w.Body.String() != "ERROR" {
		t.Errorf("the old web service takes it: %s", w.Body)
	}
	// A base is taken as it is, and its rows are refused one by one.
	rest := r.listen()
	up, err := rest.UploadBase(t.Context(), "test1", client.File{Reader: strings.NewReader(own + ";098344484;Hi;1\r\n")})
	must(t, err)
	for up.State == "loading" {
		up, err = rest.Upload(t.Context(), up.Upload)
		must(t, err)
	}
	if len(up.Rejected) != 1 || up.Accepted != 0 {
		t.Errorf("the base: %+v", up)
	}
	n, err := r.spool.Counters(own)
	must(t, err)
	var page client.Page[client.Message]
	r.json(call{method: "GET", path: root + "/messages", token: token}, &page)
	if len(page.Items) != 0 || n.Uploaded != 0 {
		t.Errorf("%d messages, of them %d in %s", len(page.Items), n.Uploaded, own)
	}
}
