package sim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

func TestDinstarAcceptsAndDrops(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Faults: []sim.DinstarFault{{Path: "send_sms", At: 1, Do: sim.AcceptAndDrop}}}, sim.NetworkOptions{})
	if res, _, err := r.call(r.request(http.MethodPost, "send_sms", oneSMS(7, "+59899000001", "una vez"))); err == nil {
		t.Fatalf("the answer came: %s", res.Status)
	}
	r.result(7, "DELIVERED")
	if n := r.net.Len(); n != 1 {
		t.Errorf("%d segments are on the air, want 1", n)
	}
}

func TestDinstarDropsBeforeItAccepts(t *testing.T) {
	hit := make(chan struct{})
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	r.wantCode(r.get("query_sms_in_queue"), 200)
	r.box.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.DropBefore, Hit: hit})
	if res, _, err := r.call(r.request(http.MethodPost, "send_sms", oneSMS(7, "+59899000001", "nunca"))); err == nil {
		t.Fatalf("the answer came: %s", res.Status)
	}
	<-hit
	if all := r.results(7); len(all) != 0 {
		t.Errorf("the gateway took the message: %v", all)
	}
}

func TestDinstarAnswersBadly(t *testing.T) {
	done := "done" // the message went out in spite of the answer
	for name, c := range map[string]struct {
		do    sim.DinstarDeed
		code  int
		check func(t *testing.T, res *http.Response, data []byte, err error)
		done  string
	}{
		"html": {sim.AnswerHTML, 0, func(t *testing.T, res *http.Response, data []byte, _ error) {
			if res.StatusCode != 200 || !strings.Contains(string(data), "<html>") {
				t.Errorf("it is %s %q", res.Status, data)
			}
		}, done},
		"half": {sim.HalfJSON, 0, func(t *testing.T, _ *http.Response, data []byte, err error) {
			if err != nil || json.Valid(data) || data[0] != '{' {
				t.Errorf("it is %q %v", data, err)
			}
		}, done},
		"cut": {sim.CutBody, 0, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			if err == nil {
				t.Error("the body is whole")
			}
		}, done},
		"types": {sim.WrongTypes, 0, func(t *testing.T, _ *http.Response, data []byte, _ error) {
			if !strings.Contains(string(data), `"error_code":"`) || !json.Valid(data) {
				t.Errorf("it is %q", data)
			}
		}, done},
		"huge": {sim.HugeBody, 0, func(t *testing.T, _ *http.Response, data []byte, _ error) {
			if len(data) != 10<<20 {
				t.Errorf("it has %d bytes", len(data))
			}
		}, done},
		"slow": {sim.SlowBody, 0, func(t *testing.T, _ *http.Response, data []byte, err error) {
			if err != nil || !json.Valid(data) {
				t.Errorf("it is %q %v", data, err)
			}
		}, done},
		"late": {sim.LateAnswer, 0, func(t *testing.T, _ *http.Response, data []byte, err error) {
			if err != nil || !json.Valid(data) {
				t.Errorf("it is %q %v", data, err)
			}
		}, done},
		"code": {sim.AnswerCode, 550, func(t *testing.T, res *http.Response, data []byte, _ error) {
			if res.StatusCode != 200 || !strings.Contains(string(data), `"error_code":550`) {
				t.Errorf("it is %s %q", res.Status, data)
			}
		}, ""},
		"status": {sim.AnswerStatus, 413, func(t *testing.T, res *http.Response, _ []byte, _ error) {
			if res.StatusCode != 413 {
				t.Errorf("it is %s", res.Status)
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
			r.box.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: c.do, Code: c.code, Delay: time.Millisecond})
			req := r.request(http.MethodPost, "send_sms", oneSMS(3, "+59899000001", "x"))
			res, data, err := r.call(req)
			c.check(t, res, data, err)
			if c.done != "" {
				r.result(3, "DELIVERED")
			} else if all := r.results(3); len(all) != 0 {
				t.Errorf("the gateway took the message: %v", all)
			}
		})
	}
}

func TestDinstarWithAnAnswerUnderWayCloses(t *testing.T) {
	hit := make(chan struct{})
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	r.box.Inject(sim.DinstarFault{At: 1, Do: sim.LateAnswer, Until: make(chan struct{}), Hit: hit})
	ended := make(chan error)
	req := r.request(http.MethodGet, "query_sms_in_queue", nil)
	go func() {
		_, _, err := r.call(req)
		ended <- err
	}()
	<-hit
	if err := r.box.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the answer came")
	}
}

