package dinstar

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

func TestT1TheDigestSignsTheCommaAsItIsSent(t *testing.T) {
	var target, signed string
	_, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		cred, err := digest.ParseCredentials(r.Header.Get("Authorization"))
		if err != nil {
			challenge(w)
			return
		}
		target, signed = r.RequestURI, cred.URI
		fmt.Fprint(w, `{"error_code":200}`)
	})
	if _, err := c.get(t.Context(), "get_port_info", url.Values{"port": {"0,1"}, "info_type": {"reg,signal"}}); err != nil {
		t.Fatal(err)
	}
	if want := "/api/get_port_info?info_type=reg%2Csignal&port=0%2C1"; target != want || signed != want {
		t.Errorf("asked %s and signed %s, want %s", target, signed, want)
	}
}

func challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Digest realm="Web Server", qop="auth", nonce="5ccc069c403ebaf9f0171e9517f40e41", algorithm="MD5"`)
	w.WriteHeader(http.StatusUnauthorized)
}

func TestT2TheFirstPostHasItsWholeBody(t *testing.T) {
	var bodies []string
	_, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
		if r.Header.Get("Authorization") == "" {
			challenge(w)
			return
		}
		fmt.Fprint(w, `{"error_code":202}`)
	})
	if _, err := c.post(t.Context(), time.Second, "send_sms", map[string]string{"text": "<a & b>"}); err != nil {
		t.Fatal(err)
	}
	want := `{"text":"<a & b>"}` + "\n"
	if len(bodies) != 2 || bodies[0] != want || bodies[1] != want {
		t.Errorf("the bodies were %q, want %q two times", bodies, want)
	}
}

func TestT3AWrongPasswordIsNotTriedUntilTheGatewayBansUs(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 2}, func(o *Options) { o.Password = "wrong" })
	r.until("a fault with the reason", func() bool {
		return r.ch[0].State == gateway.ChannelFault && strings.Contains(r.ch[0].Reason, "refuses this user and password")
	})
	if n := r.gateway.WrongLogins(); n < 1 || n > 2 {
		t.Errorf("%d wrong logins, want one and its repetition", n)
	}
	before := r.gateway.WrongLogins()
	for i := range 5 {
		if _, err := r.send(0, uint32(i+1), "never"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("a send gives %v, want unavailable", err)
		}
		if _, err := r.driver.api.get(t.Context(), "get_port_info", nil); gateway.KindOf(err) != gateway.KindUnauthorized {
			t.Errorf("a question gives %v, want unauthorized", err)
		}
	}
	if n := r.gateway.WrongLogins(); n != before {
		t.Errorf("%d wrong logins after the breaker opened", n-before)
	}
}

func TestT3TheBreakerProbesOnceAndCloses(t *testing.T) {
	asked, good := 0, false
	_, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if !good {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "Access Denied, forbid to try again")
			return
		}
		fmt.Fprint(w, `{"error_code":200}`)
	})
	ask := func() gateway.Kind {
		_, err := c.get(t.Context(), "query_sms_in_queue", nil)
		return gateway.KindOf(err)
	}
	for range 3 {
		if k := ask(); k != gateway.KindUnauthorized {
			t.Fatalf("got %v", k)
		}
	}
	first := c.breaker.wait
	if asked != 1 {
		t.Errorf("asked %d times, want once: the ban says not to go on", asked)
	}
	c.breaker.until = time.Now()
	if k := ask(); k != gateway.KindUnauthorized || asked != 2 || c.breaker.wait != 2*first {
		t.Errorf("the probe gives %v after %d requests; the next one in %v", k, asked, c.breaker.wait)
	}
	c.breaker.until, good = time.Now(), true
	if k := ask(); k != gateway.KindNone || c.breaker.wait != 0 {
		t.Errorf("a login that is taken gives %v, the breaker %v", k, c.breaker.wait)
	}
}

func TestT6T7WordsAndPortsThatAFirmwareDoesNotKnowAreLeftOut(t *testing.T) {
	asked := map[string]int{}
	d, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked[q.Get("port")]++
		for w2 := range strings.SplitSeq(q.Get("info_type"), ",") {
			if w2 == "" || w2 == "iccid" || w2 == "type" {
				fmt.Fprint(w, `{"error_code":400}`)
				return
			}
		}
		if p := q.Get("port"); p != "0" && p != "1" && p != "0,1" {
			fmt.Fprint(w, `{"error_code":400}`)
			return
		}
		fmt.Fprint(w, `{"error_code":200,"info":[{"port":"0","reg":"REGISTER_OK"},{"port":1,"reg":"NO_SIM"}]}`)
	})
	s := newSite(d, nil)
	if err := s.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.words, " "); got != "reg signal imsi imei number" {
		t.Errorf("the words are %q", got)
	}
	if got := fmt.Sprint(s.known()); got != "[0 1]" {
		t.Errorf("the ports are %s", got)
	}
	if asked[""] != 1 || asked["3"] != 0 {
		t.Errorf("asked for the ports %v", asked)
	}
}

func TestT8ASpuriousRefusalIsTriedAgainOnANewConnection(t *testing.T) {
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
		r.ready(0)
		r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.SpuriousLogin, Code: code})
		if _, err := r.send(0, 1, "once"); err != nil || r.copies("once") != 1 {
			t.Errorf("after a %d: %v, %d copies", code, err, r.copies("once"))
		}
	}
}

func TestT9PortAndEncodingStandBesideTheRecipients(t *testing.T) {
	var body map[string]any
	d, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/send_sms" {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
		}
		fmt.Fprint(w, `{"error_code":400}`)
	})
	s := newSite(d, &rig{TB: t, ch: map[int]gateway.Channel{}, changed: make(chan struct{})})
	defer s.end()
	s.ports[3] = &port{channel: gateway.Channel{State: gateway.ChannelReady}}
	d.site.Store(s)
	_, _ = d.Send(t.Context(), 3, modem.Submission{UserID: 9, To: "+59899123456", Text: "x", Encoding: gateway.EncodingGSM7})
	to := body["param"].([]any)
	one := to[0].(map[string]any)
	if len(to) != 1 || fmt.Sprint(body["port"]) != "[3]" || body["encoding"] != "gsm-7bit" || one["number"] != "+59899123456" || one["user_id"] != 9.0 ||
		one["port"] != nil || one["encoding"] != nil {
		t.Errorf("the body is %v", body)
	}
}

func TestT10T11TheKeysOf2017AreRead(t *testing.T) {
	a, err := parse([]byte(`{"error_code":"202","result:":[{"port":"0","status":486}]}`))
	if err != nil || len(a.Results) != 1 || a.Results[0].Status != "486" || a.SN != "" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAGatewayThatSendsUsToItsLoginPageIsNotFollowed(t *testing.T) {
	var asked []string
	_, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Redirect(w, r, "/enLogin.htm", http.StatusFound)
	})
	_, err := c.post(t.Context(), time.Second, "send_sms", struct{}{})
	var e *gateway.Error
	if !errors.As(err, &e) || e.Kind != gateway.KindUnavailable || e.Code != "HTTP 302" {
		t.Errorf("got %v, want unavailable: it did not take the message", err)
	}
	if got := strings.Join(asked, " "); got != "/api/send_sms" {
		t.Errorf("asked for %s", got)
	}
}

func TestAnAPIThatIsTurnedOffSaysSo(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.gateway.Disable(true)
	r.until("a fault", func() bool {
		return r.ch[0].State == gateway.ChannelFault && strings.Contains(r.ch[0].Reason, "New Version")
	})
	if _, err := r.send(0, 1, "off"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	r.gateway.Disable(false)
	r.ready(0)
}

func TestAGatewayThatHangsHoldsUpNoRequestForLongerThanItsLimit(t *testing.T) {
	asked := 0
	_, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		fmt.Fprint(w, `{"error_code":202}`)
	})
	c.turn <- struct{}{} // another request hangs
	_, err := c.post(t.Context(), time.Millisecond, "send_sms", struct{}{})
	if gateway.KindOf(err) != gateway.KindUnavailable || asked != 0 {
		t.Errorf("got %v after %d requests, want unavailable: nothing was sent", err, asked)
	}
	<-c.turn
	if _, err := c.post(t.Context(), time.Minute, "send_sms", struct{}{}); err != nil {
		t.Error(err)
	}
}

func TestAConnectionThatNeverCameAboutSentNothing(t *testing.T) {
	d, err := New(Options{Provider: "rack", URL: "http://127.0.0.1:1", Times: brief(), Every: often()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.api.post(t.Context(), time.Second, "send_sms", struct{}{}); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}
