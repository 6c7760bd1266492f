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

func mustSchedule(t testing.TB, windows ...string) gateway.Schedule {
	t.Helper()
	s, err := gateway.ParseSchedule(windows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPorts(t testing.TB, dial string) []int {
	t.Helper()
	p, err := gateway.ParseDialString(dial)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantInts(t testing.TB, what string, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// wantRounds checks that the ring was walked in order the first time, and wholly
// each time: channels that end at one instant are served in any order.
func wantRounds(t testing.TB, got []int, ring ...int) {
	t.Helper()
	for i := 0; i+len(ring) <= len(got); i += len(ring) {
		round := slices.Clone(got[i : i+len(ring)])
		if i > 0 {
			slices.Sort(round)
		}
		wantInts(t, "a round of the ring", round, ring)
	}
	if len(got)%len(ring) != 0 || len(got) == 0 {
		t.Errorf("%d sends are no whole rounds of %d", len(got), len(ring))
	}
}

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

func TestP46Vector3RingIsStrictAndSurvivesARestart(t *testing.T) {
	for dial, want := range map[string][]int{
		"(0.3)":   {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0.3":     {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0-3":     {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"0,1,2,3": {0, 1, 2, 3, 0, 1, 2, 3, 0, 1},
		"3":       {3, 3, 3, 3, 3, 3, 3, 3, 3, 3},
		"2,0,5":   {2, 0, 5, 2, 0, 5, 2, 0, 5, 2},
	} {
		t.Run(dial, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := aLane("d")
				l.Ports, l.Interval = mustPorts(t, dial), time.Second
				w := setup(t, newBank("bank", 8), l)
				w.addRows("d", 0, 6)
				w.start()
				pass(10 * time.Second)
				w.restart()
				w.addRows("d", 6, 10)
				pass(10 * time.Second)
				wantInts(t, "ports", ports(w.bank.sent()), want)
			})
		})
	}
}

func TestP46RingOfAllPortsWhenNothingIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		w.bank.script(takes(3 * time.Second))
		w.addRows("d", 0, 12)
		w.start()
		pass(time.Minute)
		wantRounds(t, ports(w.bank.sent()), 0, 1, 2, 3)
	})
}

func TestRingPassesOverPortsThatCannot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = time.Second
		w := setup(t, newBank("bank", 4), l)
		w.bank.down("bank/1", "unplugged")
		w.bank.Rest("bank/2", 6500*time.Millisecond, "tired")
		w.addRows("d", 0, 12)
		w.start()
		pass(4500 * time.Millisecond)
		w.bank.up("bank/1")
		pass(20 * time.Second)
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 3, 0, 3, 0, 1, 3, 0, 1, 2, 3, 0})
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
		w := setup(t, newBank("bank", 1), aLane("d"))
		counting := &countingQueue{Queue: w.store}
		w.o.Queue = counting
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 60)
		w.start()
		pass(1500 * time.Millisecond)
		before := counting.claims.Load()
		for n := range 20 {
			w.add(row("d", 60+n)) // equal priority, later entry
		}
		pass(10 * time.Second)
		if n := counting.claims.Load() - before; n != 0 {
			t.Errorf("%d claims while the buffer was full, want none", n)
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

func TestNumberIsInFlightOnceOverAllLanesAndChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("a"), aLane("b"))
		flying := map[gateway.Address]int{}
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			w.bank.mu.Lock()
			flying[c.sub.To]++
			if flying[c.sub.To] > 1 {
				t.Errorf("two messages to %s are in flight", c.sub.To)
			}
			w.bank.mu.Unlock()
			r, err := takes(time.Second)(ctx, c)
			w.bank.mu.Lock()
			flying[c.sub.To]--
			w.bank.mu.Unlock()
			return r, err
		})
		var same []gateway.Message
		for i := range 5 {
			for _, name := range []string{"a", "b"} {
				m := row(name, 7)
				m.Text = fmt.Sprint(name, i)
				same = append(same, m)
			}
		}
		w.addAll(same...)
		w.addRows("a", 100, 160)
		w.start()
		pass(2500 * time.Millisecond)
		others := slices.DeleteFunc(w.bank.sent(), func(c call) bool { return c.sub.To == number(7) })
		if len(others) < 8 {
			t.Errorf("%d messages to other numbers left meanwhile, want the free channels used", len(others))
		}
		pass(time.Minute)
		var order []string
		for _, c := range w.bank.sent() {
			if c.sub.To == number(7) && c.sub.Text[0] == 'a' {
				order = append(order, c.sub.Text)
			}
		}
		if !slices.Equal(order, []string{"a0", "a1", "a2", "a3", "a4"}) {
			t.Errorf("messages to one number left as %q", order)
		}
		if n := len(w.bank.sent()); n != 70 {
			t.Errorf("%d sent, want 70", n)
		}
	})
}

