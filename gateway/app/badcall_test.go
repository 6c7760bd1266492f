package app

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway/client"
)

// asAdmin gives the header of the verbs on the same box.
func (h *house) asAdmin() []string { return []string{"Authorization", "Bearer " + h.token} }

func TestBadCallsAreRefusedWithTheFieldAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: `max_body = "64KiB"`})
	h.started("alerts")
	const (
		messages = "/api/v1/messages"
		dialers  = "/api/v1/dialers"
		asJSON   = "application/json"
		asForm   = "application/x-www-form-urlencoded"
	)
	message := func(change string) string {
		m := map[string]any{"to": "098344484", "text": "Hi", "campaign": "alerts"}
		if change != "" {
			must(t, json.Unmarshal([]byte(change), &m))
		}
		b, err := json.Marshal(m)
		must(t, err)
		return string(b)
	}
	dialer := func(change string) string { return `{"name":"d","provider":"bank",` + change + `}` }
	for _, c := range []struct {
		name, method, path, kind, body string
		header                         []string
		status                         int
		code, field, say               string
	}{
		{"letters in the number", "POST", messages, asJSON, message(`{"to":"09x344484"}`), nil, 422, "invalid", "to", ""},
		{"no number", "POST", messages, asJSON, message(`{"to":""}`), nil, 422, "invalid", "to", ""},
		{"empty text", "POST", messages, asJSON, message(`{"text":""}`), nil, 422, "invalid", "text", ""},
		{"over-long text", "POST", messages, asJSON, message(`{"text":"` + strings.Repeat("x", 2000) + `"}`), nil, 422, "invalid", "text", "segments"},
		{"unknown campaign", "POST", messages, asJSON, message(`{"campaign":"nobody"}`), nil, 422, "invalid", "campaign", "nobody"},
		{"unknown field", "POST", messages, asJSON, message(`{"colour":"red"}`), nil, 422, "invalid", "colour", ""},
		{"wrong type of a field", "POST", messages, asJSON, message(`{"priority":"high"}`), nil, 422, "invalid", "priority", ""},
		{"priority too large", "POST", messages, asJSON, message(`{"priority":70000}`), nil, 422, "invalid", "priority", ""},
		{"source is no port", "POST", messages, asJSON, message(`{"source":"99"}`), nil, 422, "invalid", "source", ""},
		{"date", "POST", messages, asJSON, message(`{"not_before":"tomorrow"}`), nil, 422, "invalid", "not_before", ""},
		{"no JSON", "POST", messages, asJSON, `{"to":`, nil, 400, "invalid", "", ""},
		{"wrong media type", "POST", messages, "text/plain", message(""), nil, 415, "invalid", "", ""},
		{"body too large", "POST", messages, asJSON, message(`{"data":"` + strings.Repeat("x", 70_000) + `"}`), nil, 413, "invalid", "", "65536"},
		{"wrong method", "DELETE", messages, "", "", nil, 405, "invalid", "", ""},
		{"wrong path", "GET", "/api/v1/massages", "", "", nil, 404, "not_found", "", ""},
		{"unknown message", "GET", messages + "/77", "", "", nil, 404, "not_found", "", ""},
		{"wrong token", "POST", messages, asJSON, message(""), []string{"Authorization", "Bearer fp_nobody_0123456789"}, 401, "unauthorized", "", ""},
		{"token of no kind", "POST", messages, asJSON, message(""), []string{"Authorization", "Digest x"}, 401, "unauthorized", "", ""},
		{"more than a trusted address may", "POST", dialers, asJSON, dialer(`"dial_string":"0"`), []string{"Authorization", ""}, 403, "forbidden", "", "campaigns"},
		{"unknown filter", "GET", messages + "?campain=alerts", "", "", nil, 422, "invalid", "campain", ""},
		{"dial string out of range", "POST", dialers, asJSON, dialer(`"dial_string":"32"`), nil, 422, "invalid", "dial_string", "31"},
		{"dial string backwards", "POST", dialers, asJSON, dialer(`"dial_string":"3-0"`), nil, 422, "invalid", "dial_string", ""},
		{"dial string of letters", "POST", dialers, asJSON, dialer(`"dial_string":"a"`), nil, 422, "invalid", "dial_string", ""},
		{"schedule without a day", "POST", dialers, asJSON, dialer(`"dial_string":"0","schedule":["09:00-17:59"]`), nil, 422, "invalid", "schedule[0]", ""},
		{"schedule with a strange day", "POST", dialers, asJSON, dialer(`"dial_string":"0","schedule":["lun;09:00-17:59"]`), nil, 422, "invalid", "schedule[0]", "lun"},
		{"schedule past midnight", "POST", dialers, asJSON, dialer(`"dial_string":"0","schedule":["mon;09:00-25:00"]`), nil, 422, "invalid", "schedule[0]", ""},
		{"time zone", "POST", dialers, asJSON, dialer(`"dial_string":"0","time_zone":"Mars/Olympus"`), nil, 422, "invalid", "time_zone", ""},
		{"unknown provider", "POST", dialers, asJSON, `{"name":"d","provider":"nobody","dial_string":"0"}`, nil, 422, "invalid", "provider", ""},
		{"name", "POST", dialers, asJSON, `{"name":"d d","provider":"bank","dial_string":"0"}`, nil, 422, "invalid", "name", ""},
		{"name that is taken", "POST", dialers, asJSON, `{"name":"alerts","provider":"bank","dial_string":"0"}`, nil, 409, "conflict", "name", "alerts"},
		{"old call by GET", "GET", "/Integra/resources/SMS/SendSMS", "", "", nil, 405, "invalid", "", ""},
		{"old call, wrong token", "POST", "/Integra/resources/SMS/SendSMS", asForm, "destination=098344484&message=Hi&campaign=alerts", []string{"Authorization", "Basic eDp5"}, 401, "unauthorized", "", ""},
		{"file of no kind", "POST", "/api/v1/campaigns/alerts/bases", "application/pdf", "alerts;098344484;Hi;1", nil, 415, "invalid", "", "text/csv"},
	} {
		header := c.header
		if header == nil {
			header = h.asAdmin()
		}
		got := h.call(c.method, c.path, c.kind, strings.NewReader(c.body), header...)
		var p client.Problem
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.header.Get("Content-Type") != client.ProblemType {
			t.Errorf("%s: got %d %s %q", c.name, got.status, got.header.Get("Content-Type"), got.body)
			continue
		}
		if got.status != c.status || p.Status != c.status || p.Code != c.code || p.Field != c.field || p.Detail == "" || !strings.Contains(p.Detail, c.say) {
			t.Errorf("%s: got %d, %+v", c.name, got.status, p)
		}
		if c.status == http.StatusMethodNotAllowed && got.header.Get("Allow") == "" {
			t.Errorf("%s: no Allow", c.name)
		}
	}
	if c := h.counters("alerts"); c.Uploaded != 0 {
		t.Errorf("something was added: %+v", c)
	}
	if all, err := h.Dialers(t.Context(), client.DialerQuery{}); err != nil || len(all.Items) != 1 {
		t.Errorf("the dialers are %+v (%v)", all.Items, err)
	}
	h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts"})
	h.processed("alerts")
	if air := h.aired(); !slices.Equal(air, []string{"Hi"}) {
		t.Errorf("on the air: %q", air)
	}
}

