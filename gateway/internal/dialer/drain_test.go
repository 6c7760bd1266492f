package dialer

import (
	"context"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestDrainLearnsOutcomesAndOpensNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		ids := w.addRows("d", 0, 20)
		idm := w.add(long("d", 99, 3))
		d := w.start()
		pass(time.Second)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Drain(short); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "4 sends") {
			t.Errorf("a drain that is too short: %v", err)
		}
		if err := d.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(w.bank.sent()); n != 4 {
			t.Errorf("%d sends, want the 4 that were out", n)
		}
		for i, id := range ids {
			want := gateway.StatusQueued
			if i < 4 {
				want = gateway.StatusSent
			}
			w.expect(id, want)
		}
		w.expect(idm, gateway.StatusQueued)
	})
}

func TestDrainBreaksALongMessageOffAndARestartFinishesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 3), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		idm := w.addAll(long("d", 1, 3))[0]
		d := w.start()
		pass(time.Second)
		if err := d.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := w.expect(idm, gateway.StatusQueued); len(w.bank.sent()) != 1 || m.Parts[0].Status != gateway.StatusSent {
			t.Errorf("after the drain %d segments were sent, parts %+v", len(w.bank.sent()), m.Parts)
		}
		w.restart()
		pass(10 * time.Second)
		w.expect(idm, gateway.StatusSent)
		var segments []int
		for _, c := range w.bank.sent() {
			segments = append(segments, c.sub.Segment)
			if c.id != "bank/0" || c.sub.Ref != uint16(idm) {
				t.Errorf("segment %d went over %s with ref %d", c.sub.Segment, c.id, c.sub.Ref)
			}
		}
		wantInts(t, "segments", segments, []int{1, 2, 3})
	})
}

func TestStopWithoutDrainRecordsTheDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Hour))
		ids := w.addRows("d", 0, 4)
		w.start()
		pass(time.Second)
		w.stop()
		w.expect(ids[0], gateway.StatusUnknown)
		w.expect(ids[1], gateway.StatusUnknown)
		w.expect(ids[2], gateway.StatusQueued)
	})
}

func TestAStopIsNotTheLastTryOfAMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.script(func(ctx context.Context, _ call) (modem.Receipt, error) {
			<-ctx.Done()
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "told to stop before it began")
		})
		w := setup(t, bank, aLane("a"))
		w.o.Attempts = 1
		id := w.add(row("a", 1))
		w.start()
		pass(time.Second)
		w.stop()
		w.expect(id, gateway.StatusQueued)
	})
}