func TestManyRowsOfOneNumberDoNotFillTheBuffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("a"))
		w.bank.script(takes(time.Second))
		w.addAll(slices.Repeat([]gateway.Message{row("a", 7)}, 80)...)
		w.addRows("a", 100, 112)
		w.start()
		pass(3500 * time.Millisecond)
		n := 0
		for _, c := range w.bank.sent() {
			if c.sub.To != number(7) {
				n++
			}
		}
		if n != 12 {
			t.Errorf("%d of 12 messages to other numbers left in 4 s over 4 channels", n)
		}
		pass(2 * time.Minute)
		if n := len(w.bank.sent()); n != 92 {
			t.Errorf("%d sent, want 92", n)
		}
	})
}

func TestRequestedPortIsHonouredAndHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		w := setup(t, newBank("bank", 4), l)
		w.bank.script(takes(time.Second))
		w.bank.down("bank/3", "unplugged")
		var asked []gateway.Message
		for n := range 60 {
			m := row("d", n)
			m.Source = "3"
			if n%2 == 1 {
				m.Source = "bank/3"
			}
			asked = append(asked, m)
		}
		w.addAll(asked...)
		w.addRows("d", 100, 106)
		bad := row("d", 200)
		bad.Source = "attic"
		other := row("d", 201)
		other.Source = "rack/1"
		b, o := w.add(bad), w.add(other)
		d := w.start()
		pass(2500 * time.Millisecond)
		wantRounds(t, ports(w.bank.sent()), 0, 1, 2)
		w.expect(b, gateway.StatusInvalid)
		w.expect(o, gateway.StatusInvalid)
		if why := d.Explain(w.message(1)); len(why) != 1 || why[0] != "No channel can take it now: channel bank/3 is absent: unplugged." {
			t.Errorf("explained as %q", why)
		}
		w.bank.up("bank/3")
		pass(70 * time.Second)
		got := w.bank.sent()[6:]
		if len(got) != 60 {
			t.Errorf("%d sent after the port came back, want 60", len(got))
		}
		for _, c := range got {
			if c.id != "bank/3" {
				t.Errorf("%s went over %s", c.sub.Text, c.id)
			}
		}
	})
}

func TestEarlierRowsOfAPortGoBeforeLaterOnesOfTheRing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(takes(time.Second))
		var ms []gateway.Message
		for n := range 4 {
			m := row("d", n)
			m.Source = "0"
			ms = append(ms, m)
		}
		for n := range 10 {
			ms = append(ms, row("d", 10+n))
		}
		w.addAll(ms...)
		w.start()
		pass(5500 * time.Millisecond)
		over := slices.DeleteFunc(w.bank.sent(), func(c call) bool { return c.id != "bank/0" })
		if got := texts(over)[:4]; !slices.Equal(got, []string{"m0", "m1", "m2", "m3"}) {
			t.Errorf("over port 0 left %q first, want the earlier rows that asked for it", got)
		}
	})
}

func TestStoppedLaneOfAnotherProviderDoesNotUseOurChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank := newBank("bank", 1)
		bank.channels = append(bank.channels, newBank("rack", 1).channels...)
		l := aLane("d")
		l.Provider = "rack"
		w := setup(t, bank, l)
		w.addRows("d", 0, 5)
		w.start()
		pass(time.Second)
		for _, c := range w.bank.sent() {
			if c.id != "rack/0" {
				t.Errorf("P43: a message left by %s", c.id)
			}
		}
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d sent, want 5", n)
		}
	})
}
