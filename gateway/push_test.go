package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"fieldpost/gateway"
)

func pushing() gateway.Provider {
	return gateway.Provider{Name: "rack", Type: gateway.TypeDinstarWebPush, URL: "http://192.0.2.20", User: "admin"}
}

func TestASecretOfPushesIsLongAndFitsAnAddress(t *testing.T) {
	p := pushing()
	for secret, says := range map[string]string{
		"":                               "is missing",
		"0123456789abcde":                "has 15 characters",
		strings.Repeat("0123456789", 13): "has 130 characters",
		"0123456789abcde/":               "letters, digits, _ and - only",
		"0123456789abcdeñ":               "letters, digits, _ and - only",
		"aaaabbbbaaaabbbb":               "too easy to guess",
	} {
		e := p.CheckPushSecret(gateway.Secret(secret))
		if e == nil || e.Field != "push_secret" || !strings.Contains(e.Text, says) || !strings.Contains(e.Text, "openssl rand -hex 16") {
			t.Errorf("%q gives %v, want %q and how to make one", secret, e, says)
		}
	}
	for _, secret := range []gateway.Secret{"0123456789abcdef", "6-Zz_9xyABCDEFGHIJ", gateway.Secret(strings.Repeat("01234567", 16))} {
		if e := p.CheckPushSecret(secret); e != nil {
			t.Errorf("a good secret gives %v", e)
		}
	}
	p.Type = gateway.TypeDinstarWeb
	if e := p.CheckPushSecret("0123456789abcdef"); e == nil || e.Field != "push_secret" {
		t.Errorf("a type without pushes gives %v", e)
	}
	if e := p.CheckPushSecret(""); e != nil {
		t.Errorf("a type without pushes and secret gives %v", e)
	}
}

func TestItIsKnownFromWhereAGatewayPushes(t *testing.T) {
	for _, c := range []struct {
		url  string
		from []string
		want string
	}{
		{"http://192.0.2.20:8081", nil, "[192.0.2.20/32]"},
		{"http://[2001:db8::1]", nil, "[2001:db8::1/128]"},
		{"http://[::ffff:192.0.2.20]", nil, "[192.0.2.20/32]"},
		{"http://192.0.2.20", []string{"::ffff:198.51.100.7"}, "[198.51.100.7/32]"},
		{"http://192.0.2.20", []string{"198.51.100.7", "203.0.113.9/24"}, "[198.51.100.7/32 203.0.113.0/24]"},
		{"http://rack.example.com", []string{"198.51.100.7"}, "[198.51.100.7/32]"},
	} {
		p := pushing()
		p.URL, p.PushFrom = c.url, c.from
		if errs := p.Check(); len(errs) > 0 {
			t.Errorf("%s from %v is refused: %v", c.url, c.from, errs)
		}
		if got := fmt.Sprint(p.PushNetworks()); got != c.want {
			t.Errorf("%s from %v gives %s, want %s", c.url, c.from, got, c.want)
		}
	}
	p := pushing()
	p.URL = "http://rack.example.com"
	if errs := p.Check(); len(errs) != 1 || errs[0].Field != "push_from" {
		t.Errorf("a gateway known by name alone gives %v", errs)
	}
}

func TestACertificateBelongsToAnHTTPSAddress(t *testing.T) {
	p := pushing()
	p.Certificate = strings.Repeat("ab", 32)
	if errs := p.Check(); len(errs) != 1 || errs[0].Field != "certificate" {
		t.Errorf("over http it gives %v", errs)
	}
	p.URL = "https://192.0.2.20"
	if errs := p.Check(); len(errs) != 0 {
		t.Errorf("over https it gives %v", errs)
	}
}
