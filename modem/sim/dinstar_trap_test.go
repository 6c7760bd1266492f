package sim_test

import (
	"net/http"
	"strings"
	"testing"

	"fieldpost/modem/sim"
)

// plainly makes a request without any login of its own.
func (r *dinstarRig) plainly(method, path, body string, head ...string) (*http.Response, error) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.box.URL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err == nil {
		err = res.Body.Close()
	}
	return res, err
}

func (r *dinstarRig) wantStatus(method, path, body string, status int, head ...string) *http.Response {
	r.t.Helper()
	res, err := r.plainly(method, path, body, head...)
	if err != nil {
		r.t.Fatal(err)
	}
	if res.StatusCode != status {
		r.t.Fatalf("%s %s gives %s, want %d", method, path, res.Status, status)
	}
	return res
}

func TestDinstarChallenges(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	res := r.wantStatus("POST", "/api/send_sms", "{}", 401)
	want := `Digest realm="Web Server", qop="auth", nonce="`
	if c := res.Header.Get("WWW-Authenticate"); !strings.HasPrefix(c, want) || !strings.HasSuffix(c, `algorithm="MD5"`) {
		t.Errorf("the challenge is %s", c)
	}
	if r.box.WrongLogins() != 0 {
		t.Error("a request without a login was held against somebody")
	}
}

// T1
func TestDinstarTakesARawCommaForAWrongPassword(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	res, data, err := r.call(r.request(http.MethodGet, "get_port_info?port=0,1&info_type=reg", nil))
	if err != nil || res.StatusCode != 401 || !strings.Contains(string(data), "Wrong Password") {
		t.Fatalf("a raw comma gives %v %q %v", res, data, err)
	}
	if r.box.WrongLogins() == 0 {
		t.Error("it does not count as a wrong login")
	}
	r.wantCode(r.get("get_port_info", "port", "0,1", "info_type", "reg"), 200)
}

// T2
func TestDinstarHangsUpOnAnEmptyFirstPost(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	if res, err := r.plainly("POST", "/api/send_sms", ""); err == nil {
		t.Errorf("an empty POST is answered with %s", res.Status)
	}
	lenient := openDinstar(t, sim.DinstarOptions{
		Ports: 1, Firmware: sim.DinstarFirmware{Lenient: sim.DinstarLenient{EmptyPost: true}},
	}, sim.NetworkOptions{})
	lenient.wantStatus("POST", "/api/send_sms", "", 401)
}

// T3
func TestDinstarLocksWrongLoginsOut(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Lockout: 2, Auth: sim.DinstarBasic}, sim.NetworkOptions{})
	const wrong = "Basic YWRtaW46bm8=" // admin:no
	r.wantStatus("POST", "/api/send_sms", "{}", 401, "Authorization", wrong)
	r.wantStatus("POST", "/api/send_sms", "{}", 401, "Authorization", wrong)
	res, data, err := r.call(r.request(http.MethodGet, "query_sms_in_queue", nil))
	if err != nil || res.StatusCode != 403 || !strings.Contains(string(data), "forbid to try again") {
		t.Fatalf("the right login of a locked out address gives %v %q %v", res, data, err)
	}
	r.box.Unlock()
	r.wantCode(r.get("query_sms_in_queue"), 200)
	r.box.SetPassword("other")
	if res, _, err := r.call(r.request(http.MethodGet, "query_sms_in_queue", nil)); err != nil || res.StatusCode != 401 {
		t.Errorf("the old password gives %v %v", res, err)
	}
}

// T4, T5, T6, T7
func TestDinstarRefusesWhatItDoesNotKnow(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "get_cdr", 403},
		{"GET", "get_status", 403},
		{"POST", "get_port_info?info_type=reg", 403},
		{"GET", "get_port_info", 404},
		{"GET", "query_sms_queue", 404},
	} {
		if res, _, err := r.call(r.request(c.method, c.path, object{})); err != nil || res.StatusCode != c.status {
			t.Errorf("%s %s gives %v %v, want %d", c.method, c.path, res, err, c.status)
		}
	}
	r.wantCode(r.get("get_port_info", "port", "0", "info_type", "reg,colour"), 400)
	r.wantCode(r.get("get_port_info", "port", "0,2", "info_type", "reg"), 400)
	r.box.Disable(true)
	res, data, err := r.call(r.request(http.MethodGet, "query_sms_in_queue", nil))
	if err != nil || res.StatusCode != 404 || string(data) != "api is disable" {
		t.Errorf("a disabled API gives %v %q %v", res, data, err)
	}
}

func TestDinstarWithoutTrapsIsLenient(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2, Firmware: sim.DinstarFirmware{Lenient: sim.DinstarLenient{
		RawComma: true, Method: true, InfoWord: true, InfoPort: true,
	}}}, sim.NetworkOptions{})
	o := r.answer(r.request(http.MethodPost, "get_port_info?port=0,1,7&info_type=reg,colour", object{}))
	r.wantCode(o, 200)
	if n := len(rows(o, "info")); n != 2 {
		t.Errorf("%d ports are told, want 2", n)
	}
}

// T8
func TestDinstarRefusesARightLoginNowAndThen(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Faults: []sim.DinstarFault{
		{At: 1, Do: sim.SpuriousLogin}, {At: 2, Do: sim.SpuriousLogin, Code: 403},
	}}, sim.NetworkOptions{})
	for _, status := range []int{401, 403, 200} {
		if res, _, err := r.call(r.request(http.MethodGet, "query_sms_in_queue", nil)); err != nil || res.StatusCode != status {
			t.Errorf("it gives %v %v, want %d", res, err, status)
		}
	}
}

// T10, T11
func TestDinstarOfOldSpeaksInOldKeys(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{OldKeys: true}}, sim.NetworkOptions{})
	o := r.post("send_ussd", object{"text": "*100#", "port": []int{0}, "command": "send"})
	if _, has := o["sn"]; has || len(rows(o, "result:")) != 1 {
		t.Errorf("the answer is %v", o)
	}
	r.send(1, "099000001", "x")
	if row := r.result(1, "DELIVERED"); row["imsi"] != nil {
		t.Errorf("the result has an imsi: %v", row)
	}
}

func TestDinstarSaysDataFollowsAndKeepsTheConnection(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	for range 2 {
		res, _, err := r.call(r.request(http.MethodGet, "query_sms_in_queue", nil))
		if err != nil || res.Status != "200 Data follows" || res.Close || !strings.HasPrefix(res.Header.Get("Set-Cookie"), "devckie=") {
			t.Errorf("the answer is %+v %v", res, err)
		}
	}
	if res := r.wantStatus("GET", "/", "", 302); res.Header.Get("Location") != "/enLogin.htm" {
		t.Errorf("the GUI redirects to %s", res.Header.Get("Location"))
	}
}
