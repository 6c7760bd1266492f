package dialer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestVector1LowerPriorityLeavesFirstAndCountersAgree(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const name = "AutomatedSMSDialer"
		l := aLane(name)
		l.Running = false
		w := setup(t, newBank("bank", 1), l)
		for _, r := range []struct {
			to   gateway.Address
			text string
			prio uint16
		}{{"+59891111111", "Hi World", 9999}, {"+59892222222", "Hi City", 8888}, {"+59893333333", "Hi People", 7777}} {
			w.add(gateway.Message{Campaign: name, To: r.to, Text: r.text, Priority: r.prio})
		}
		w.start()
		pass(time.Second)
		c, err := w.store.Counters(name)
		if err != nil || c.NotProcessed() != 3 || len(w.bank.sent()) != 0 {
			t.Fatalf("before the start: %d not processed, %d calls (%v)", c.NotProcessed(), len(w.bank.sent()), err)
		}
		w.defs.change(name, func(l *Lane) { l.Running = true })
		pass(time.Second)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"Hi People", "Hi City", "Hi World"}) {
			t.Errorf("on the air: %q", got)
		}
		if c, _ = w.store.Counters(name); c.NotProcessed() != 0 || c.Processed() != 3 || !c.Balanced() {
			t.Errorf("counters %+v, want 3 processed and none left", c)
		}
	})
}

func TestP56EqualPriorityLeavesInEntryOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.addRows("d", 0, 110)
		w.start()
		pass(time.Second)
		for i, text := range texts(w.bank.sent()) {
			if want := fmt.Sprint("m", i); text != want {
				t.Fatalf("place %d has %s, want %s", i, text, want)
			}
		}
		if n := len(w.bank.sent()); n != 110 {
			t.Errorf("%d sent, want 110", n)
		}
	})
}

func TestUrgentRowOvertakesTheBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 60)
		w.start()
		pass(2500 * time.Millisecond)
		m := row("d", 100)
		m.Priority, m.Text = gateway.PrioritySingle, "urgent"
		w.add(m)
		pass(2 * time.Second)
		got := texts(w.bank.sent())
		if at := slices.Index(got, "urgent"); at != 3 {
			t.Errorf("the urgent row left as number %d of %q, want right after the one in flight", at, got)
		}
		pass(2 * time.Minute)
		got = slices.DeleteFunc(texts(w.bank.sent()), func(s string) bool { return s == "urgent" })
		for i, text := range got {
			if want := fmt.Sprint("m", i); text != want {
				t.Fatalf("place %d has %s, want %s", i, text, want)
			}
		}
	})
}

func TestRowsBehindTheTailDoNotDisturbTheBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Ports = []int{0} // the other port of the provider is free
		w := setup(t, newBank("bank", 2), l)
		counting := &countingQueue{Queue: w.store}
		w.o.Queue = counting
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 40)
		w.start()
		pass(1500 * time.Millisecond)
		before := counting.claims.Load()
		for n := range 20 {
			w.add(row("d", 60+n)) // equal priority, later entry, and there is room
		}
		pass(10 * time.Second)
		if n := counting.claims.Load() - before; n != 0 {
			t.Errorf("%d claims while the first rows only waited for their channel, want none", n)
		}
	})
}

func TestP54AtMostBatchRowsAreInMemory(t *testing.T) {
	for _, batch := range []int{0, 7, 1} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				want := batch
				if want == 0 {
					want = gateway.MaxBatch
				}
				l := aLane("d")
				l.Batch = batch
				w := setup(t, newBank("bank", 4), l)
				w.addRows("d", 0, 70)
				d := w.start()
				var most atomic.Int64
				w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
					d.mu.Lock()
					l := d.lanes["d"]
					held := int64(len(l.buf) + l.flying + l.dropping)
					d.mu.Unlock()
					for old := most.Load(); held > old && !most.CompareAndSwap(old, held); old = most.Load() {
					}
					return takes(time.Second)(ctx, c)
				})
				pass(5 * time.Second)
				claimed := 0
				for idm := range uint64(71) {
					if d.Claimed(idm) {
						claimed++
					}
				}
				if n := int(most.Load()); n > want || claimed > want || n == 0 {
					t.Errorf("%d rows in memory at most, %d claimed; want at most %d", n, claimed, want)
				}
				pass(2 * time.Minute)
				if n := len(w.bank.sent()); n != 70 {
					t.Errorf("%d sent, want all 70", n)
				}
			})
		})
	}
}

func TestP55OnlyQueuedRowsAreTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		held, blocked := row("d", 1), row("d", 2)
		held.Status, blocked.Status = gateway.StatusHeld, gateway.StatusBlocked
		h, b := w.add(held), w.add(blocked)
		q := w.add(row("d", 3))
		w.start()
		pass(time.Second)
		w.expect(h, gateway.StatusHeld)
		w.expect(b, gateway.StatusBlocked)
		w.expect(q, gateway.StatusSent)
		if n := len(w.bank.sent()); n != 1 {
			t.Errorf("%d calls, want one", n)
		}
	})
}

func TestLanesShareChannelsFairly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 3), aLane("a"), aLane("b"), aLane("c"))
		w.bank.script(takes(time.Second))
		for i, name := range []string{"a", "b", "c"} {
			w.addRows(name, i*1000, i*1000+100)
		}
		w.start()
		pass(29500 * time.Millisecond)
		n := map[string]int{}
		for _, c := range w.bank.sent() {
			n[w.message(c.sub.IDM).Campaign]++
		}
		for _, name := range []string{"a", "b", "c"} {
			if n[name] < 29 || n[name] > 31 {
				t.Errorf("lanes got %v, want 30 each", n)
			}
		}
	})
}

func TestLaneOfTheMoreUrgentRowGoesFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("bulk"), aLane("single"))
		w.bank.script(takes(time.Second))
		w.addRows("bulk", 0, 20)
		w.start()
		pass(3500 * time.Millisecond)
		for n := range 3 {
			m := row("single", 100+n)
			m.Priority, m.Text = gateway.PrioritySingle, "single"
			w.add(m)
		}
		pass(4 * time.Second)
		if got := texts(w.bank.sent())[4:7]; !slices.Equal(got, []string{"single", "single", "single"}) {
			t.Errorf("after the urgent rows came, %q left", got)
		}
	})
}
