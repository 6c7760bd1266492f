package sim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

// incoming sends a message to a port's card.
func (r *dinstarRig) incoming(port int, text string) {
	r.t.Helper()
	in := sim.Incoming{From: "+59899000009", To: r.box.Card(port).ICCID(), Text: text, Ref: 7}
	if err := r.net.Deliver(in); err != nil {
		r.t.Fatal(err)
	}
}

func TestDinstarReadsUnreadOnce(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	r.incoming(0, "uno")
	r.incoming(1, strings.Repeat("largo y ", 40))
	o := r.get("query_incoming_sms", "flag", "all")
	in := rows(o, "sms")
	if len(in) != 2 || in[0]["text"] != "uno" || in[1]["text"] != strings.Repeat("largo y ", 40) || in[1]["port"] != 1.0 || o["unread"] != 2.0 {
		t.Fatalf("the inbox is %v", o)
	}
	if in[0]["number"] != "+59899000009" || in[0]["smsc"] != "+59899000000" || in[0]["imsi"] == nil {
		t.Errorf("the message is %v", in[0])
	}
	if o := r.get("query_incoming_sms", "port", "1"); len(rows(o, "sms")) != 1 || o["read"] != 1.0 || o["unread"] != 1.0 {
		t.Errorf("the unread of port 1 are %v", o)
	}
	if o := r.get("query_incoming_sms"); len(rows(o, "sms")) != 1 {
		t.Errorf("the rest of the unread are %v", o)
	}
	if o := r.get("query_incoming_sms"); len(rows(o, "sms")) != 0 || o["read"] != 2.0 {
		t.Errorf("unread messages come twice: %v", o)
	}
	if o := r.get("query_incoming_sms", "flag", "read", "incoming_sms_id", "1"); len(rows(o, "sms")) != 1 {
		t.Errorf("the read ones behind 1 are %v", o)
	}
	r.wantCode(r.get("query_incoming_sms", "flag", "some"), 400)
}

func TestDinstarInboxComesInPages(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	const all = 120
	for i := range all {
		r.incoming(0, "mensaje "+strconv.Itoa(i))
	}
	mark, pages := 0, 0
	for {
		_, data, err := r.call(r.request(http.MethodGet, "query_incoming_sms"+query("flag", "all", "incoming_sms_id", strconv.Itoa(mark)), nil))
		if err != nil {
			t.Fatal(err)
		}
		var o object
		if err := json.Unmarshal(data, &o); err != nil || len(data) > 8<<10+256 {
			t.Fatalf("a page has %d bytes: %v", len(data), err)
		}
		in := rows(o, "sms")
		if len(in) == 0 {
			break
		}
		for _, m := range in {
			if mark++; m["incoming_sms_id"] != float64(mark) {
				t.Fatalf("id %v comes behind %d", m["incoming_sms_id"], mark-1)
			}
		}
		pages++
	}
	if mark != all || pages < 2 {
		t.Errorf("%d messages in %d pages", mark, pages)
	}
}

func TestDinstarTakesWhatWaitedForAPort(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	for _, reg := range []sim.DinstarReg{sim.DinstarSearching, sim.DinstarUnregister, sim.DinstarPowerOff, sim.DinstarNoSIM} {
		if err := r.box.SetPort(0, reg); err != nil {
			t.Fatal(err)
		}
		if info := rows(r.get("get_port_info", "info_type", "reg"), "info"); info[0]["reg"] != string(reg) {
			t.Errorf("the port is %v, want %s", info, reg)
		}
		r.wantCode(r.post("send_sms", oneSMS(1, "099000001", "x")), 550)
	}
	r.incoming(0, "paciencia")
	if r.box.Inbox() != 0 {
		t.Fatal("a port without network received")
	}
	if err := r.box.SetPort(0, ""); err != nil {
		t.Fatal(err)
	}
	if r.box.Inbox() != 1 {
		t.Error("the message that waited never came")
	}
	if err := r.box.SetPort(1, ""); err == nil {
		t.Error("there is a port 1")
	}
}

func TestDinstarMessagesToItsOwnNumbersComeIn(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	r.send(1, r.box.Card(1).Number(), "de un puerto a otro", 0)
	r.result(1, "DELIVERED")
	for end := time.Now().Add(safety); r.box.Inbox() == 0; {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
	}
	if in := rows(r.get("query_incoming_sms"), "sms"); in[0]["number"] != r.box.Card(0).Number() || in[0]["port"] != 1.0 {
		t.Errorf("it came as %v", in)
	}
}

// listener is the other end of the pushes.
type listener struct {
	*httptest.Server
	events chan object
}

func listen(t *testing.T) *listener {
	l := &listener{events: make(chan object, 64)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var o object
		if err == nil {
			err = json.Unmarshal(data, &o)
		}
		if err != nil {
			t.Errorf("a push is %q: %v", data, err)
		}
		l.events <- o
	}))
	t.Cleanup(l.Close)
	return l
}

// next gives the next event of a kind, and passes over the others.
func (l *listener) next(t *testing.T, kind string) object {
	t.Helper()
	for {
		select {
		case o := <-l.events:
			if v, has := o[kind]; has {
				if list, ok := v.([]any); ok {
					return list[0].(object)
				}
				return v.(object)
			}
		case <-time.After(safety):
			t.Fatalf("no push of %s came", kind)
		}
	}
}

func TestDinstarPushesEachKindOfEvent(t *testing.T) {
	l := listen(t)
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Push: l.URL + "/secret"}, sim.NetworkOptions{
		USSD: map[string]sim.USSD{"*222#": {Text: "Saldo: $U 120"}},
	})
	if o := l.next(t, "device"); o["status"] != "power_on" || o["port_number"] != 1.0 {
		t.Errorf("the device is %v", o)
	}
	if o := l.next(t, "register"); o["status"] != "up" || o["iccid"] != r.box.Card(0).ICCID() {
		t.Errorf("the port is %v", o)
	}
	r.send(1, "+59899000001", "x")
	if o := l.next(t, "sms_result"); o["status"] != "SENT_OK" || o["user_id"] != nil || o["number"] != "+59899000001" {
		t.Errorf("the result is %v", o)
	}
	if o := l.next(t, "sms_deliver_status"); o["status_code"] != 0.0 {
		t.Errorf("the report is %v", o)
	}
	r.incoming(0, "hola")
	if o := l.next(t, "sms"); o["text"] != "hola" || o["incoming_sms_id"] != 1.0 {
		t.Errorf("the message is %v", o)
	}
	r.wantCode(r.post("send_ussd", object{"text": "*222#", "port": []int{0}}), 202)
	if o := l.next(t, "ussd"); o["text"] != "Saldo: $U 120" {
		t.Errorf("the answer is %v", o)
	}
	if err := r.box.SetPort(0, sim.DinstarSearching); err != nil {
		t.Fatal(err)
	}
	if o := l.next(t, "register"); o["status"] != "down" || o["imsi"] != "<NULL>" {
		t.Errorf("the port is %v", o)
	}
}

func TestDinstarPushesTwiceAndOutOfOrder(t *testing.T) {
	l := listen(t)
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Push: l.URL}, sim.NetworkOptions{})
	r.box.HoldPushes()
	r.box.PushTwice(true)
	r.incoming(0, "uno")
	r.incoming(0, "dos")
	r.box.ReleasePushes()
	for _, want := range []string{"dos", "dos", "uno", "uno"} {
		if o := l.next(t, "sms"); o["text"] != want {
			t.Errorf("the push is %v, want %s", o, want)
		}
	}
}
