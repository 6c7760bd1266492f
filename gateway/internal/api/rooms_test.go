package api

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/spool"
)

func TestP148AThirdPartySendsWithATokenAndReadsTheStatus(t *testing.T) {
	r := newRig(t)
	token := r.token("send", "read")
	send := call{method: "POST", path: "/api/v1/messages", token: token, from: stranger,
		body:   `{"to":"098344484","text":"Hi","campaign":"test1","agent":"shop","data":"order=7","priority":5}`,
		header: map[string]string{"Idempotency-Key": "order-7"}}
	var first, again client.Accepted
	if w := r.serve(send); w.Code != 202 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	r.json(send, &first)
	r.json(send, &again)
	if first.ID == "" || first.ID != again.ID || !again.Repeated || first.Segments != 1 || first.Status != "queued" {
		t.Errorf("got %+v, then %+v", first, again)
	}
	other := send
	other.body = strings.Replace(send.body, "Hi", "Ho", 1)
	if p := r.problem(other); p.Status != 409 {
		t.Errorf("the key with another body: %d", p.Status)
	}
	var m client.Message
	r.json(call{method: "GET", path: "/api/v1/messages/" + first.ID, token: token, from: stranger}, &m)
	if m.To != "+59898344484" || m.Typed != "098344484" || m.Status != "queued" || m.Code != 1 || m.State != "TO PROCESS" ||
		m.Agent != "shop" || m.Data != "order=7" || m.Priority != 5 || m.Created.Location() != time.UTC {
		t.Errorf("got %+v", m)
	}
	var why client.Explanation
	r.json(call{method: "GET", path: "/api/v1/messages/" + first.ID + "/explain"}, &why)
	if len(why.Reasons) != 1 || why.Status != "queued" {
		t.Errorf("got %+v", why)
	}
	r.json(call{method: "POST", path: "/api/v1/messages/" + first.ID + "/cancel"}, &m)
	var line client.Timeline
	r.json(call{method: "GET", path: "/api/v1/messages/" + first.ID + "/timeline"}, &line)
	if m.Status != "canceled" || line.Steps[len(line.Steps)-1].Status != "canceled" {
		t.Errorf("got %s and %+v", m.Status, line)
	}
	if p := r.problem(call{method: "POST", path: "/api/v1/messages/" + first.ID + "/cancel"}); p.Status != 409 {
		t.Errorf("canceled twice: %d", p.Status)
	}
	if p := r.problem(call{method: "POST", path: "/api/v1/messages/" + first.ID + "/resolve", body: `{"as":"sent"}`}); p.Status != 409 {
		t.Errorf("resolved what is not in doubt: %d", p.Status)
	}
}

func TestMessagesAreListedInPagesWithoutGapOrRepeat(t *testing.T) {
	r := newRig(t)
	for i := range 7 {
		r.json(call{method: "POST", path: "/api/v1/messages", body: fmt.Sprintf(`{"to":"09834448%d","text":"Hi","campaign":"test1"}`, i)}, nil)
	}
	for order, want := range map[string]string{"newest": "7 6 5 4 3 2 1", "oldest": "1 2 3 4 5 6 7"} {
		var ids []string
		for cursor := ""; ; {
			var p client.Page[client.Message]
			r.json(call{method: "GET", path: "/api/v1/messages?status=queued,sent&limit=3&order=" + order + "&cursor=" + cursor}, &p)
			for _, m := range p.Items {
				ids = append(ids, m.ID)
			}
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s", order, got)
		}
	}
}

const vector1 = "AutomatedSMSDialer;091111111;Hi World;9999\r\nAutomatedSMSDialer;092222222;Hi City;8888\r\nAutomatedSMSDialer;093333333;Hi People;7777\r\n"

