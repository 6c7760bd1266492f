package api

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

func TestADeviceTellsHowItIs(t *testing.T) {
	r := newRig(t)
	var d client.Device
	r.json(call{method: "GET", path: "/api/v1/providers/modems/device"}, &d)
	if d.Serial != "da00" || d.Queue == nil || *d.Queue != 2 || d.CPU == nil || *d.CPU != 39 || *d.Flash != (client.Memory{Used: 1, Total: 2}) ||
		*d.Memory != (client.Memory{Used: 3, Total: 4}) || len(d.Ports) != 1 || d.Ports[0].ID != "modems/3" || !d.At.Equal(time.Unix(1000, 0)) {
		t.Errorf("got %+v", d)
	}
	if p := r.problem(call{method: "GET", path: "/api/v1/providers/other/device"}); p.Status != 404 {
		t.Errorf("a provider that is not there: %+v", p)
	}
	r.bank.err = gateway.Errorf(gateway.KindInvalid, "this driver cannot tell how its device is")
	if p := r.problem(call{method: "GET", path: "/api/v1/providers/modems/device"}); p.Status != 422 || !strings.Contains(p.Detail, "cannot tell") {
		t.Errorf("a driver that cannot: %+v", p)
	}
}

func TestCallsAreListedPageByPage(t *testing.T) {
	r := newRig(t)
	var seen []int
	path := "/api/v1/providers/modems/calls?limit=2&after=2030-01-01T00:00:00Z&before=2030-01-02T00:00:00Z&port=3"
	for cursor := ""; ; {
		var page client.Page[client.Call]
		r.json(call{method: "GET", path: path + "&cursor=" + cursor}, &page)
		for _, c := range page.Items {
			seen = append(seen, c.Port)
			if c.Seconds != 60 || c.Began == nil || c.Answered != nil {
				t.Errorf("got %+v", c)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 5 || seen[0] != 0 || seen[1] != 1 || seen[2] != 2 || seen[3] != 3 || seen[4] != 4 {
		t.Errorf("the calls are %v, want the newest first and each once", seen)
	}
	if q := r.bank.asked; q.Port != 3 || q.Before.Sub(q.After) != 24*time.Hour {
		t.Errorf("the device was asked for %+v", q)
	}
	r.json(call{method: "GET", path: "/api/v1/providers/modems/calls"}, nil)
	if q := r.bank.asked; q.Port != -1 || q.Before.Sub(q.After) != callSpan || q.Before.IsZero() {
		t.Errorf("where nobody says the device was asked for %+v", q)
	}
	if p := r.problem(call{method: "GET", path: "/api/v1/providers/modems/calls?after=2030-01-02T00:00:00Z&before=2030-01-01T00:00:00Z"}); p.Status != 422 {
		t.Errorf("a span that ends before it begins: %+v", p)
	}
}

func TestAPortIsControlledOnlyWhereItsProviderAllowsIt(t *testing.T) {
	r := newRig(t)
	token := r.token("providers")
	control := call{method: "POST", path: "/api/v1/channels/rack/0/control", token: token, body: `{"action":"power_off"}`}
	make := call{method: "POST", path: "/api/v1/providers", token: token,
		body: `{"name":"rack","type":"DinstarWeb","url":"http://192.0.2.20","user":"admin","password":"s3cret"}`}
	if p := r.problem(control); p.Status != 404 {
		t.Errorf("without a provider: %+v", p)
	}
	r.json(make, nil)
	if p := r.problem(control); p.Status != 403 || !strings.Contains(p.Detail, "port_control = true") || r.bank.did != "" {
		t.Errorf("without port_control: %+v, did %q", p, r.bank.did)
	}
	r.json(call{method: "PUT", path: "/api/v1/providers/rack", token: token,
		body: `{"name":"rack","type":"DinstarWeb","url":"http://192.0.2.20","user":"admin","port_control":true}`}, nil)
	r.json(control, nil)
	if r.bank.did != "rack/0 power_off " {
		t.Errorf("did %q", r.bank.did)
	}
	for _, body := range []string{`{"action":"imei","param":"490154203237518"}`, `{"action":"unlock","param":"1234"}`, `{}`} {
		control.body = body
		if p := r.problem(control); p.Status != 422 {
			t.Errorf("%s gives %+v, want 422", body, p)
		}
	}
	r.bank.err = gateway.Errorf(gateway.KindConflict, "a send is on its way")
	control.body = `{"action":"block"}`
	if p := r.problem(control); p.Status != 409 {
		t.Errorf("while a send is on its way: %+v", p)
	}
}
