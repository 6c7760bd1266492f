package sim_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"fieldpost/modem/sim"
)

// What a gateway accepted goes out once, whether its caller heard of it or not,
// however many call at the same time.
func TestDinstarSendsEachAcceptedMessageOnce(t *testing.T) {
	const callers, each = 8, 15
	r := openDinstar(t, sim.DinstarOptions{
		Ports: 8, Latency: 200 * time.Microsecond, Jitter: 0.5,
		Faults: []sim.DinstarFault{{Path: "send_sms", Every: 3, Do: sim.AcceptAndDrop}},
	}, sim.NetworkOptions{Seed: 7})
	var wg sync.WaitGroup
	var lost sync.Map
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				id := c*each + i + 1
				req := r.request(http.MethodPost, "send_sms", oneSMS(id, fmt.Sprintf("+59899%06d", id), "una vez"))
				if _, _, err := r.call(req); err != nil {
					lost.Store(id, true)
				}
			}
		})
	}
	wg.Wait()
	dropped := 0
	lost.Range(func(any, any) bool { dropped++; return true })
	if dropped != callers*each/3 {
		t.Errorf("%d answers were lost of %d, want a third", dropped, callers*each)
	}
	r.onAir(callers * each)
	for copied, n := range r.net.Copies() {
		if n != 1 {
			t.Errorf("%s got it %d times", copied.To, n)
		}
	}
	for id := 1; id <= callers*each; id++ {
		r.result(id, "DELIVERED")
	}
}

func TestDinstarSIMMovesToAnotherPort(t *testing.T) {
	r := openDinstar(t, sim.DinstarOptions{Ports: 2}, sim.NetworkOptions{})
	moved := r.box.Card(0)
	r.send(1, "+59899000001", "x", 0)
	r.result(1, "DELIVERED")
	for port, card := range []*sim.Card{nil, moved} {
		if err := r.box.Insert(port, card); err != nil {
			t.Fatal(err)
		}
	}
	info := rows(r.get("get_port_info", "port", "0,1", "info_type", "reg,iccid"), "info")
	if info[0]["reg"] != "NO_SIM" || info[1]["iccid"] != moved.ICCID() {
		t.Errorf("the ports are %v", info)
	}
	r.send(2, "+59899000001", "y")
	r.result(2, "DELIVERED")
	es := r.onAir(2)
	if es[1].SIM != moved.ICCID() || es[1].MR != es[0].MR+1 {
		t.Errorf("TP-MR %d of %s follows %d", es[1].MR, es[1].SIM, es[0].MR)
	}
	in := sim.Incoming{From: "+59899000009", To: moved.ICCID(), Text: "hola"}
	if err := r.net.Deliver(in); err != nil {
		t.Fatal(err)
	}
	if got := rows(r.get("query_incoming_sms"), "sms"); len(got) != 1 || got[0]["port"] != 1.0 {
		t.Errorf("the message came as %v", got)
	}
	if err := r.box.Insert(2, nil); err == nil {
		t.Error("there is a port 2")
	}
}
