package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

func TestDinstarLimitsOfASend(t *testing.T) {
	many := func(n int) []object {
		var all []object
		for i := range n {
			all = append(all, object{"number": fmt.Sprintf("0990%05d", i), "user_id": i})
		}
		return all
	}
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{Recipients: 32, Queue: 40, StatusCode: true}, Latency: time.Hour}, sim.NetworkOptions{})
	for _, c := range []struct {
		name string
		body object
		code int
	}{
		{"no text", object{"param": many(1)}, 400},
		{"no recipient", object{"text": "x"}, 400},
		{"33 recipients", object{"text": "x", "param": many(33)}, 413},
		{"1501 bytes", object{"text": strings.Repeat("a", 1501), "param": many(1)}, 413},
		{"a long number", object{"text": "x", "param": []object{{"number": strings.Repeat("9", 25)}}}, 400},
		{"a word for a number", object{"text": "x", "param": []object{{"number": "banco"}}}, 400},
		{"a word for an id", object{"text": "x", "param": []object{{"number": "099", "user_id": "a"}}}, 400},
		{"no such port", object{"text": "x", "port": []int{9}, "param": many(1)}, 550},
		{"32 recipients", object{"text": "x", "param": many(32)}, 202},
		{"more than the queue holds", object{"text": "x", "param": many(9)}, 500},
	} {
		req := r.request(http.MethodPost, "send_sms", c.body)
		res, data, err := r.call(req)
		want := c.code
		if want == 202 {
			want = 200
		}
		if err != nil || res.StatusCode != want || !strings.Contains(string(data), fmt.Sprintf(`"error_code":%d`, c.code)) {
			t.Errorf("%s: %v %q %v, want %d", c.name, res, data, err, c.code)
		}
	}
}

func TestDinstarFindsNoResultRightAfterItAccepted(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{Unseen: 2}}, sim.NetworkOptions{})
	r.send(1, "+59899000001", "x")
	for i := range 2 {
		if all := r.results(1); len(all) != 0 {
			t.Errorf("query %d finds %v", i+1, all)
		}
	}
	if all := r.results(1); len(all) != 1 {
		t.Errorf("query 3 finds %v", all)
	}
}

func TestDinstarFiltersResultsAndReports(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 45, 1, 0, time.UTC)
	r := openDinstar(t, sim.DinstarOptions{Ports: 2, Firmware: sim.DinstarFirmware{Clock: time.Hour}}, sim.NetworkOptions{Now: func() time.Time { return now }})
	r.send(1, "+59899000001", "x", 0)
	r.send(2, "+59899000002", strings.Repeat("y", 200), 1)
	r.result(1, "DELIVERED")
	if row := r.result(2, "DELIVERED"); row["time"] != "2026-11-22 15:45:01" || row["count"] != 2.0 {
		t.Errorf("the result is %v", row)
	}
	for _, c := range []struct {
		filter           object
		results, reports int
	}{
		{object{}, 2, 3},
		{object{"port": []int{0}}, 1, 1},
		{object{"number": []string{"+59899000002"}}, 1, 2},
		{object{"time_after": "2026-11-22 15:45:01", "time_before": "2026-11-22 15:45:01"}, 2, 3},
		{object{"time_after": "2026-11-22 15:45:02"}, 0, 0},
		{object{"time_before": "2026-11-22 15:45:00"}, 0, 0},
	} {
		results := rows(r.post("query_sms_result", c.filter), "result")
		reports := rows(r.post("query_sms_deliver_status", c.filter), "result")
		if len(results) != c.results || len(reports) != c.reports {
			t.Errorf("%v finds %d results and %d reports, want %d and %d", c.filter, len(results), len(reports), c.results, c.reports)
		}
	}
	r.wantCode(r.post("query_sms_result", object{"time_after": "yesterday"}), 400)
	r.wantCode(r.post("query_sms_result", object{"user_id": make([]int, 33)}), 400)
}

func TestDinstarReportOfAnUndeliveredMessage(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{Reports: sim.Reports{Status: 0x45, Early: true}})
	r.send(1, "+59899000001", "x")
	row := r.result(1, "SENT_OK")
	reports := rows(r.post("query_sms_deliver_status", object{"number": []string{"+59899000001"}}), "result")
	if len(reports) != 1 || reports[0]["status_code"] != 69.0 || reports[0]["ref_id"] != row["ref_id"] || reports[0]["user_id"] != nil {
		t.Errorf("the reports are %v", reports)
	}
}

func TestDinstarStopsWhatWaits(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, sim.NetworkOptions{})
	r.send(1, "+59899000001", "first")
	r.send(2, "+59899000001", "second")
	r.wantCode(r.get("stop_sms", "task_id", "2"), 200)
	if all := r.results(2); len(all) != 1 || all[0]["status"] != "Canceled" {
		t.Errorf("the stopped message is %v", all)
	}
	r.wantCode(r.get("stop_sms", "task_id", "2"), 404)
	r.wantCode(r.get("stop_sms", "task_id", "1"), 404) // it is on its way already
	r.wantCode(r.get("stop_sms", "task_id", "x"), 400)
	if n := r.get("query_sms_in_queue")["in_queue"]; n != 1.0 {
		t.Errorf("%v are in the queue", n)
	}
}

