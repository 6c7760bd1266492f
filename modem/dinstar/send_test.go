package dinstar

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

func TestALostAnswerIsAskedForAndNothingGoesTwice(t *testing.T) {
	for name, do := range map[string]sim.DinstarDeed{
		"dropped": sim.AcceptAndDrop, "html": sim.AnswerHTML, "half": sim.HalfJSON, "cut": sim.CutBody, "huge": sim.HugeBody,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: 20 * time.Millisecond}, nil)
			r.ready(0)
			for i := range 6 {
				if i%3 == 2 {
					r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: do})
				}
				text := fmt.Sprintf("row %d", i)
				if _, err := r.send(0, uint32(i+1), text); err != nil || r.copies(text) != 1 {
					t.Errorf("row %d gives %v, with %d copies on the air", i, err, r.copies(text))
				}
			}
		})
	}
}

func TestAnAnswerThatTheGatewayForgotLeavesTheMessageInDoubt(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, nil)
	r.ready(0)
	asked := make(chan struct{})
	r.gateway.Inject(sim.DinstarFault{Path: "query_sms_result", At: 2, Do: sim.DropBefore, Hit: asked})
	done := make(chan error, 1)
	go func() {
		_, err := r.send(0, 1, "lost with the queue")
		done <- err
	}()
	<-asked
	r.gateway.Reboot()
	if err := <-done; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("got %v, want unknown_outcome", err)
	}
}

func TestAMomentWithoutAResultIsNoDenial(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Firmware: sim.DinstarFirmware{Unseen: 5}}, nil)
	r.ready(0)
	if _, err := r.send(0, 1, "seen late"); err != nil {
		t.Error(err)
	}
}

func TestAMessageThatIsPartlyOutIsNotRefused(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.gateway.Refuse(sim.DinstarRefusal{Port: 0, After: 2, Times: 1})
	_, err := r.send(0, 1, strings.Repeat("ñandú 🚀 ", 25))
	if gateway.KindOf(err) != gateway.KindUnknownOutcome || !strings.Contains(fmt.Sprint(err), "2 of 4 segments went out") {
		t.Errorf("got %v", err)
	}
}

func TestARefusalWithoutANetworkIsForNow(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: 50 * time.Millisecond}, func(o *Options) { o.Every.Ports = time.Hour })
	r.ready(0)
	must(t, r.gateway.SetPort(0, sim.DinstarSearching))
	r.gateway.Refuse(sim.DinstarRefusal{Port: 0, Times: 1})
	if _, err := r.send(0, 1, "no network"); gateway.KindOf(err) != gateway.KindUnavailable || r.copies("no network") != 0 {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestThePlaceholderIsAWordLikeAnyOther(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	const words = "Write #param# where the name goes"
	if _, err := r.send(0, 1, words); err != nil || r.copies(words) != 1 {
		t.Errorf("got %v; on the air: %v", err, r.net.Copies())
	}
}

func TestWhatTheGatewayCannotCarryNeverReachesIt(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	for _, m := range []modem.Submission{
		{UserID: 1, To: "+59899123456", Text: "x", Flash: true},
		{UserID: 1, To: "+59899123456", Text: strings.Repeat("x", maxText+1)},
	} {
		if _, err := r.driver.Send(t.Context(), 0, m); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("got %v, want invalid", err)
		}
	}
	if _, err := r.send(0, 1<<31, "x"); gateway.KindOf(err) != gateway.KindInternal {
		t.Errorf("a user id of 2^31 gives %v", err)
	}
	if r.net.Len() != 0 {
		t.Error("something is on the air")
	}
}

func TestTheQueueOfTheGatewayHoldsOneMessageAPort(t *testing.T) {
	const ports, rows = 8, 80
	r := newRig(t, sim.DinstarOptions{Ports: ports, Latency: 5 * time.Millisecond, Firmware: sim.DinstarFirmware{Queue: ports}}, nil)
	var wg sync.WaitGroup
	for p := range ports {
		r.ready(p)
		wg.Go(func() {
			for i := range rows / ports {
				id := uint32(p*rows + i + 1)
				if _, err := r.send(p, id, fmt.Sprint("row ", id)); err != nil {
					t.Errorf("port %d: %v", p, err)
				}
			}
		})
	}
	wg.Wait()
	for c, n := range r.net.Copies() {
		if n != 1 {
			t.Errorf("%d copies of %q", n, c.Text)
		}
	}
	if n := r.net.Len(); n != rows {
		t.Errorf("%d on the air, want %d", n, rows)
	}
	for iccid, n := range r.net.PerSIM() {
		if n != rows/ports {
			t.Errorf("%d over %s, want %d: a message goes over the port that was asked for", n, iccid, rows/ports)
		}
	}
}

func TestAnIDThatAnotherProgramUsedIsNotOurs(t *testing.T) {
	w := &awaited{userID: 7, port: 1, to: "+59899123456"}
	rows := []result{
		{UserID: num{7, true}, Port: num{1, true}, Number: "+59899000000", Status: "SENT_OK"},
		{UserID: num{7, true}, Port: num{2, true}, Number: "+59899123456", Status: "SENT_OK"},
	}
	if got, found := w.pick(rows); found {
		t.Errorf("took %+v", got)
	}
	rows = append(rows, result{UserID: num{7, true}, Port: num{1, true}, Number: "099123456", Status: "FAILED"})
	if got, found := w.pick(rows); !found || got.Status != "FAILED" {
		t.Errorf("got %+v, %v", got, found)
	}
}

func TestAnOutcomeThatWasToldIsNotAskedForAgain(t *testing.T) {
	d, _ := wire(t, func(http.ResponseWriter, *http.Request) {})
	s := newSite(d, nil)
	s.ports[0] = &port{channel: gateway.Channel{State: gateway.ChannelReady}}
	w, err := s.begin(0, modem.Submission{UserID: 5, To: "+59899123456"})
	must(t, err)
	if _, some := s.outcomesDue(); some {
		t.Error("it is asked for before it was handed over")
	}
	s.await(w, num{}, nil)
	if _, some := s.outcomesDue(); !some {
		t.Error("it is not asked for")
	}
	s.judge([]uint32{5}, []result{{UserID: num{5, true}, Status: "SENT_OK", Ref: num{42, true}}})
	if v := <-w.told; v.fate != fateSent || v.err != nil {
		t.Errorf("told %+v", v)
	}
	if _, some := s.outcomesDue(); some || len(s.posted()) != 0 { // its Send has not returned yet
		t.Error("it is asked for again")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
