package sim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Two vectors that were computed apart from this code, and the one of RFC 2617 §3.5.
func TestDigestResponseIsTheStandards(t *testing.T) {
	const nonce = "5ccc069c403ebaf9f0171e9517f40e41"
	for _, c := range []struct{ user, realm, password, method, uri, nonce, cnonce, want string }{
		{"api", "Web Server", "s3cret", "POST", "/api/send_sms", nonce, "0a4f113b", "290cba3bc8853d1a8f217621d9c1b166"},
		{
			"api", "Web Server", "s3cret", "GET", "/api/get_port_info?port=0%2C1&info_type=reg%2Csignal%2Cimsi", nonce, "0a4f113b",
			"030d53f5338ed4b154ee8470b4a01e27",
		},
		{
			"Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b",
			"6629fae49393a05397450978507c4ef1",
		},
	} {
		if got := digestResponse(c.user, c.realm, c.password, c.method, c.uri, c.nonce, "00000001", c.cnonce, "auth"); got != c.want {
			t.Errorf("%s %s gives %s, want %s", c.method, c.uri, got, c.want)
		}
	}
}

func TestDigestJudgesEveryFieldOfALogin(t *testing.T) {
	n := NewNetwork(NetworkOptions{Seed: 1})
	l := newDinstarLogin(&DinstarOptions{Network: n, User: "api", Password: "s3cret", Auth: DinstarDigest, Lockout: 5})
	nonce := digestFields(strings.TrimPrefix(l.challenge(missing), "Digest "))["nonce"]
	good := map[string]string{
		"username": "api", "realm": dinstarRealm, "nonce": nonce, "uri": "/api/send_sms", "qop": "auth", "nc": "00000001", "cnonce": "0a4f113b",
	}
	login := func(change, value string) pass {
		f := map[string]string{}
		for k, v := range good {
			f[k] = v
		}
		if change != "" {
			f[change] = value
		}
		f["response"] = digestResponse(f["username"], f["realm"], "s3cret", "POST", f["uri"], f["nonce"], f["nc"], f["cnonce"], f["qop"])
		if change == "response" {
			f["response"] = value
		}
		var parts []string
		for k, v := range f {
			parts = append(parts, k+`="`+v+`"`)
		}
		r := httptest.NewRequest(http.MethodPost, "/api/send_sms", nil)
		r.Header.Set("Authorization", "Digest "+strings.Join(parts, ", "))
		return l.check(r)
	}
	for _, c := range []struct {
		change, value string
		want          pass
	}{
		{"", "", passed},
		{"username", "root", wrong},
		{"realm", "elsewhere", wrong},
		{"uri", "/api/send_ussd", wrong},
		{"response", strings.Repeat("0", 32), wrong},
		{"response", "", wrong},
		{"qop", "auth-int", wrong},
		{"nc", "1", wrong},
		{"cnonce", "", wrong},
		{"nonce", strings.Repeat("0", 32), stale},
	} {
		if got := login(c.change, c.value); got != c.want {
			t.Errorf("%s=%q: %d, want %d", c.change, c.value, got, c.want)
		}
	}
	for range noncesKept {
		l.challenge(missing)
	}
	if got := login("", ""); got != stale {
		t.Errorf("a nonce that was pushed out is judged %d, want %d", got, stale)
	}
}

func FuzzDigestFields(f *testing.F) {
	f.Add(`username="api", nc=00000001, uri="/a?b=c%2Cd"`)
	f.Add(`=`)
	f.Add(`a="b`)
	f.Fuzz(func(t *testing.T, s string) {
		for name := range digestFields(s) {
			if name != strings.ToLower(name) {
				t.Errorf("the name %q is not folded", name)
			}
		}
	})
}