func TestDinstarUSSDWithADialogue(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2, Cards: []*sim.Card{sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001"}), nil}}, sim.NetworkOptions{
		USSD: map[string]sim.USSD{"*222#": {Text: "1 Saldo", Next: map[string]sim.USSD{"1": {Text: "$U 120"}}}},
	})
	status := func(o object) float64 { return rows(o, "result")[0]["status"].(float64) }
	reply := func(want string) {
		t.Helper()
		var got any
		for end := time.Now().Add(safety); time.Now().Before(end); {
			if got = rows(r.get("query_ussd_reply", "port", "0"), "reply")[0]["text"]; got == want {
				return
			}
		}
		t.Fatalf("the reply is %q, want %q", got, want)
	}
	if got := rows(r.get("query_ussd_reply", "port", "0"), "reply")[0]["text"]; got != " " {
		t.Errorf("before any question the reply is %q", got)
	}
	o := r.post("send_ussd", object{"text": "*222#", "port": []int{0}, "command": "send"})
	r.wantCode(o, 202)
	if status(o) != 200 {
		t.Errorf("the answer is %v", o)
	}
	reply("1 Saldo")
	r.post("send_ussd", object{"text": "1", "port": []int{0}})
	reply("$U 120")
	if o := r.post("send_ussd", object{"text": "*222#", "port": []int{1}}); status(o) != 503 {
		t.Errorf("a port without SIM answers %v", o)
	}
	r.wantCode(r.post("send_ussd", object{"text": strings.Repeat("1", 61), "port": []int{0}}), 400)
}

func TestDinstarUSSDOfABusyPort(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, sim.NetworkOptions{})
	ask := func(command string) any {
		return rows(r.post("send_ussd", object{"text": "*222#", "port": []int{0}, "command": command}), "result")[0]["status"]
	}
	for i, c := range []struct {
		command string
		want    float64
	}{{"send", 200}, {"send", 486}, {"cancel", 200}, {"send", 200}} {
		if got := ask(c.command); got != c.want {
			t.Errorf("step %d: %s gives %v, want %v", i, c.command, got, c.want)
		}
	}
}

func TestDinstarPortActions(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2, Latency: time.Hour}, sim.NetworkOptions{})
	act := func(code int, pairs ...string) {
		t.Helper()
		r.wantCode(r.get("set_port_info", append([]string{"port", "0"}, pairs...)...), code)
	}
	r.send(1, "+59899000001", "x", 0)
	act(400, "action", "reset")
	act(200, "action", "reset", "param", "1")
	r.result(1, "FAILED")
	act(200, "action", "power", "param", "off")
	info := func(word string) any {
		return rows(r.get("get_port_info", "port", "0", "info_type", word), "info")[0][word]
	}
	if info("reg") != "POWER_OFF" {
		t.Errorf("the port is %v", info("reg"))
	}
	act(200, "action", "power", "param", "on")
	act(200, "action", "block")
	r.wantCode(r.post("send_sms", oneSMS(2, "099000001", "x", 0)), 550)
	act(200, "action", "unblock")
	act(200, "action", "number", "param", "099000009")
	act(200, "action", "imei", "param", "860000000000017")
	if info("number") != "099000009" || info("imei") != "860000000000017" {
		t.Errorf("the port is %v %v", info("number"), info("imei"))
	}
	act(200, "action", "CallForward", "param", "Busy", "number", "099000001")
	if f, _ := info("CallForward").(object); f["Busy"] != "099000001" {
		t.Errorf("calls are forwarded to %v", info("CallForward"))
	}
	act(400, "action", "explode")
	r.wantCode(r.get("set_port_info", "action", "reset", "param", "1"), 400)
}

func TestDinstarTellsCallsAndLoad(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1}, sim.NetworkOptions{})
	r.box.Call(sim.DinstarCall{Port: 0, Start: "2026-11-22 10:00:00", Duration: 12, Direction: "ip->gsm"})
	for after, want := range map[string]int{"2026-11-22 00:00:00": 1, "2026-11-22 10:00:01": 0} {
		if got := rows(r.post("get_cdr", object{"port": []int{0}, "time_after": after}), "cdr"); len(got) != want {
			t.Errorf("after %s there are %v", after, got)
		}
	}
	o := r.post("get_status", []string{"performance"})
	if p, _ := o["performance"].(object); p["cpu_used"] != "39" || o["error_code"] != nil {
		t.Errorf("the status is %v", o)
	}
}

func TestDinstarOptionsNameTheirFault(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{})
	for want, o := range map[string]sim.DinstarOptions{
		"network":  {Password: "x"},
		"password": {Network: n},
		"ports":    {Network: n, Password: "x", Ports: 33},
		"cards":    {Network: n, Password: "x", Ports: 1, Cards: make([]*sim.Card, 2)},
		"jitter":   {Network: n, Password: "x", Jitter: 2},
		"auth":     {Network: n, Password: "x", Auth: "ntlm"},
		"listen":   {Network: n, Password: "x", Listen: "127.0.0.1:-1"},
	} {
		d, err := sim.OpenDinstar(o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if d != nil {
			_ = d.Close()
		}
	}
}

func TestDinstarsShareANetwork(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{})
	defer n.Close()
	seen := map[string]bool{}
	for i := range 2 {
		d, err := sim.OpenDinstar(sim.DinstarOptions{Network: n, Password: "x", Ports: 2, First: 2001 + 2*i})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for port := range d.Ports() {
			if seen[d.Card(port).ICCID()] {
				t.Errorf("the SIM %s is there twice", d.Card(port).ICCID())
			}
			seen[d.Card(port).ICCID()] = true
		}
	}
}
