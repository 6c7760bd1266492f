package dinstar

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

func TestTheGatewayTellsHowItIs(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, nil)
	r.ready(0)
	r.crowdIn(0, 2)
	c, err := r.driver.Inspect(t.Context())
	must(t, err)
	want := modem.Condition{
		At: c.At, Serial: "da00-0000-0000-0001", Queue: 2, Queued: true, CPU: 39,
		Flash: modem.Store{Used: 17428 << 10, Total: 27648 << 10}, Memory: modem.Store{Used: 50520 << 10, Total: 109448 << 10},
	}
	if c != want || c.At.IsZero() {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if last, ok := r.driver.Condition(); !ok || last.CPU != 39 {
		t.Errorf("the last condition is %+v, %v", last, ok)
	}
}

func TestAFirmwareThatDoesNotKnowARequestIsNotLockedOut(t *testing.T) { // T4
	queueless, asked := false, 0
	d, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		if queueless && strings.HasSuffix(r.URL.Path, "query_sms_in_queue") || strings.HasSuffix(r.URL.Path, "get_status") || strings.HasSuffix(r.URL.Path, "get_cdr") {
			asked++
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"error_code":200,"in_queue":3}`)
	})
	s := newSite(d, nil)
	d.site.Store(s)
	if c, err := d.Inspect(t.Context()); err != nil || c.Queue != 3 || c.Memory.Total != 0 {
		t.Errorf("where only the queue is told: %+v, %v", c, err)
	}
	queueless = true
	if _, err := d.Inspect(t.Context()); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("get_status gives %v, want not_found", err)
	}
	if _, err := d.Calls(t.Context(), modem.CallQuery{Port: modem.AnyPort}); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("get_cdr gives %v, want not_found", err)
	}
	before := asked
	for range 5 {
		s.status(t.Context())
		s.countQueue(t.Context())
	}
	if asked-before > 4 { // each two times: T8
		t.Errorf("it is asked %d times for what it does not know", asked-before)
	}
	if _, err := d.api.get(t.Context(), "query_ussd_reply", nil); err != nil {
		t.Errorf("then another request gives %v", err)
	}
}

func TestCallsAreListedByOurClock(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 2, Firmware: sim.DinstarFirmware{Clock: 5 * time.Hour}}, func(o *Options) { o.Zone = time.UTC })
	r.ready(0)
	r.ready(1)
	_, err := r.send(0, 1, "so that the clock is known")
	must(t, err)
	now := time.Now().Truncate(time.Second)
	for i := range 4 {
		began := now.Add(5*time.Hour - time.Duration(i)*time.Hour).In(time.Local)
		r.gateway.Call(sim.DinstarCall{
			Port: i % 2, Start: began.Format(time.DateTime), Answer: began.Add(3 * time.Second).Format(time.DateTime), Duration: 60,
			Source: "1001", Destination: "099000009", Direction: "ip->gsm", Hangup: "called", GSMCode: 16,
		})
	}
	calls, err := r.driver.Calls(t.Context(), modem.CallQuery{Port: 1, After: now.Add(-90 * time.Minute), Before: now.Add(time.Minute)})
	must(t, err)
	if len(calls) != 1 {
		t.Fatalf("got %+v, want the call of an hour ago", calls)
	}
	c := calls[0]
	if c.Port != 1 || c.Began.Sub(now.Add(-time.Hour)).Abs() > 5*time.Second || c.Answered.Sub(c.Began) != 3*time.Second ||
		c.Duration != time.Minute || c.From != "1001" || c.To != "099000009" || c.Direction != "ip->gsm" || c.Hangup != "called" || c.Code != 16 {
		t.Errorf("got %+v", c)
	}
}

func TestAPortIsControlledUnlessSomethingIsOnItsWay(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: 300 * time.Millisecond}, nil)
	r.ready(0)
	control := func(c modem.Control, param string) error { return r.driver.Control(t.Context(), 0, c, param) }
	state := func(want gateway.ChannelState, why string) {
		t.Helper()
		r.until(why, func() bool { return r.ch[0].State == want && strings.Contains(r.ch[0].Reason, why) })
	}
	must(t, control(modem.ControlPowerOff, ""))
	state(gateway.ChannelFault, "switched off")
	must(t, control(modem.ControlPowerOn, ""))
	r.ready(0)
	must(t, control(modem.ControlBlock, ""))
	state(gateway.ChannelFault, "blocked")
	if _, err := r.send(0, 1, "no"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a send over a blocked port gives %v", err)
	}
	must(t, control(modem.ControlUnblock, ""))
	r.ready(0)
	if !slices.ContainsFunc(r.states, func(c gateway.Channel) bool { return strings.Contains(c.Reason, "power_off was asked for") }) {
		t.Error("nobody was told of what was done")
	}
	began := make(chan struct{})
	r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Hit: began})
	done := make(chan error, 1)
	go func() {
		_, err := r.send(0, 2, "on its way")
		done <- err
	}()
	<-began
	for _, err := range []error{control(modem.ControlPowerOff, ""), r.driver.Reset(t.Context(), 0)} {
		if gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("while a send is on its way: %v, want conflict", err)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("the send gives %v", err)
	}
}

func TestWhatMayLockACardOrIsUnlawfulIsNoControl(t *testing.T) {
	asked := false
	d, _ := wire(t, func(http.ResponseWriter, *http.Request) { asked = true })
	s := newSite(d, nil)
	d.site.Store(s)
	s.ports[0] = &port{}
	for _, c := range []struct {
		control modem.Control
		param   string
	}{{"imei", "490154203237518"}, {"lock", "1234"}, {"unlock", "1234"}, {"", ""}, {"reset", "1"}, {modem.ControlSlot, "4"}, {modem.ControlPowerOff, "1"}} {
		if err := d.Control(t.Context(), 0, c.control, c.param); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%s %q gives %v, want invalid", c.control, c.param, err)
		}
	}
	if asked {
		t.Error("the gateway was asked")
	}
}

func TestT4T5EachRequestGoesByItsMethodAndNamesWhatItWants(t *testing.T) {
	methods := map[string]string{
		"send_sms": "POST", "query_sms_result": "POST", "query_sms_deliver_status": "POST", "send_ussd": "POST", "get_cdr": "POST",
		"get_status": "POST", "query_sms_in_queue": "GET", "stop_sms": "GET", "query_incoming_sms": "GET", "query_ussd_reply": "GET",
		"get_port_info": "GET", "set_port_info": "GET",
	}
	seen := map[string]bool{}
	d, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		verb := strings.TrimPrefix(r.URL.Path, "/api/")
		seen[verb] = true
		if r.Method != methods[verb] {
			t.Errorf("%s %s, want %s", r.Method, verb, methods[verb])
		}
		if verb == "get_port_info" && r.URL.Query().Get("info_type") == "" {
			t.Error("get_port_info without info_type")
		}
		if body, _ := io.ReadAll(r.Body); verb == "get_status" && string(body) != "[\"performance\"]\n" {
			t.Errorf("get_status with %q, want a bare list", body)
		}
		fmt.Fprint(w, `{"error_code":202,"task_id":5,"sms":[{"incoming_sms_id":9}],"reply":[{"port":0,"text":"20"}],"info":[{"port":0,"reg":"REGISTER_OK"}]}`)
	})
	r := &rig{TB: t, ch: map[int]gateway.Channel{}, changed: make(chan struct{})}
	s := newSite(d, r)
	defer s.end()
	ctx := t.Context()
	must(t, s.discover(ctx))
	for _, c := range s.chores {
		c.do(ctx)
	}
	d.site.Store(s)
	s.o.Times.Fate = time.Millisecond
	_, _ = d.Send(ctx, 0, modem.Submission{UserID: 1, To: "+59899123456", Text: "x"})
	_, _ = d.USSD(ctx, 0, "*100#")
	_, _ = d.Calls(ctx, modem.CallQuery{Port: modem.AnyPort})
	must(t, d.Reset(ctx, 0))
	for verb := range methods {
		if !seen[verb] {
			t.Errorf("%s was not asked", verb)
		}
	}
}

func TestT6AWordThatAnUpgradeTookAwayIsLeftOut(t *testing.T) {
	refused := ""
	d, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		if refused != "" && slices.Contains(strings.Split(r.URL.Query().Get("info_type"), ","), refused) {
			fmt.Fprint(w, `{"error_code":400}`)
			return
		}
		fmt.Fprint(w, `{"error_code":200,"info":[{"port":0,"reg":"REGISTER_OK"}]}`)
	})
	r := &rig{TB: t, ch: map[int]gateway.Channel{}, changed: make(chan struct{})}
	s := newSite(d, r)
	defer s.end()
	must(t, s.discover(t.Context()))
	refused = "iccid"
	s.look(t.Context())
	if r.ch[0].State != gateway.ChannelReady || slices.Contains(s.words, "iccid") {
		t.Errorf("the port is %s %q, with the words %v", r.ch[0].State, r.ch[0].Reason, s.words)
	}
}
