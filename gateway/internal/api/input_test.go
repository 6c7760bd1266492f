package api

import (
	"fmt"
	"strings"
	"testing"

	"fieldpost/gateway/client"
)

// Each bad input is answered with its kind, its field and its status, and leaves
// nothing behind.
func TestBadInputIsRefusedByName(t *testing.T) {
	r := newRig(t)
	ok := `"to":"098344484","text":"Hi","campaign":"test1"`
	for _, c := range []struct {
		name   string
		call   call
		status int
		code   string
		field  string
	}{
		{"no such path", call{method: "GET", path: "/api/v1/nothing"}, 404, "not_found", ""},
		{"wrong method", call{method: "PATCH", path: "/api/v1/messages"}, 405, "invalid", ""},
		{"wrong method on an old path", call{method: "GET", path: sendPath}, 405, "invalid", ""},
		{"wrong type", call{method: "POST", path: "/api/v1/messages", kind: "text/plain", body: "{}"}, 415, "invalid", ""},
		{"no body", call{method: "POST", path: "/api/v1/messages"}, 400, "invalid", ""},
		{"no JSON", call{method: "POST", path: "/api/v1/messages", body: `{"to":`}, 400, "invalid", ""},
		{"two values", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `} {}`}, 400, "invalid", ""},
		{"not UTF-8", call{method: "POST", path: "/api/v1/messages", body: "{\"to\":\"1\",\"text\":\"\xff\",\"campaign\":\"a\"}"}, 400, "invalid", ""},
		{"too large", call{method: "POST", path: "/api/v1/messages", body: `{"text":"` + strings.Repeat("a", 1<<20) + `"}`}, 413, "invalid", ""},
		{"unknown field", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"prioritty":1}`}, 422, "invalid", "prioritty"},
		{"missing field", call{method: "POST", path: "/api/v1/messages", body: `{"to":"098344484","text":"Hi"}`}, 422, "invalid", "campaign"},
		{"wrong kind of value", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"priority":"high"}`}, 422, "invalid", "priority"},
		{"too high", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"priority":65536}`}, 422, "invalid", "priority"},
		{"negative", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"priority":-1}`}, 422, "invalid", "priority"},
		{"no time", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"not_before":"soon"}`}, 422, "invalid", "not_before"},
		{"valid before it begins", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `,"not_before":"2040-01-02T00:00:00Z","valid_until":"2040-01-01T00:00:00Z"}`}, 422, "invalid", "valid_until"},
		{"letters in the number", call{method: "POST", path: "/api/v1/messages", body: `{"to":"09x","text":"Hi","campaign":"test1"}`}, 422, "invalid", "to"},
		{"empty text", call{method: "POST", path: "/api/v1/messages", body: `{"to":"098344484","text":"","campaign":"test1"}`}, 422, "invalid", "text"},
		{"text too long", call{method: "POST", path: "/api/v1/messages", body: `{"to":"098344484","text":"` + strings.Repeat("é", 2000) + `","campaign":"test1"}`}, 422, "invalid", "text"},
		{"unknown campaign", call{method: "POST", path: "/api/v1/messages", body: `{"to":"098344484","text":"Hi","campaign":"nobody"}`}, 422, "invalid", "campaign"},
		{"key too long", call{method: "POST", path: "/api/v1/messages", body: `{` + ok + `}`, header: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}}, 422, "invalid", "Idempotency-Key"},
		{"unknown parameter", call{method: "GET", path: "/api/v1/messages?campain=test1"}, 422, "invalid", "campain"},
		{"limit too high", call{method: "GET", path: "/api/v1/messages?limit=1001"}, 422, "invalid", "limit"},
		{"limit no number", call{method: "GET", path: "/api/v1/messages?limit=many"}, 422, "invalid", "limit"},
		{"no such status", call{method: "GET", path: "/api/v1/messages?status=lost"}, 422, "invalid", "status"},
		{"cursor of nobody", call{method: "GET", path: "/api/v1/messages?cursor=%21%21"}, 422, "invalid", "cursor"},
		{"no such message", call{method: "GET", path: "/api/v1/messages/99"}, 404, "not_found", ""},
		{"id with letters", call{method: "GET", path: "/api/v1/messages/abc"}, 404, "not_found", ""},
		{"id with zeros", call{method: "GET", path: "/api/v1/messages/01/timeline"}, 404, "not_found", ""},
		{"resolve to nonsense", call{method: "POST", path: "/api/v1/messages/1/resolve", body: `{"as":"gone"}`}, 422, "invalid", "as"},
		{"unknown provider (P4)", call{method: "POST", path: "/api/v1/campaigns", body: `{"name":"x","provider":"nobody"}`}, 422, "invalid", "provider"},
		{"over the top of a number", call{method: "POST", path: "/api/v1/providers", body: `{"name":"x","type":"GSM","limits":{"per_day":4294967296}}`}, 422, "invalid", "limits.per_day"},
		{"illegal name (P5)", call{method: "POST", path: "/api/v1/campaigns", body: `{"name":"a b","provider":"modems"}`}, 422, "invalid", "name"},
		{"name taken (P5)", call{method: "POST", path: "/api/v1/campaigns", body: `{"name":"alerts","provider":"modems"}`}, 409, "conflict", "name"},
		{"bad dial string (P45)", call{method: "POST", path: "/api/v1/dialers", body: `{"name":"x","provider":"modems","dial_string":"3-0"}`}, 422, "invalid", "dial_string"},
		{"no dial string", call{method: "POST", path: "/api/v1/dialers", body: `{"name":"x","provider":"modems"}`}, 422, "invalid", "dial_string"},
		{"bad schedule", call{method: "POST", path: "/api/v1/dialers", body: `{"name":"x","provider":"modems","dial_string":"0","schedule":["someday"]}`}, 422, "invalid", "schedule[0]"},
		{"renamed", call{method: "PUT", path: "/api/v1/dialers/test1", body: `{"name":"test2","provider":"modems","dial_string":"0"}`}, 422, "invalid", "name"},
		{"old revision", call{method: "PUT", path: "/api/v1/dialers/test1", body: `{"name":"test1","provider":"modems","dial_string":"0","revision":99}`}, 409, "conflict", "revision"},
		{"delete what is used", call{method: "DELETE", path: "/api/v1/providers/modems"}, 409, "conflict", ""},
		{"no such channel", call{method: "GET", path: "/api/v1/channels/modems/4"}, 404, "not_found", ""},
		{"no such port", call{method: "GET", path: "/api/v1/channels/modems/99"}, 422, "invalid", "port"},
		{"USSD with letters", call{method: "POST", path: "/api/v1/channels/modems/3/ussd", body: `{"code":"AT+X"}`}, 422, "invalid", "code"},
		{"no such scope", call{method: "POST", path: "/api/v1/tokens", body: `{"name":"x","scopes":["root"]}`}, 422, "invalid", "scopes"},
		{"no such token", call{method: "DELETE", path: "/api/v1/tokens/nobody"}, 404, "not_found", ""},
		{"unlisted number", call{method: "DELETE", path: "/api/v1/blacklist/098344484"}, 404, "not_found", ""},
		{"blacklist of no campaign", call{method: "POST", path: "/api/v1/blacklist", body: `{"number":"098344484","campaign":"nobody"}`}, 422, "invalid", "campaign"},
		{"blacklist of no number", call{method: "POST", path: "/api/v1/blacklist", body: `{"number":"abc"}`}, 422, "invalid", "number"},
		{"base for nobody", call{method: "POST", path: "/api/v1/campaigns/nobody/bases", kind: "text/csv", body: "a"}, 404, "not_found", ""},
		{"base as JSON", call{method: "POST", path: "/api/v1/campaigns/test1/bases", body: "{}"}, 415, "invalid", ""},
		{"base too large", call{method: "POST", path: "/api/v1/campaigns/test1/bases", kind: "text/csv", body: strings.Repeat("a", 1<<20+1)}, 413, "invalid", ""},
		{"base without a file", call{method: "POST", path: "/api/v1/campaigns/test1/bases", kind: "multipart/form-data; boundary=x", body: "--x--\r\n"}, 422, "invalid", "file"},
		{"base with an unknown parameter", call{method: "POST", path: "/api/v1/campaigns/test1/bases?held=1", kind: "text/csv", body: "a"}, 422, "invalid", "held"},
		{"no such upload", call{method: "GET", path: "/api/v1/bases/none"}, 404, "not_found", ""},
		{"event of nobody", call{method: "GET", path: "/api/v1/events?after=x"}, 422, "invalid", "after"},
		{"report of another form", call{method: "GET", path: "/api/v1/reports/messages?format=pdf"}, 422, "invalid", "format"},
		{"users come later", call{method: "POST", path: "/Integra/resources/auth/getUserToken", kind: formKind, body: "user=a"}, 404, "not_found", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			c.call.token = r.token("admin")
			p := r.problem(c.call)
			if p.Status != c.status || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %d %s %q (%s), want %d %s %q", p.Status, p.Code, p.Field, p.Detail, c.status, c.code, c.field)
			}
			if p.Detail == "" || p.Title == "" || p.Type != "about:blank" {
				t.Errorf("a problem without words: %+v", p)
			}
		})
	}
	all, err := r.spool.AllCounters()
	must(t, err)
	if len(all) > 0 {
		t.Errorf("bad input left rows: %v", all)
	}
}

// huma's own errors show the values that they refuse, and the texts of plain errors.
func TestAProblemRepeatsNoValue(t *testing.T) {
	r := newRig(t)
	admin := r.token("admin")
	for _, body := range []string{
		`{"name":"x","type":"GSM","password":{"a":"hunter2"}}`,
		`{"name":"x","type":"GSM","ports":[{"port":0,"pin":"hunter2-hunter2"}]}`,
		`{"name":"x","type":"GSM","hunter":"hunter2"}`,
	} {
		if p := r.serve(call{method: "POST", path: "/api/v1/providers", body: body, token: admin}); strings.Contains(p.Body.String(), "hunter2") {
			t.Errorf("%s", p.Body)
		}
	}
	r.bank.err = fmt.Errorf("open /var/lib/secret: hunter2")
	p := r.problem(call{method: "POST", path: "/api/v1/channels/modems/3/reset", token: admin})
	if p.Status != 500 || p.Code != "internal" || strings.Contains(p.Detail, "hunter2") {
		t.Errorf("got %+v", p)
	}
	if !strings.Contains(r.log.String(), "hunter2") {
		t.Error("the log does not say why")
	}
}

func TestSecretsAreWrittenAndNeverRead(t *testing.T) {
	r := newRig(t)
	admin := r.token("admin")
	for _, path := range []string{"/api/v1/providers", "/api/v1/providers/modems"} {
		if _, body := r.do(call{method: "GET", path: path, token: admin}); strings.Contains(body, "4711") || strings.Contains(body, "pin") {
			t.Errorf("%s: %s", path, body)
		}
	}
	var p client.Provider
	r.json(call{method: "GET", path: "/api/v1/providers/modems", token: admin}, &p)
	r.json(call{method: "PUT", path: "/api/v1/providers/modems", token: admin, body: `{"name":"modems","type":"GSM","ports":[{"port":0,"device":"/dev/ttyUSB1"}]}`}, nil)
	kept, err := r.Catalog.Provider("modems")
	must(t, err)
	if kept.Ports[0].PIN != "4711" || kept.Ports[0].Device != "/dev/ttyUSB1" {
		t.Error("a PUT without the PIN lost it")
	}
}

func TestAPanicEndsItsRequestOnly(t *testing.T) {
	r := newRig(t)
	r.API.Bank = nil
	p := r.problem(call{method: "GET", path: "/api/v1/channels"})
	if p.Status != 500 || !strings.Contains(r.log.String(), "panic") {
		t.Errorf("got %+v", p)
	}
	r.API.Bank = r.bank
	r.json(call{method: "GET", path: "/api/v1/channels"}, nil)
}

func TestAnAddressThatAsksTooOftenIsToldWhenToCome(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Rate, o.Burst = 0.5, 3 })
	token := r.token("read")
	c := call{method: "GET", path: "/api/v1/campaigns", token: token, from: stranger}
	for range 3 {
		r.json(c, nil)
	}
	w := r.serve(c)
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("got %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	c.from = "203.0.113.10:1"
	r.json(c, nil)
	c.from = trusted
	for range 10 {
		r.json(c, nil)
	}
}

func TestADrainingBoxTakesNothingNewAndStillAnswers(t *testing.T) {
	r := newRig(t)
	r.Drain()
	for _, path := range []string{sendPath, "/api/v1/messages", "/api/v1/campaigns/test1/bases"} {
		w := r.serve(call{method: "POST", path: path, kind: formKind, body: sms().Encode()})
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", path, w.Code, w.Header().Get("Retry-After"))
		}
	}
	if p := r.problem(call{method: "GET", path: "/readyz"}); p.Status != 503 {
		t.Errorf("readyz: %d", p.Status)
	}
	r.json(call{method: "GET", path: "/api/v1/messages"}, nil)
	if status, _ := r.do(call{method: "GET", path: "/healthz", from: stranger}); status != 200 {
		t.Errorf("healthz: %d", status)
	}
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready"} {
		if status, body := r.do(call{method: "GET", path: path, from: stranger}); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	r.site.state = "degraded"
	if p := r.problem(call{method: "GET", path: "/readyz", from: stranger}); p.Status != 503 || p.Code != "unavailable" {
		t.Errorf("readyz: %+v", p)
	}
	if status, _ := r.do(call{method: "GET", path: "/metrics", from: stranger}); status != 401 {
		t.Errorf("metrics for a stranger: %d", status)
	}
	if status, body := r.do(call{method: "GET", path: "/metrics"}); status != 200 || !strings.Contains(body, "fieldpost_up") {
		t.Errorf("metrics: %d %q", status, body)
	}
}

// A request that says two things is refused: which one was meant?
func TestARequestSaysOneThingOnly(t *testing.T) {
	r := newRig(t)
	const body = `{"to":"098344484","text":"Hi","campaign":"test1"}`
	many := `{"to":"098344484","text":"Hi","campaign":"test1","data":[` + strings.Repeat("1,", maxTokens) + `1]}`
	for name, c := range map[string]struct {
		method, path, body, key string
		status                  int
		field, detail           string
	}{
		"a field twice":          {"POST", "/messages", `{"to":"1","to":"098344484","text":"Hi","campaign":"test1"}`, "", 422, "to", "is there twice"},
		"a field in two cases":   {"POST", "/messages", `{"to":"1","TO":"098344484","text":"Hi","campaign":"test1"}`, "", 422, "TO", "is there twice"},
		"a field of a part":      {"POST", "/providers", `{"name":"x","type":"GSM","ports":[{"port":1},{"port":1,"port":2}]}`, "", 422, "port", "is there twice"},
		"two bodies":             {"POST", "/messages", body + body, "", 400, "", "more than one"},
		"half a body":            {"POST", "/messages", body[:20], "", 400, "", "no JSON"},
		"no body":                {"POST", "/messages", "", "", 400, "", "is missing"},
		"a bomb of values":       {"POST", "/messages", many, "", 400, "", "too many values"},
		"a number beyond all":    {"POST", "/messages", `{"priority":1e400}`, "", 400, "", "too large"},
		"a source on a screen":   {"POST", "/blacklist", `{"number":"098344484","source":"\u001b[2J"}`, "", 422, "source", "cannot be printed"},
		"a deep body":            {"POST", "/messages", strings.Repeat("[", 17) + strings.Repeat("]", 17), "", 400, "", "too deeply"},
		"a parameter twice":      {"GET", "/messages?limit=1&limit=2", "", "", 422, "limit", "is there twice"},
		"a semicolon":            {"GET", "/messages?campaign=test1;status=sent", "", "", 422, "", "query cannot be read"},
		"a broken escape":        {"GET", "/blacklist?prefix=%zz", "", "", 422, "", "query cannot be read"},
		"a broken escape (file)": {"POST", "/dialers/test1/bases?upload=%zz", "x", "", 422, "", "query cannot be read"},
		"a long key":             {"POST", "/dialers/test1/bases", "x", strings.Repeat("k", 256), 422, "Idempotency-Key", "at most 255"},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.problem(call{method: c.method, path: root + c.path, body: c.body, kind: "application/json",
				token: r.token("admin"), header: map[string]string{"Idempotency-Key": c.key}})
			if p.Status != c.status || p.Field != c.field || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("status %d, field %q: %s", p.Status, p.Field, p.Detail)
			}
		})
	}
	if _, got := r.do(call{method: "GET", path: root + "/messages"}); !strings.Contains(got, `"items":[]`) {
		t.Errorf("a refused request left %s", got)
	}
}

// A field may stand in two objects, and a text may look like a name.
func TestOneNameInTwoObjectsIsNoRepeat(t *testing.T) {
	for _, body := range []string{
		`{"a":{"b":1},"b":[{"b":1},{"b":2}],"c":"b"}`, `[["a","a"],{"a":"a","b":"a"}]`, `"a"`, `{"a":{},"b":[],"c":null}`,
	} {
		if err := checkJSON([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestTheNameOfAFileCanBePrinted(t *testing.T) {
	r := newRig(t)
	for field, query := range map[string]string{"name": "?name=%1b%5b2J", "agent": "?agent=a%e2%80%aeb"} {
		p := r.problem(call{method: "POST", path: root + "/dialers/test1/bases" + query, kind: "text/csv", body: "test1;098344484;Hi;1\r\n"})
		if p.Status != 422 || p.Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

// A HEAD asks for the headers of a stream, not for a stream that nobody sees.
func TestAHeadOpensNoStream(t *testing.T) {
	r := newRig(t)
	w := r.serve(call{method: "HEAD", path: root + "/events"}) // ends
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" || w.Body.Len() > 0 || r.streams.Load() != 0 {
		t.Errorf("got %d, %q, %q", w.Code, w.Header(), w.Body)
	}
}