func TestP148TokenOfAThirdPartyMaySendAndReadAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("alerts")
	made, err := h.CreateToken(t.Context(), client.Token{Name: "shop", Scopes: []string{"send", "read"}})
	must(t, err)
	third, err := client.New(client.Options{BaseURL: "http://" + h.address, Token: made.Token, HTTPClient: h.http})
	must(t, err)
	a, err := third.Send(t.Context(), client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts", Key: "order-7"})
	must(t, err)
	again, err := third.Send(t.Context(), client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts", Key: "order-7"})
	must(t, err)
	if again.ID != a.ID || !again.Repeated {
		t.Errorf("the same key gave %+v and %+v", a, again)
	}
	h.becomes(a.ID, "sent")
	if m, err := third.Message(t.Context(), a.ID); err != nil || m.Status != "sent" {
		t.Errorf("the third party reads %+v (%v)", m, err)
	}
	if _, err := third.StopDialer(t.Context(), "alerts"); err == nil {
		t.Error("the third party stopped the dialer")
	}
	must(t, h.RevokeToken(t.Context(), made.ID))
	if _, err := third.Message(t.Context(), a.ID); err == nil {
		t.Error("a revoked token reads on")
	}
	if n := h.bank.Network.Len(); n != 1 {
		t.Errorf("on the air: %q", h.aired())
	}
}
