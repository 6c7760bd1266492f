package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway"
)

func modem() gateway.Provider {
	return gateway.Provider{Name: "bank", Type: gateway.TypeGSM,
		Ports: []gateway.Port{{Port: 0, Device: "/dev/ttyUSB0"}, {Port: 1, IMEI: "860000000000001"}}}
}

func TestProviderCheckNamesTheField(t *testing.T) {
	p := modem()
	if errs := p.Check(); len(errs) != 0 {
		t.Fatalf("a sound provider is refused: %v", errs)
	}
	for field, spoil := range map[string]func(*gateway.Provider){
		"name":           func(p *gateway.Provider) { p.Name = "a b" },
		"type":           func(p *gateway.Provider) { p.Type = "gsm" },
		"pattern":        func(p *gateway.Provider) { p.Pattern = "a)(b" },
		"rate":           func(p *gateway.Provider) { p.Rate = -1 },
		"url":            func(p *gateway.Provider) { p.URL = "http://192.0.2.1" },
		"user":           func(p *gateway.Provider) { p.User = "admin" },
		"sender":         func(p *gateway.Provider) { p.Sender = "shop" },
		"port":           func(p *gateway.Provider) { p.Ports = nil },
		"port[1].port":   func(p *gateway.Provider) { p.Ports[1].Port = 32 },
		"port[1].imei":   func(p *gateway.Provider) { p.Ports[1].IMEI = "12" },
		"port[0].device": func(p *gateway.Provider) { p.Ports[0].Device = "COM1" },
		"port[0].baud":   func(p *gateway.Provider) { p.Ports[0].Baud = 7 },
		"port[0].pin":    func(p *gateway.Provider) { p.Ports[0].PIN = "12a4" },
		"port[0].smsc":   func(p *gateway.Provider) { p.Ports[0].SMSC = "099" },
	} {
		p := modem()
		spoil(&p)
		errs := p.Check()
		if len(errs) != 1 || errs[0].Field != field || errs[0].Kind != gateway.KindInvalid {
			t.Errorf("%s: got %v", field, errs)
		}
	}
}

func TestProviderCheckRefusesOnePortTwice(t *testing.T) {
	p := modem()
	p.Ports = append(p.Ports, p.Ports...)
	var fields []string
	for _, e := range p.Check() {
		fields = append(fields, e.Field)
	}
	if want := []string{"port[2].port", "port[2].device", "port[3].port", "port[3].imei"}; !slices.Equal(fields, want) {
		t.Errorf("faults at %v, want %v", fields, want)
	}
}

func TestP3EveryProductTypeIsKnownAndOnlyThoseWithADriverAreUsable(t *testing.T) {
	for _, name := range []string{"GSM", "DinstarWeb", "DinstarWebPush", "Dinstar", "Quality", "GMG", "Nexmo", "InfoBip",
		"SMSMasivo", "URLSMS", "URLSMSAuth", "URLPOSTSMS", "URLPOSTSMSAuth", "Twilio", "WhatsAppCloud"} {
		if tp, ok := gateway.LookupProviderType(name); !ok || tp.Usable != slices.Contains([]string{gateway.TypeGSM, gateway.TypeDinstarWeb, gateway.TypeDinstarWebPush, gateway.TypeDinstar}, name) {
			t.Errorf("%s is %+v, %v", name, tp, ok)
		}
	}
	p := gateway.Provider{Name: "cloud", Type: "Twilio", URL: "https://example.com"}
	if errs := p.Check(); len(errs) != 1 || !strings.Contains(errs[0].Text, "no driver for Twilio providers yet") {
		t.Errorf("got %v", errs)
	}
}

func TestP3AGatewayNeedsAnAddressThatNamesNoPassword(t *testing.T) {
	for url, want := range map[string]string{
		"http://192.0.2.20": "", "https://rack.example:8443/gw": "", "": "is missing", "192.0.2.20": "must be the address",
		"ftp://192.0.2.20": "must be the address", "http://admin:admin@192.0.2.20": "no password", "http://192.0.2.20/?x=1": "must end",
	} {
		p := gateway.Provider{Name: "rack", Type: gateway.TypeDinstarWeb, URL: url}
		errs := p.Check()
		if want == "" && len(errs) == 0 {
			continue
		}
		if len(errs) != 1 || errs[0].Field != "url" || want == "" || !strings.Contains(errs[0].Text, want) {
			t.Errorf("%q gives %v, want %q", url, errs, want)
		}
	}
}

func TestP47P48CloudsNeedNoDialString(t *testing.T) {
	for name, want := range map[string]bool{"GSM": true, "DinstarWeb": true, "Dinstar": true, "Quality": false, "Twilio": false, "None": false} {
		if p := (gateway.Provider{Type: name}); p.NeedsDialString() != want {
			t.Errorf("%s needs a dial string: %v", name, !want)
		}
	}
}
