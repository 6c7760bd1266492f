package dialer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// crowd queues n rows to one number.
func (w *world) crowd(campaign string, n int, to gateway.Address) {
	w.t.Helper()
	var ms []gateway.Message
	for i := range n {
		m := row(campaign, 0)
		m.To, m.Text = to, fmt.Sprint("crowd ", i)
		if ms = append(ms, m); len(ms) == 1000 || i == n-1 {
			w.addAll(ms...)
			ms = nil
		}
	}
}

// slowTo makes an answer that takes long for one number and no time for the others.
func slowTo(to gateway.Address, d time.Duration) func(context.Context, call) (modem.Receipt, error) {
	slow := takes(d)
	return func(ctx context.Context, c call) (modem.Receipt, error) {
		if c.sub.To == to {
			return slow(ctx, c)
		}
		return modem.Receipt{}, nil
	}
}

func TestThousandsOfRowsOfABusyNumberHideNoOther(t *testing.T) {
	for name, each := range map[string]time.Duration{"that stays busy": time.Hour, "that comes free again and again": 40 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := setup(t, newBank("bank", 2), aLane("d"))
				w.bank.script(slowTo(number(0), each))
				w.crowd("d", 5000, number(0))
				other := w.add(row("d", 1))
				w.start()
				pass(time.Second)
				w.expect(other, gateway.StatusSent)

				late := w.add(row("d", 2))
				pass(time.Second)
				w.expect(late, gateway.StatusSent)
				urgent := row("d", 3)
				urgent.Priority = gateway.PrioritySingle
				id := w.add(urgent)
				pass(100 * time.Millisecond)
				w.expect(id, gateway.StatusSent)
			})
		})
	}
}

// The rows are bound to a channel that is away, and go in order when it is back.
func TestThousandsOfRowsForAChannelThatIsAwayHideNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.down("bank/1", "unplugged")
		var ms []gateway.Message
		for n := range 1500 {
			m := row("d", n)
			m.Source = "1"
			ms = append(ms, m)
		}
		ids := slices.Concat(w.addAll(ms[:1000]...), w.addAll(ms[1000:]...))
		other := w.add(row("d", 9000))
		w.start()
		pass(time.Second)
		w.expect(other, gateway.StatusSent)
		if m := w.message(ids[0]); len(m.History) != 1 {
			t.Errorf("rows that wait are written to: %+v", m.History)
		}
		w.bank.script(takes(100 * time.Millisecond))
		w.bank.up("bank/1")
		pass(10 * time.Second)
		got := texts(w.bank.sent()[1:])
		if len(got) < 50 {
			t.Fatalf("%d of them went", len(got))
		}
		for i, text := range got {
			if want := fmt.Sprint("m", i); text != want {
				t.Fatalf("place %d has %s, want %s", i, text, want)
			}
		}
	})
}

func TestALookBehindTheFrontEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		counting := &countingQueue{Queue: w.store}
		w.o.Queue = counting
		w.bank.script(slowTo(number(0), 2*time.Hour))
		w.crowd("d", 3000, number(0))
		w.start()
		pass(time.Second)
		counting.claims.Store(0)
		pass(time.Hour)
		if n := counting.claims.Load(); n != 0 {
			t.Errorf("%d claims while nothing changes", n)
		}
	})
}

// Whatever lies where behind a busy number, each row goes once, and those of one number
// in their order.
func TestEachRowBehindTheFrontGoesOnceInTheOrderOfItsNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 4), aLane("d"))
		draw := rand.New(rand.NewPCG(3, 5))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.To == number(0) {
				return takes(24*time.Hour)(ctx, c)
			}
			return takes(time.Duration(c.sub.IDM*7919%300)*time.Millisecond)(ctx, c)
		})
		w.crowd("d", 1100, number(0))
		want := map[gateway.Address][]string{}
		var ms []gateway.Message
		for i := range 900 {
			m := row("d", 0)
			if i > 500 || i%100 == 0 { // a few, a crowd, and many
				m = row("d", 1+draw.IntN(5))
				m.Text = fmt.Sprint("row ", i)
				want[m.To] = append(want[m.To], m.Text)
			}
			ms = append(ms, m)
		}
		w.addAll(ms...)
		w.start()
		pass(time.Hour)
		got := map[gateway.Address][]string{}
		for _, c := range w.bank.sent() {
			got[c.sub.To] = append(got[c.sub.To], c.sub.Text)
		}
		for to, texts := range want {
			if !slices.Equal(got[to], texts) {
				t.Errorf("%s: %q went, want %q", to, got[to], texts)
			}
		}
	})
}

