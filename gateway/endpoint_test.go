package gateway_test

import (
	"strings"
	"testing"

	"fieldpost/gateway"
)

func dialsIn(url string) gateway.Provider {
	return gateway.Provider{Name: "rack", Type: gateway.TypeDinstar, URL: url, User: "admin"}
}

func TestURLsSayWhereToListen(t *testing.T) {
	var taken []string
	for _, raw := range []string{
		"", "10.0.0.1:10003", "http://10.0.0.1:10003", "tcp://gw.example:10003", "tcp://10.0.0.1", "tcp://10.0.0.1:99999",
		"tcp://10.0.0.1:1/x", "tcp://u:p@10.0.0.1:1", "tcp://10.0.0.1:01", "tcp://10.0.0.1:1?", "tcp://10.0.0.1:-1", "tcp:10003", "tcp://",
	} {
		_, err := gateway.ListenAddress(raw)
		if gateway.KindOf(err) != gateway.KindInvalid || !strings.Contains(err.Error(), "the gateway's SMS server settings must point there") {
			taken = append(taken, raw)
		}
	}
	if len(taken) > 0 {
		t.Errorf("taken, or not explained: %q", taken)
	}
	for raw, want := range map[string]string{
		"tcp://[::1]:10003": "[::1]:10003", "tcp://192.0.2.2:10003": "192.0.2.2:10003", "tcp://:10003": ":10003", "tcp://127.0.0.1:0": "127.0.0.1:0",
	} {
		if got, err := gateway.ListenAddress(raw); err != nil || got != want {
			t.Errorf("%s gives %q, %v", raw, got, err)
		}
	}
}

func TestP3AGatewayThatDialsInNeedsAPlaceAndALogin(t *testing.T) {
	for want, spoil := range map[string]func(*gateway.Provider){
		"":       func(*gateway.Provider) {},
		"url":    func(p *gateway.Provider) { p.URL = "tcp://192.0.2.2:0" },
		"user":   func(p *gateway.Provider) { p.User = "" },
		"report": func(p *gateway.Provider) { p.Report = true },
	} {
		p := dialsIn("tcp://192.0.2.2:10003")
		spoil(&p)
		var fields []string
		for _, e := range p.Check() {
			fields = append(fields, e.Field)
		}
		if strings.Join(fields, " ") != want {
			t.Errorf("faults at %q, want %q", fields, want)
		}
	}
	p := dialsIn("tcp://192.0.2.2:10003")
	for _, password := range []string{"", strings.Repeat("x", 17), "contraseña"} {
		if e := p.CheckPassword(gateway.Secret(password)); e == nil || e.Field != "password" {
			t.Errorf("the password %q gives %v", password, e)
		}
	}
	p.User = strings.Repeat("x", 17)
	if errs := p.Check(); len(errs) != 1 || errs[0].Field != "user" {
		t.Errorf("a long user gives %v", errs)
	}
}

func TestAGatewayIsOneHoweverItsURLIsWritten(t *testing.T) {
	web := func(url string) gateway.Provider {
		return gateway.Provider{Name: "web", Type: gateway.TypeDinstarWeb, URL: url}
	}
	push := web("http://192.0.2.20:80/")
	push.Type = gateway.TypeDinstarWebPush
	for _, c := range []struct {
		a, b   gateway.Provider
		shares bool
	}{
		{web("http://192.0.2.20"), push, true},
		{web("HTTPS://Rack.example:443/gw/"), web("https://rack.example/gw"), true},
		{web("http://192.0.2.20"), web("https://192.0.2.20"), true},
		{web("http://192.0.2.20/"), web("https://192.0.2.20:443"), true},
		{web("http://192.0.2.20:8080"), web("https://192.0.2.20:8443"), false},
		{web("http://proxy.example/one"), web("https://proxy.example/two"), false},
		{web("http://192.0.2.20"), web("http://192.0.2.21"), false},
		{web("http://192.0.2.20"), web("http://192.0.2.20:8080"), false},
		{dialsIn("tcp://:10003"), dialsIn("tcp://0.0.0.0:10003"), true},
		{dialsIn("tcp://:10003"), dialsIn("tcp://[::]:10003"), true},
		{dialsIn("tcp://:10003"), dialsIn("tcp://192.0.2.2:10003"), true},
		{dialsIn("tcp://192.0.2.2:10003"), dialsIn("tcp://192.0.2.2:10003"), true},
		{dialsIn("tcp://192.0.2.2:10003"), dialsIn("tcp://192.0.2.2:10004"), false},
		{dialsIn("tcp://192.0.2.2:10003"), dialsIn("tcp://192.0.2.3:10003"), false},
		{modem(), modem(), false},
	} {
		if a, b := c.a.Shares(&c.b), c.b.Shares(&c.a); a != c.shares || b != c.shares {
			t.Errorf("%q and %q share: %v, %v", c.a.URL, c.b.URL, a, b)
		}
	}
	if p := dialsIn("tcp://:10003"); p.Endpoint() != "tcp://*:10003" {
		t.Errorf("its endpoint is %q", p.Endpoint())
	}
}