func TestP146ABaseIsUploadedAndCounted(t *testing.T) {
	r := newRig(t)
	admin := r.token("admin")
	r.json(call{method: "POST", path: "/api/v1/dialers", token: admin, body: `{"name":"AutomatedSMSDialer","provider":"modems","dial_string":"(0.3)"}`}, nil)
	c := call{method: "POST", path: "/api/v1/dialers/AutomatedSMSDialer/bases?upload=nov&name=nov.csv", kind: "text/csv",
		body: vector1 + "AutomatedSMSDialer;094444444;Bad;high\r\n"}
	var u client.Upload
	r.json(c, &u)
	if u.Upload != "nov" || u.State != "done" || u.Accepted != 3 || u.RejectedTotal != 1 || len(u.Rejected) != 1 || u.Rejected[0].Line != 4 {
		t.Fatalf("got %+v", u)
	}
	r.json(c, &u)
	if u.Duplicates != 3 {
		t.Errorf("repeated: %+v", u)
	}
	r.json(call{method: "GET", path: "/api/v1/bases/nov"}, &u)
	c.body = vector1
	if p := r.problem(c); p.Status != 409 {
		t.Errorf("another file with the same id: %d", p.Status)
	}
	var n client.Counters
	r.json(call{method: "GET", path: "/api/v1/dialers/AutomatedSMSDialer/counters"}, &n)
	if n.NotProcessed != 3 || n.Processed != 0 || !n.Balanced { // P139
		t.Errorf("got %+v", n)
	}
	var d client.Deleted
	r.json(call{method: "DELETE", path: "/api/v1/dialers/AutomatedSMSDialer/unprocessed", token: admin}, &d) // P143
	r.json(call{method: "GET", path: "/api/v1/dialers/AutomatedSMSDialer/counters"}, &n)
	if d.Deleted < 3 || n.NotProcessed != 0 || !n.Balanced {
		t.Errorf("deleted %d, then %+v", d.Deleted, n)
	}
}

