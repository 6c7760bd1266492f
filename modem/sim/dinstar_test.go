package sim_test

import (
	"slices"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

func TestDinstarSendsAndTellsTheResult(t *testing.T) {
	for _, auth := range []sim.DinstarAuth{sim.DinstarDigest, sim.DinstarBasic} {
		t.Run(string(auth), func(t *testing.T) {
			r := openDinstar(t, sim.DinstarOptions{Ports: 2, Auth: auth}, sim.NetworkOptions{})
			o := r.post("send_sms", oneSMS(10001, "+59899000001", "Hola", 1))
			r.wantCode(o, 202)
			if o["sn"] != r.box.Serial() || o["sms_in_queue"] != 1.0 || o["task_id"] != 1.0 {
				t.Errorf("the answer is %v", o)
			}
			row := r.result(10001, "DELIVERED")
			e := r.onAir(1)[0]
			if e.To != "+59899000001" || e.Text != "Hola" || e.SIM != r.box.Card(1).ICCID() || !e.Report {
				t.Errorf("on the air is %+v", e)
			}
			if row["port"] != 1.0 || row["count"] != 1.0 || row["succ_count"] != 1.0 || row["ref_id"] != float64(e.MR) {
				t.Errorf("the result is %v", row)
			}
			if n := r.get("query_sms_in_queue")["in_queue"]; n != 0.0 {
				t.Errorf("%v are in the queue", n)
			}
		})
	}
}

func TestDinstarFillsParametersAndSpreadsOverPorts(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 3}, sim.NetworkOptions{})
	o := r.post("send_sms", object{
		"text": "#param# y #param#", "port": []int{0, 2}, "encoding": "unicode", "request_status_report": false,
		"param": []object{
			{"number": "+59899000001", "text_param": []string{"uno", "dos"}, "user_id": 1},
			{"number": "+59899000002", "text_param": []string{"tres"}, "user_id": 2},
		},
	})
	r.wantCode(o, 202)
	es := r.onAir(2)
	slices.SortFunc(es, func(a, b sim.Entry) int { return int(a.To[len(a.To)-1]) - int(b.To[len(b.To)-1]) })
	if es[0].Text != "uno y dos" || es[1].Text != "tres y #param#" || es[0].DCS != 8 || es[0].Report {
		t.Errorf("on the air is %+v", es)
	}
	if es[0].SIM != r.box.Card(0).ICCID() || es[1].SIM != r.box.Card(2).ICCID() {
		t.Error("the ports did not take turns")
	}
	r.result(2, "SENT_OK")
}

func TestDinstarTellsItsPorts(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 3, Cards: []*sim.Card{
		sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", IMSI: "748070000000001", Number: "+59899000009"}),
		nil,
		sim.NewCard(sim.CardOptions{ICCID: "8959807000000000003", PIN: "1234"}),
	}}, sim.NetworkOptions{})
	o := r.get("get_port_info", "port", "0,1,2", "info_type", "imei,imsi,iccid,number,reg,signal")
	r.wantCode(o, 200)
	info := rows(o, "info")
	if len(info) != 3 || info[0]["reg"] != "REGISTER_OK" || info[0]["imsi"] != "748070000000001" || info[0]["signal"] != 23.0 {
		t.Errorf("port 0 is %v", info)
	}
	if info[1]["reg"] != "NO_SIM" || info[1]["signal"] != 99.0 || info[1]["iccid"] != "" {
		t.Errorf("port 1 is %v", info[1])
	}
	if info[2]["reg"] != "PIN_REQUIRE" || info[2]["iccid"] != "8959807000000000003" {
		t.Errorf("port 2 is %v", info[2])
	}
	r.wantCode(r.post("send_sms", oneSMS(1, "099000001", "x", 1, 2)), 550)
	r.wantCode(r.get("set_port_info", "port", "2", "action", "unlock", "param", "1234"), 200)
	r.send(2, "099000001", "x", 2)
	r.result(2, "DELIVERED")
}

func TestDinstarSendsPerPortOneAtATime(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 1, Latency: 20 * time.Millisecond}, sim.NetworkOptions{})
	for i := range 3 {
		r.send(i+1, "+59899000001", "uno")
	}
	es := r.onAir(3)
	for i := 1; i < len(es); i++ {
		if es[i].At.Sub(es[i-1].At) < 20*time.Millisecond {
			t.Errorf("segment %d came %s after the one before", i, es[i].At.Sub(es[i-1].At))
		}
		if es[i].MR != es[i-1].MR+1 {
			t.Errorf("TP-MR %d follows %d", es[i].MR, es[i-1].MR)
		}
	}
}
