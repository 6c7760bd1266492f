package dinstar

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// crowdIn has somebody else put n messages into the queue of a port.
func (r *rig) crowdIn(port, n int) {
	r.Helper()
	b := submission{Text: "from somebody else", Ports: []int{port}, Encoding: "unicode"}
	for i := range n {
		b.To = append(b.To, recipient{Number: fmt.Sprint("+5989900", 1000+i), UserID: uint32(1_000_000 + i)})
	}
	_, err := r.driver.api.post(r.Context(), time.Second, "send_sms", b)
	must(r.TB, err)
}

func (r *rig) resting(port int, why string) {
	r.Helper()
	r.until("a port that rests: "+why, func() bool {
		return r.ch[port].State == gateway.ChannelResting && strings.Contains(r.ch[port].Reason, why)
	})
}

func TestPortsRestWhileOthersFillTheQueueAndComeBack(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 2, Latency: 10 * time.Millisecond}, nil)
	r.ready(0)
	r.ready(1)
	r.crowdIn(1, 40)
	r.resting(0, "messages of others in its queue")
	r.resting(1, "messages of others in its queue")
	if _, err := r.send(0, 1, "waits here"); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(fmt.Sprint(err), "of others") {
		t.Errorf("a send gives %v, want unavailable with the reason", err)
	}
	if n := r.copies("waits here"); n != 0 {
		t.Errorf("%d copies are on the air", n)
	}
	r.ready(0)
	r.ready(1)
	if _, err := r.send(0, 2, "goes now"); err != nil {
		t.Error(err)
	}
}

func TestTheQueueOfAFormerRunIsAskedForBeforeAnythingIsSent(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: time.Hour}, nil)
	r.ready(0)
	r.crowdIn(0, 9)
	o := r.driver.o
	r.stop()
	r.change(func() { clear(r.ch); r.states = nil })
	r.run(o)
	r.resting(0, "9 messages of others")
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.states {
		if c.State == gateway.ChannelReady {
			t.Fatal("the port was ready before the queue was known")
		}
	}
}

func TestOwnMessagesAreNoCrowd(t *testing.T) {
	const ports = 6
	r := newRig(t, sim.DinstarOptions{Ports: ports, Latency: 20 * time.Millisecond}, nil)
	r.mu.Lock()
	r.states = nil
	r.mu.Unlock()
	var done []chan error
	for p := range ports {
		r.ready(p)
		done = append(done, make(chan error, 1))
		go func() {
			var err error
			for i := range 8 {
				if _, e := r.send(p, uint32(p*8+i+1), fmt.Sprint("row ", p, i)); e != nil {
					err = e
				}
			}
			done[p] <- err
		}()
	}
	for p := range ports {
		if err := <-done[p]; err != nil {
			t.Errorf("port %d: %v", p, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.states {
		if c.State == gateway.ChannelResting {
			t.Errorf("port %d rested: %s", c.Port, c.Reason)
		}
	}
}

func TestAQueueThatDoesNotMoveIsLeftBehind(t *testing.T) {
	var c crowd
	now := time.Now()
	for i, x := range []struct {
		others int64
		after  time.Duration
		full   bool
	}{
		{4, 0, false}, {5, 0, true}, {3, 0, true}, {2, 0, false}, // two ports: 2 x 2 and 1 x 2
		{40, 0, true}, {40, 9 * time.Minute, true}, {40, time.Minute, false}, // 40 will never move
		{43, 0, false}, {45, 0, true}, {30, 0, false}, {35, 0, true}, {0, 0, false}, {5, 0, true},
	} {
		now = now.Add(x.after)
		c.see(x.others, 2, now)
		if c.full != x.full {
			t.Fatalf("step %d: with %d messages of others full is %v", i, x.others, c.full)
		}
	}
}

func TestTheReasonDoesNotChangeWithEachMessage(t *testing.T) {
	var c crowd
	changes := 0
	for n := int64(100); n >= 0; n-- {
		if c.see(n, 1, time.Now()) {
			changes++
		}
	}
	if changes > 8 {
		t.Errorf("100 messages less make %d changes", changes)
	}
}

func TestASendThatIsGivenUpIsTakenOutOfTheQueue(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1, Latency: 400 * time.Millisecond}, nil)
	r.ready(0)
	r.crowdIn(0, 1) // is on its way when ours comes
	ctx, cancel := context.WithCancel(t.Context())
	posted := make(chan struct{})
	r.gateway.Inject(sim.DinstarFault{Path: "query_sms_result", At: 1, Do: sim.DropBefore, Hit: posted})
	done := make(chan error, 1)
	go func() {
		_, err := r.driver.Send(ctx, 0, modem.Submission{UserID: 7, To: "+59899123456", Text: "given up", Segments: 1})
		done <- err
	}()
	<-posted
	cancel()
	if err := <-done; gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v, want unavailable: the gateway gave it back", err)
	}
	r.ready(0)
	if _, err := r.send(0, 8, "after it"); err != nil || r.copies("given up") != 0 {
		t.Errorf("got %v, and %d copies of what was given up", err, r.copies("given up"))
	}
}

func TestEachErrorCodeOfASendHasItsKind(t *testing.T) {
	for code, want := range map[int]gateway.Kind{
		400: gateway.KindInvalid, 413: gateway.KindInvalid, 500: gateway.KindUnavailable, 550: gateway.KindUnavailable,
		777: gateway.KindUnknownOutcome, // says nothing, and the gateway does not know it either
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
			r.ready(0)
			r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.AnswerCode, Code: code})
			if _, err := r.send(0, 1, "no"); gateway.KindOf(err) != want || r.copies("no") != 0 {
				t.Errorf("got %v, want %v", err, want)
			}
			r.ready(0) // also after a 550: the next look finds it usable
			if _, err := r.send(0, 2, "yes"); err != nil || r.copies("yes") != 1 {
				t.Errorf("the port does not go on: %v", err)
			}
		})
	}
}

func TestAPortThatIsNotUsableRestsUntilItIsLookedAt(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, func(o *Options) { o.Every.Ports = time.Hour })
	r.ready(0)
	r.gateway.Inject(sim.DinstarFault{Path: "send_sms", At: 1, Do: sim.AnswerCode, Code: 550})
	if _, err := r.send(0, 1, "no"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	r.resting(0, "not usable")
}
