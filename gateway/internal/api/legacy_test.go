package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
)

const (
	formKind = "application/x-www-form-urlencoded"
	sendPath = "/Integra/resources/SMS/SendSMS"
)

func (r *rig) form(path string, v url.Values) (int, string) {
	return r.do(call{method: "POST", path: path, kind: formKind, body: v.Encode()})
}

func sms(change ...string) url.Values {
	v := url.Values{"destination": {"098344484"}, "message": {"This is my SMS"}, "campaign": {"test1"}, "agent": {"anna"}}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == "" {
			v.Del(change[i])
		} else {
			v.Set(change[i], change[i+1])
		}
	}
	return v
}

func TestP72SendSMSAnswersOKAndTheRowIsInTheSpoolWithItsAgent(t *testing.T) {
	r := newRig(t)
	status, body := r.form(sendPath, sms())
	if status != 200 || body != "OK" {
		t.Fatalf("got %d %q", status, body)
	}
	var page client.Page[client.SpoolRow]
	r.json(call{method: "GET", path: "/api/v1/spool"}, &page)
	if len(page.Items) != 1 {
		t.Fatalf("the spool has %d rows", len(page.Items))
	}
	got := page.Items[0]
	want := client.SpoolRow{Campaign: "test1", Destination: "098344484", Message: "This is my SMS", Priority: 1,
		IDM: got.IDM, Agent: "anna", State: 1, StateName: "TO PROCESS"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestP73P74P75SendSMSRefusesWithTheReasonInAHeader(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, reason string
		form         url.Values
	}{
		{"vector 6: no message", "invalid; message:", sms("message", "")},
		{"P73 no destination", "invalid; destination:", sms("destination", "")},
		{"P73 letters", "invalid; destination:", sms("destination", "09834x484")},
		{"P74 too long", "invalid; message:", sms("message", strings.Repeat("a", 153*11))},
		{"P75 unknown campaign", "invalid; campaign:", sms("campaign", "nobody")},
		{"source is no port", "invalid; source:", sms("source", "99")},
		{"field twice", "invalid; agent:", url.Values{"agent": {"a", "b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := r.serve(call{method: "POST", path: sendPath, kind: formKind, body: c.form.Encode()})
			if w.Code != 200 || w.Body.String() != "ERROR" {
				t.Fatalf("got %d %q", w.Code, w.Body)
			}
			if got := w.Header().Get("X-Reason"); !strings.HasPrefix(got, c.reason) {
				t.Errorf("the reason is %q, not %q", got, c.reason)
			}
		})
	}
	if c, err := r.spool.AllCounters(); err != nil || len(c) > 0 {
		t.Errorf("refused calls left rows: %v, %v", c, err)
	}
}

func TestP74SendSMSTakesAnAccentedTextHoweverTheClientEncodesIt(t *testing.T) {
	r := newRig(t)
	const want = "Señor Núñez: 5 €"
	latin := "destination=098344484&campaign=test1&message=Se%F1or+N%FA%F1ez:+5+%80"
	var multi strings.Builder
	for k, v := range map[string]string{"destination": "098344484", "campaign": "test1", "message": want} {
		fmt.Fprintf(&multi, "--x\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", k, v)
	}
	multi.WriteString("--x--\r\n")
	for _, c := range []call{
		{kind: formKind, body: sms("message", want).Encode()},
		{kind: formKind, body: latin},
		{kind: formKind + "; charset=ISO-8859-1", body: latin},
		{kind: "multipart/form-data; boundary=x", body: multi.String()},
	} {
		c.method, c.path = "POST", sendPath
		if _, body := r.do(c); body != "OK" {
			t.Fatalf("%s: got %q", c.kind, body)
		}
		var page client.Page[client.Message]
		r.json(call{method: "GET", path: "/api/v1/messages?limit=1"}, &page)
		if got := page.Items[0].Text; got != want {
			t.Errorf("%s: stored %q", c.kind, got)
		}
	}
}

func TestSendSMSv2GivesTheID(t *testing.T) {
	r := newRig(t)
	_, body := r.form("/Integra/resources/SMS/SendSMSv2", sms())
	if body != "{\"id\":\"1\"}\n" {
		t.Errorf("got %q", body)
	}
}

func TestP77OldServicesNeedATokenFromAnUntrustedAddress(t *testing.T) {
	r := newRig(t)
	token := r.token("send")
	for _, c := range []struct {
		name, auth, from string
		header           map[string]string
		want             int
	}{
		{"trusted", "", trusted, nil, 200},
		{"stranger", "", stranger, nil, 401},
		{"Bearer", "Bearer " + token, stranger, nil, 200},
		{"Basic, bare", "Basic " + token, stranger, nil, 200},
		{"Basic, user:token", "Basic " + base64.StdEncoding.EncodeToString([]byte("shop:"+token)), stranger, nil, 200},
		{"wrong", "Bearer " + token[:len(token)-1] + "7", stranger, nil, 401},
		{"wrong, trusted", "Basic xyz", trusted, nil, 401},
		{"through a proxy", "", trusted, map[string]string{"X-Forwarded-For": "198.51.100.7"}, 401},
		{"from a page", "", trusted, map[string]string{"Origin": "http://192.0.2.9"}, 401},
		{"from a page elsewhere", "", trusted, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := map[string]string{}
			for k, v := range c.header {
				h[k] = v
			}
			if c.auth != "" {
				h["Authorization"] = c.auth
			}
			status, body := r.do(call{method: "POST", path: sendPath, kind: formKind, body: sms().Encode(), from: c.from, header: h})
			if status != c.want || (status == 200) != (body == "OK") {
				t.Errorf("got %d %q, want %d", status, body, c.want)
			}
		})
	}
}

func TestScheduleDialerSMSHoldsTheMessageUntilItsDate(t *testing.T) {
	zone := time.FixedZone("UYT", -3*3600)
	r := newRig(t, func(o *Options) { o.Zone = zone })
	const path = "/Integra/resources/SMS/ScheduleDialerSMS"
	for _, date := range []string{"2031-05-06 07:08:09", "2031-05-06T07:08:09-03:00"} {
		v := url.Values{"sms": {fmt.Sprintf(`{"calldate":%q,"campaign":"test1","destination":98344484,"data":"Hi"}`, date)}}
		if _, body := r.form(path, v); body != "1" {
			t.Fatalf("%s: got %q", date, body)
		}
		var page client.Page[client.Message]
		r.json(call{method: "GET", path: "/api/v1/messages?limit=1"}, &page)
		m := page.Items[0]
		if want := time.Date(2031, 5, 6, 10, 8, 9, 0, time.UTC); m.NotBefore == nil || !m.NotBefore.Equal(want) || m.Text != "Hi" || m.Priority != 1 {
			t.Errorf("%s: stored %+v", date, m)
		}
	}
	for _, bad := range []string{``, `{`, `{"calldate":"tomorrow","campaign":"test1","destination":"098344484","data":"Hi"}`, `{"campaign":"test1","destination":"098344484"}`,
		`{"campaign":"test1","destination":"098344484","data":"Hi","data":"Ho"}`} {
		if status, body := r.form(path, url.Values{"sms": {bad}}); status != 200 || body != "0" {
			t.Errorf("%s: got %d %q", bad, status, body)
		}
	}
}

func TestUploadbaseLoadsTheDecodedFileInWhicheverOrderTheFieldsCome(t *testing.T) {
	r := newRig(t)
	const path = "/Integra/resources/SMS/uploadbase"
	base := base64.StdEncoding.EncodeToString([]byte("test1;091111111;Hi World>>>???;9999\r\ntest1;092222222;Hi City;8888\r\n"))
	if !strings.ContainsAny(base, "+/") {
		t.Fatal("the example does not try what needs escapes")
	}
	for i, body := range []string{
		"filename=a.csv&campaign=test1&fileb64=" + url.QueryEscape(base),
		"fileb64=" + base + "&campaign=test1&filename=b.csv", // "+" not escaped
		"fileb64=" + url.QueryEscape(base[:20]+"\r\n"+base[20:]) + "&campaign=test1",
	} {
		if status, got := r.do(call{method: "POST", path: path, kind: formKind, body: body}); status != 200 || got != "OK" {
			t.Fatalf("%d: got %d %q", i, status, got)
		}
		r.loaded("test1", uint64(2*(i+1)))
	}
}

// loaded waits until a campaign has so many rows.
func (r *rig) loaded(campaign string, rows uint64) {
	r.t.Helper()
	for {
		_, changed := r.spool.Tail()
		c, err := r.spool.Counters(campaign)
		must(r.t, err)
		if c.Uploaded >= rows {
			return
		}
		select {
		case <-changed:
		case <-r.t.Context().Done():
			r.t.Fatal("the rows did not come")
		}
	}
}

func TestUploadbaseRefusesWhatIsNoBase(t *testing.T) {
	r := newRig(t)
	for name, body := range map[string]string{
		"no file":          "campaign=test1",
		"no base64":        "campaign=test1&fileb64=%%%",
		"bad letters":      "campaign=test1&fileb64=*****",
		"unknown campaign": "campaign=nobody&fileb64=YTtiO2M7MQ==",
		"no campaign":      "fileb64=YTtiO2M7MQ==",
		"empty file":       "campaign=test1&fileb64=",
		"too large":        "campaign=test1&fileb64=" + strings.Repeat("YWFh", 400<<10),
	} {
		w := r.serve(call{method: "POST", path: "/Integra/resources/SMS/uploadbase", kind: formKind, body: body})
		if w.Code != http.StatusOK || w.Body.String() != "ERROR" || w.Header().Get("X-Reason") == "" {
			t.Errorf("%s: got %d %q, reason %q", name, w.Code, w.Body, w.Header().Get("X-Reason"))
		}
	}
}
