package serial

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// tryOnce sends a message as the dialer does: again while nothing went out, never after a
// doubt.
func (r *rig) tryOnce(ctx context.Context, t *testing.T, to string) error {
	s := submission(t, to, "Hola "+to)[0]
	for {
		_, err := r.d.Send(ctx, 3, s)
		switch gateway.KindOf(err) {
		case gateway.KindUnavailable, gateway.KindThrottled:
		default:
			return err
		}
		r.host.mu.Lock()
		changed, ready := r.host.changed, r.host.ch.State == gateway.ChannelReady
		r.host.mu.Unlock()
		if ready {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// garbleTimes are short: every tenth answer is lost.
var garbleTimes = Times{
	Command: 200 * time.Millisecond, Prompt: 200 * time.Millisecond, Submit: 250 * time.Millisecond, Probe: 150 * time.Millisecond,
	Quiet: 5 * time.Millisecond, Restless: 30 * time.Millisecond, Grace: 200 * time.Millisecond,
}

// One byte of a hundred is changed, lost or added on its way from the modem. Each message
// ends accepted and on the air once, or in doubt and on the air at most once; nothing is
// refused, no channel stays stuck, and on a good wire all work as before.
func TestGarbageOnTheLine(t *testing.T) {
	t.Parallel()
	const modems, each = 4, 75
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Minute, errors.New("a channel is stuck"))
	defer cancel()
	var rigs []*rig
	for i := range modems {
		r := newRigOn(t, sim.NetworkOptions{Seed: uint64(i + 1)}, func(o *Options, s *sim.Options) {
			s.Line.Garble = 0.01
			s.Card = sim.NewCard(sim.CardOptions{ICCID: fmt.Sprintf("895980700000000010%d", i), IMSI: "748070000000001", Number: "+59899000001"})
			o.Times, o.Every.Poll, o.Every.Sweep = garbleTimes, 200*time.Millisecond, 300*time.Millisecond
			o.Budget = Budget{Revivals: 1000}
		})
		r.run(t)
		rigs = append(rigs, r)
	}
	var all sync.WaitGroup
	doubts := make([]int, modems)
	for i, r := range rigs {
		all.Go(func() {
			outcome := map[string]error{}
			for n := range each {
				to := fmt.Sprintf("+598991%02d%03d", i, n)
				outcome[to] = r.tryOnce(ctx, t, to)
			}
			doubts[i] = r.judge(t, outcome)
		})
	}
	all.Wait()
	t.Logf("in doubt: %v of %d each", doubts, each)
	for i, r := range rigs {
		r.m.SetGarble(0)
		before := r.net.Len()
		if err := r.tryOnce(ctx, t, "+59899555555"); err != nil || r.net.Len() != before+1 {
			t.Errorf("modem %d on a good wire: %v, %d on the air", i, err, r.net.Len()-before)
		}
		r.host.until(t, "its own SIM", func() bool {
			return r.host.ch.State == gateway.ChannelReady && r.host.ch.ICCID == fmt.Sprintf("895980700000000010%d", i)
		})
	}
}

// judge holds outcomes against the ledger and gives how many are in doubt.
func (r *rig) judge(t *testing.T, outcome map[string]error) (doubts int) {
	air := map[string]int{}
	for _, e := range r.net.Entries() {
		air[e.To]++
	}
	for to, err := range outcome {
		switch kind := gateway.KindOf(err); {
		case err == nil && air[to] != 1:
			t.Errorf("%s was accepted, and is on the air %d times", to, air[to])
		case kind == gateway.KindUnknownOutcome:
			doubts++
			if air[to] > 1 {
				t.Errorf("%s is in doubt, and on the air %d times", to, air[to])
			}
		case err != nil:
			t.Errorf("%s: %v", to, err)
		}
	}
	return doubts
}

// What comes in over a bad wire comes in: a message that was torn is read again, and is
// deleted when it is stored.
func TestGarbageOnTheLineLosesNoInbound(t *testing.T) {
	t.Parallel()
	const n = 12
	r := newRigOn(t, sim.NetworkOptions{Seed: 7}, func(o *Options, s *sim.Options) {
		s.Line.Garble = 0.002
		o.Times, o.Every.Sweep = garbleTimes, 200*time.Millisecond
		o.Budget = Budget{Revivals: 1000}
	})
	r.run(t)
	for i := range n {
		if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: fmt.Sprintf("message %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	r.host.until(t, "every message", func() bool { return len(r.host.parts) >= n && r.m.Card().Stored() == 0 })
}