func TestDinstarFaultsByChanceComeFromTheSeed(t *testing.T) {
	pattern := func(seed uint64) string {
		r := openDinstar(t, sim.DinstarOptions{Ports: 1, Faults: []sim.DinstarFault{
			{Path: "query_sms_in_queue", Chance: 0.5, Do: sim.AnswerCode, Code: 500},
		}}, sim.NetworkOptions{Seed: seed})
		var b strings.Builder
		for range 20 {
			if r.get("query_sms_in_queue")["error_code"] == 500.0 {
				b.WriteByte('x')
			} else {
				b.WriteByte('.')
			}
		}
		return b.String()
	}
	one := pattern(1)
	if again := pattern(1); again != one || !strings.Contains(one, "x") || !strings.Contains(one, ".") {
		t.Errorf("seed 1 gives %s, then %s", one, again)
	}
	if other := pattern(2); other == one {
		t.Errorf("seed 2 gives %s as well", other)
	}
}

func TestDinstarNetworkRefusesMessages(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	r.box.Refuse(sim.DinstarRefusal{Port: 0, Times: 1})
	r.box.Refuse(sim.DinstarRefusal{Port: -1, Number: "+59899000002", After: 1, Times: 1})
	r.send(1, "+59899000001", "x", 0)
	r.send(2, "+59899000002", strings.Repeat("a", 200), 1)
	if row := r.result(1, "FAILED"); row["succ_count"] != 0.0 {
		t.Errorf("the refused message is %v", row)
	}
	if row := r.result(2, "FAILED"); row["succ_count"] != 1.0 || row["count"] != 2.0 {
		t.Errorf("the half refused message is %v", row)
	}
	r.send(3, "+59899000001", "x", 0)
	r.result(3, "DELIVERED")
	if n := r.net.Len(); n != 2 {
		t.Errorf("%d segments are on the air, want 2", n)
	}
}

func TestDinstarRebootLosesTheQueueAndStartsIDsAgain(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, sim.NetworkOptions{})
	r.send(1, "+59899000001", "x")
	r.send(2, "+59899000001", "y")
	if err := r.net.Deliver(sim.Incoming{From: "+59899000009", To: r.box.Card(0).ICCID(), Text: "STOP"}); err != nil {
		t.Fatal(err)
	}
	if n := r.get("query_sms_in_queue")["in_queue"]; n != 2.0 {
		t.Fatalf("%v are in the queue", n)
	}
	r.box.Reboot()
	if n := r.get("query_sms_in_queue")["in_queue"]; n != 0.0 {
		t.Errorf("%v are in the queue after the reboot", n)
	}
	if all := r.results(1, 2); len(all) != 0 {
		t.Errorf("the results outlived the reboot: %v", all)
	}
	if o := r.get("query_incoming_sms", "flag", "all"); len(rows(o, "sms")) != 0 {
		t.Errorf("the inbox outlived the reboot: %v", o)
	}
	if o := r.post("send_sms", oneSMS(3, "+59899000001", "z")); o["task_id"] != 1.0 {
		t.Errorf("the task after the reboot is %v", o)
	}
	if err := r.net.Deliver(sim.Incoming{From: "+59899000009", To: r.box.Card(0).ICCID(), Text: "hola"}); err != nil {
		t.Fatal(err)
	}
	if in := rows(r.get("query_incoming_sms", "flag", "all"), "sms"); len(in) != 1 || in[0]["incoming_sms_id"] != 1.0 {
		t.Errorf("the inbox after the reboot is %v", in)
	}
	if r.net.Len() != 0 {
		t.Error("what a reboot lost is on the air")
	}
}

func TestDinstarBeyondReachWhileItBoots(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Boot: 10 * time.Millisecond}, sim.NetworkOptions{})
	r.wantCode(r.get("query_sms_in_queue"), 200)
	r.box.Reboot()
	if err := r.net.Deliver(sim.Incoming{From: "+59899000009", To: r.box.Card(0).ICCID(), Text: "espera"}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(safety); r.box.Inbox() == 0; {
		if time.Now().After(end) {
			t.Fatal("the message that waited in the network never came")
		}
	}
	r.wantCode(r.get("query_sms_in_queue"), 200)
}

func TestDinstarNetworkRefusesAShareOfTheMessages(t *testing.T) {
	const all = 40
	outcome := func() (pattern string) {
		r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{Seed: 3})
		r.box.Refuse(sim.DinstarRefusal{Port: -1, Chance: 0.3})
		for i := range all {
			r.send(i+1, "+59899000001", "x")
			for end := time.Now().Add(safety); ; {
				status := r.results(i + 1)[0]["status"]
				if status == "FAILED" || status == "DELIVERED" {
					pattern += status.(string)[:1]
					break
				}
				if time.Now().After(end) {
					t.Fatalf("message %d is still %v", i+1, status)
				}
			}
		}
		return pattern
	}
	one := outcome()
	if n := strings.Count(one, "F"); n < 4 || n > 20 {
		t.Errorf("%d of %d are refused at a chance of 0.3: %s", n, all, one)
	}
	if again := outcome(); again != one {
		t.Errorf("the same seed gives %s, then %s", one, again)
	}
}