func TestABaseAsAFormIsTakenToo(t *testing.T) {
	r := newRig(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"upload\"\r\n\r\nform-1\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"nov.csv\"\r\nContent-Type: text/csv\r\n\r\ntest1;091111111;Hi;1\r\n\r\n--x--\r\n"
	var u client.Upload
	r.json(call{method: "POST", path: "/api/v1/campaigns/test1/bases", kind: "multipart/form-data; boundary=x", body: body}, &u)
	if u.Upload != "form-1" || u.Name != "nov.csv" || u.Accepted != 1 {
		t.Errorf("got %+v", u)
	}
}

func TestTheIdempotencyKeyOfABaseIsItsUpload(t *testing.T) {
	r := newRig(t)
	c := call{method: "POST", path: "/api/v1/campaigns/test1/bases", kind: "text/csv", body: "test1;091111111;Hi;1\r\n",
		header: map[string]string{"Idempotency-Key": "any text/at all"}}
	var a, b client.Upload
	r.json(c, &a)
	r.json(c, &b)
	n, err := r.spool.Counters("test1")
	must(t, err)
	if a.Upload != b.Upload || n.Uploaded != 1 {
		t.Errorf("uploads %s and %s, %d rows", a.Upload, b.Upload, n.Uploaded)
	}
}

func TestP132P136P137DialersTellWhetherTheyAreActiveAndOnSchedule(t *testing.T) {
	r := newRig(t) // Wednesday, 08:00 UTC
	admin := r.token("admin")
	var d client.Dialer
	c := call{method: "POST", path: "/api/v1/dialers", token: admin, header: map[string]string{"Idempotency-Key": "k"},
		body: `{"name":"night","provider":"modems","dial_string":"0","interval_ms":250,"schedule":["mon,tue,wed;22:00-05:59"]}`}
	r.json(c, &d)
	var again client.Dialer
	r.json(c, &again) // The key makes it no conflict.
	if d.Started || d.Active || d.OnSchedule || d.IntervalMS != 250 || again.Revision != d.Revision || len(d.Reasons) == 0 {
		t.Errorf("made: %+v, again: %+v", d, again)
	}
	d = client.Dialer{}
	r.json(call{method: "POST", path: "/api/v1/dialers/night/start", token: admin}, &d)
	if !d.Started || !d.Active || d.OnSchedule || len(d.Reasons) != 0 { // the sender still says that it is stopped
		t.Errorf("started: %+v", d)
	}
	r.now = r.now.Add(15 * time.Hour)
	var page client.Page[client.Dialer]
	r.json(call{method: "GET", path: "/api/v1/dialers?active=true"}, &page)
	if len(page.Items) != 1 || page.Items[0].Name != "night" || !page.Items[0].OnSchedule {
		t.Errorf("active: %+v", page.Items)
	}
	r.json(call{method: "PUT", path: "/api/v1/dialers/night", token: admin, body: `{"name":"night","provider":"modems","dial_string":"0","enabled":false}`}, &d)
	if !d.Started || d.Active {
		t.Errorf("disabled: %+v", d)
	}
	r.json(call{method: "POST", path: "/api/v1/dialers/night/stop", token: admin}, &d)
	r.json(call{method: "DELETE", path: "/api/v1/dialers/night", token: admin}, nil)
	r.problem(call{method: "GET", path: "/api/v1/dialers/night"})
}

func TestDefinitionsComeInPages(t *testing.T) {
	r := newRig(t)
	var names []string
	for cursor := ""; ; {
		var p client.Page[client.Dialer]
		r.json(call{method: "GET", path: "/api/v1/dialers?limit=1&cursor=" + cursor}, &p)
		for _, d := range p.Items {
			names = append(names, d.Name)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "bulk test1" {
		t.Errorf("got %s", got)
	}
}

func TestP144TheBlacklistIsFilledByHandAndByFile(t *testing.T) {
	r := newRig(t)
	token := r.token("blacklist", "read")
	var l client.Listed
	r.json(call{method: "POST", path: "/api/v1/blacklist", token: token, body: `{"number":"098344484","campaign":"test1","opt_out":true}`}, &l)
	if l.Number != "+59898344484" || l.Source != "test0" || l.At == nil {
		t.Errorf("got %+v", l)
	}
	var u client.Upload
	r.json(call{method: "POST", path: "/api/v1/blacklist/bases", token: token, kind: "text/csv", body: "phone;campaign\r\n091111111;*\r\nx;test1\r\n"}, &u)
	if u.Kind != "blacklist" || u.Accepted != 1 || u.RejectedTotal != 1 || u.Rejected[0].Line != 3 {
		t.Errorf("got %+v", u)
	}
	var page client.Page[client.Listed]
	r.json(call{method: "GET", path: "/api/v1/blacklist?prefix=%2B598", token: token}, &page)
	if len(page.Items) != 2 {
		t.Errorf("listed: %+v", page.Items)
	}
	var x client.NumberExplained
	r.json(call{method: "POST", path: "/api/v1/numbers/explain", body: `{"number":"098344484","campaign":"test1"}`}, &x)
	if x.Number != "+59898344484" || !x.Listed || !x.OptOut || len(x.Reasons) == 0 {
		t.Errorf("got %+v", x)
	}
	r.json(call{method: "GET", path: "/api/v1/blacklist/history", token: token}, nil)
	r.json(call{method: "DELETE", path: "/api/v1/blacklist/091111111", token: token}, nil)
	optedOut := call{method: "DELETE", path: "/api/v1/blacklist/098344484?campaign=test1", token: token}
	if p := r.problem(optedOut); p.Status != 409 || !strings.Contains(p.Detail, "opt_in") {
		t.Errorf("an opt-out was unlisted: %+v", p)
	}
	optedOut.path += "&opt_in=maybe"
	if p := r.problem(optedOut); p.Status != 422 || p.Field != "opt_in" {
		t.Errorf("opt_in=maybe: %+v", p)
	}
	r.json(call{method: "GET", path: "/api/v1/blacklist", token: token}, &page)
	if len(page.Items) != 1 {
		t.Errorf("after the removal: %+v", page.Items)
	}
	optIn := call{method: "DELETE", path: "/api/v1/blacklist/098344484?campaign=test1&opt_in=true", token: token}
	optIn.token = r.token("read", "send")
	if p := r.problem(optIn); p.Status != 403 {
		t.Errorf("an opt-out ended without the scope: %+v", p)
	}
	optIn.token = token
	r.json(optIn, nil)
	last, _ := r.spool.Tail()
	if events, err := r.spool.Events(last-1, 1); err != nil || !strings.Contains(string(events[0].Body), `"source":"test0"`) {
		t.Errorf("who ended the opt-out is not told: %+v, %v", events, err)
	}
	if _, optOut, err := r.spool.Listed("+59898344484", "test1"); err != nil || optOut {
		t.Errorf("the customer is still opted out (%v)", err)
	}
	if p := r.problem(optIn); p.Status != 404 {
		t.Errorf("an opt-out ended twice: %+v", p)
	}
}

func TestATokenIsShownOnceAndEndsAtOnce(t *testing.T) {
	r := newRig(t)
	admin := r.token("admin")
	c := call{method: "POST", path: "/api/v1/tokens", token: admin, body: `{"name":"shop","scopes":["send","read"]}`, header: map[string]string{"Idempotency-Key": "k"}}
	var made, again client.Token
	r.json(c, &made)
	r.json(c, &again)
	if made.Token == "" || again.Token != "" || again.ID != made.ID || strings.Join(made.Scopes, " ") != "read send" {
		t.Errorf("made %+v, again %+v", made, again)
	}
	use := call{method: "GET", path: "/api/v1/messages", token: made.Token, from: stranger}
	r.json(use, nil)
	if _, body := r.do(call{method: "GET", path: "/api/v1/tokens", token: admin}); strings.Contains(body, made.Token) || !strings.Contains(body, "last_used") {
		t.Errorf("the list: %s", body)
	}
	r.json(call{method: "DELETE", path: "/api/v1/tokens/" + made.ID, token: admin}, nil)
	if got, _ := r.do(use); got != 401 {
		t.Errorf("a revoked token: %d", got)
	}
}

func TestP147TheReportListsSentAndWaitingAndIsNoFormula(t *testing.T) {
	r := newRig(t)
	for _, text := range []string{"=HYPERLINK(1)", "plain", "@a;b", "two\nlines"} {
		if _, body := r.form(sendPath, sms("message", text)); body != "OK" {
			t.Fatal(body)
		}
	}
	w := r.serve(call{method: "GET", path: "/api/v1/reports/messages?format=csv&order=oldest"})
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Fatalf("got %d, %v", w.Code, w.Header())
	}
	in := csv.NewReader(w.Body)
	in.Comma = ';'
	rows, err := in.ReadAll()
	must(t, err)
	if len(rows) != 5 || strings.Join(rows[0], ";") != strings.Join(reportHead, ";") {
		t.Fatalf("got %v", rows)
	}
	for i, want := range []string{"'=HYPERLINK(1)", "plain", "'@a;b", "two\nlines"} {
		if rows[i+1][3] != want {
			t.Errorf("row %d: %q", i, rows[i+1][3])
		}
	}
	var page client.Page[client.Message]
	r.json(call{method: "GET", path: "/api/v1/reports/messages?limit=2&from=2000-01-01T00:00:00Z&to=2099-01-01T00:00:00Z"}, &page)
	if len(page.Items) != 2 || page.Next == "" {
		t.Errorf("got %d rows, next %q", len(page.Items), page.Next)
	}
	r.json(call{method: "GET", path: "/api/v1/reports/messages?to=2000-01-01T00:00:00Z"}, &page)
	if len(page.Items) != 0 {
		t.Errorf("before all: %d rows", len(page.Items))
	}
}

func TestAnUnknownMessageIsResolvedByAPerson(t *testing.T) {
	r := newRig(t)
	r.form(sendPath, sms())
	now := time.Now()
	step := func(st spool.Step) {
		done := make(chan spool.Stepped, 1)
		r.spool.Step(st, func(s spool.Stepped) { done <- s })
		if s := <-done; s.Err != nil {
			t.Fatal(s.Err)
		}
	}
	step(spool.Step{Intents: []spool.Intent{{IDM: 1, Segment: 1, UserID: r.spool.NextUserID(), Provider: "modems", Channel: "modems/3", SIM: "sim", Attempt: 1, Charge: 1, At: now}}})
	step(spool.Step{Outcomes: []spool.Outcome{{IDM: 1, Segment: 1, Kind: gateway.KindUnknownOutcome, Text: "silence", At: now}}})
	var m client.Message
	r.json(call{method: "GET", path: "/api/v1/messages/1"}, &m)
	if m.Status != "unknown" || m.Kind != "unknown_outcome" || m.State != "UNKNOWN" {
		t.Fatalf("got %+v", m)
	}
	r.json(call{method: "POST", path: "/api/v1/messages/1/resolve", body: `{"as":"sent"}`}, &m)
	if m.Status != "sent" {
		t.Errorf("resolved: %s", m.Status)
	}
}

func TestChannelsAreReadResetAndAsked(t *testing.T) {
	r := newRig(t)
	token := r.token("providers")
	var c client.Channel
	r.json(call{method: "GET", path: "/api/v1/channels/modems/3"}, &c)
	if c.ID != "modems/3" || c.DBm == nil || *c.DBm != -71 || c.State != "ready" {
		t.Errorf("got %+v", c)
	}
	var a client.USSDAnswer
	r.json(call{method: "POST", path: "/api/v1/channels/modems/3/ussd", token: token, body: `{"code":"*100#"}`}, &a)
	r.json(call{method: "POST", path: "/api/v1/channels/modems/3/reset", token: token}, nil)
	if a.Text != "Balance: 10.00" {
		t.Errorf("got %+v", a)
	}
	for kind, want := range map[gateway.Kind]int{gateway.KindConflict: 409, gateway.KindUnavailable: 503, gateway.KindRefused: 502, gateway.KindUnknownOutcome: 504} {
		r.bank.err = &gateway.Error{Kind: kind, Text: "no", Code: "CMS 38"}
		if p := r.problem(call{method: "POST", path: "/api/v1/channels/modems/3/reset", token: token}); p.Status != want || p.Code != kind.String() || p.Wire != "CMS 38" {
			t.Errorf("%s: %+v", kind, p)
		}
	}
}

func TestSegmentsArePlanned(t *testing.T) {
	r := newRig(t)
	var p client.SegmentPlan
	r.json(call{method: "POST", path: "/api/v1/segments/plan", body: `{"text":"Don’t"}`}, &p)
	if p.Encoding != "UCS2" || p.Segments != 1 || len(p.Forced) != 1 || p.Forced[0].Char != "’" || p.Forced[0].Index != 3 || p.Forced[0].Suggestion != "'" {
		t.Errorf("got %+v", p)
	}
}