// A record that cannot be read behind the front goes aside, and the look goes on.
func TestADamagedRowBehindTheFrontHidesNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		queue := &damagedQueue{Queue: w.store, row: 1500}
		w.o.Queue = queue
		w.bank.script(slowTo(number(0), time.Hour))
		w.crowd("d", 2000, number(0))
		other := w.add(row("d", 1))
		w.start()
		pass(time.Second)
		w.expect(other, gateway.StatusSent)
		if queue.told.Load() != 1 {
			t.Errorf("the damaged row was put aside %d times", queue.told.Load())
		}
	})
}

func TestTheRecordOfASIMKnowsThatReportsWereAskedFor(t *testing.T) {
	for _, asked := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			l := aLane("d")
			l.Report = asked
			w := setup(t, newBank("bank", 1), l)
			w.addRows("d", 0, 3)
			w.start()
			pass(time.Second)
			want := spool.SIMDay{Accepted: 3}
			if asked {
				want.Awaited = 3
			}
			r, err := w.store.SIMRecord("8959000")
			if err != nil || len(r.Days) != 1 {
				t.Fatalf("%+v (%v)", r, err)
			}
			if r.Days[0].Day = (time.Time{}); r.Days[0] != want {
				t.Errorf("asked: %t: %+v, want %+v", asked, r.Days[0], want)
			}
		})
	}
}

// A whole base of new numbers waits for the next month, and a customer who is counted
// already is answered.
func TestThousandsOfNewRecipientsHideNoKnownOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 2}
		w := setup(t, newBank("bank", 2), l)
		counting := &countingQueue{Queue: w.store}
		w.o.Queue = counting
		pass(31*24*time.Hour - 4*time.Minute) // of January
		w.addRows("d", 0, 4)
		w.start()
		pass(time.Second)
		for n := 100; n < 3100; n += 1000 {
			w.addRows("d", n, n+1000)
		}
		pass(time.Minute)
		counting.claims.Store(0)
		pass(time.Minute)
		if n := counting.claims.Load(); n != 0 {
			t.Errorf("%d claims while nothing changes", n)
		}
		known := w.add(row("d", 0))
		pass(time.Second)
		w.expect(known, gateway.StatusSent)
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d messages went", n)
		}
		pass(3 * time.Minute)
		if got := texts(w.bank.sent()[5:]); !slices.Equal(got, []string{"m100", "m101", "m102", "m103"}) {
			t.Errorf("in the next month went %q", got)
		}
	})
}

// Rows that come in before the front move a row behind it that was passed over there,
// while a later one of its number lies where the look is to come by next.
func TestRowsThatComeInBeforeTheFrontKeepTheOrderOfANumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.To == number(0) {
				return takes(time.Hour)(ctx, c)
			}
			return takes(40*time.Millisecond)(ctx, c)
		})
		told := func(text string) gateway.Message {
			m := row("d", 1)
			m.Text = text
			return m
		}
		w.addAll(told("first"))
		w.crowd("d", 900, number(0))
		w.addAll(told("second"))
		w.crowd("d", 9000, number(0))
		w.addAll(told("third"))
		w.crowd("d", 2000, number(0))
		w.start()
		pass(20 * time.Millisecond)
		var urgent []gateway.Message
		for range 300 {
			m := row("d", 0)
			m.Priority = gateway.PrioritySingle
			urgent = append(urgent, m)
		}
		w.addAll(urgent...)
		pass(10 * time.Second)
		got := slices.DeleteFunc(w.bank.sent(), func(c call) bool { return c.sub.To == number(0) })
		if !slices.Equal(texts(got), []string{"first", "second", "third"}) {
			t.Errorf("%q went", texts(got))
		}
	})
}
