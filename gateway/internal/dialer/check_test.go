package dialer

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestP57Vector5ListedNumbersAreBlockedAtTheLastMoment(t *testing.T) {
	for _, c := range []struct {
		dncr          bool
		calls         int
		first, second gateway.Status
	}{
		{true, 1, gateway.StatusBlocked, gateway.StatusSent},
		{false, 2, gateway.StatusSent, gateway.StatusSent},
	} {
		t.Run(fmt.Sprintf("DNCR %v", c.dncr), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := aLane("test1")
				l.DNCR, l.Running = c.dncr, false
				w := setup(t, newBank("bank", 1), l)
				listed := gateway.Address("+59898344484")
				first := w.add(gateway.Message{Campaign: "test1", To: listed, Text: "a", Priority: 9999})
				second := w.add(gateway.Message{Campaign: "test1", To: "+59898344485", Text: "b", Priority: 9999})
				w.start()
				pass(time.Second)
				// Late: the rows are queued already.
				if err := w.store.Blacklist(t.Context(), spool.Listed{Number: listed, Campaign: "test1"}); err != nil {
					t.Fatal(err)
				}
				w.defs.change("test1", func(l *Lane) { l.Running = true })
				pass(time.Second)
				w.expect(first, c.first)
				w.expect(second, c.second)
				if n := len(w.bank.sent()); n != c.calls {
					t.Errorf("%d calls to the provider, want %d", n, c.calls)
				}
				counters, _ := w.store.Counters("test1")
				if n := counters.Blocked(); int(n) != 2-c.calls {
					t.Errorf("Blocked = %d", n)
				}
				hits, _, err := w.store.Hits("", 10)
				if err != nil || len(hits) != 2-c.calls {
					t.Errorf("history of the blacklist: %v, %v", hits, err)
				}
			})
		})
	}
}

func TestOptOutWinsWithDNCROff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		idm := w.add(row("d", 1))
		if err := w.store.Blacklist(t.Context(), spool.Listed{Number: number(1), OptOut: true}); err != nil {
			t.Fatal(err)
		}
		w.start()
		pass(time.Second)
		if m := w.expect(idm, gateway.StatusBlocked); !strings.Contains(m.Reason, "opted out") {
			t.Errorf("reason %q", m.Reason)
		}
		if len(w.bank.sent()) != 0 {
			t.Error("a message left to a number that opted out")
		}
	})
}

// The confirmation of an opt-out is not stopped by it; nothing else of that number leaves.
func TestTheConfirmationOfAnOptOutLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		own := aLane("@bank")
		own.Exempt = true
		w := setup(t, newBank("bank", 1), aLane("d"), own)
		offer, confirmation := w.add(row("d", 1)), w.add(row("@bank", 1))
		if err := w.store.Blacklist(t.Context(), spool.Listed{Number: number(1), OptOut: true}); err != nil {
			t.Fatal(err)
		}
		w.start()
		pass(time.Second)
		w.expect(offer, gateway.StatusBlocked)
		w.expect(confirmation, gateway.StatusSent)
	})
}

// A stop that is stored while a long message is on its way ends it, and the channel goes on.
func TestAnOptOutEndsTheLongMessageThatIsOnItsWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		offer, other := w.add(long("d", 1, 3)), w.add(row("d", 2))
		w.start()
		pass(500 * time.Millisecond)
		if err := w.store.Blacklist(t.Context(), spool.Listed{Number: number(1), OptOut: true}); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		if m := w.expect(offer, gateway.StatusBlocked); m.Parts[0].Status != gateway.StatusSent || len(w.bank.sent()) != 2 {
			t.Errorf("%d sends; its segments %+v", len(w.bank.sent()), m.Parts)
		}
		w.expect(other, gateway.StatusSent)
		if u, _ := w.store.SIMUsage("8959000", time.Now()); u.Month != 2 {
			t.Errorf("%d segments counted, want 2", u.Month)
		}
		// The number is free for what comes after a start.
		if err := w.store.OptIn(t.Context(), number(1), "", "ana"); err != nil {
			t.Fatal(err)
		}
		later := w.add(row("d", 1))
		pass(2 * time.Second)
		w.expect(later, gateway.StatusSent)
	})
}

func TestP140NumbersThatThePatternRefusesCountAsOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Pattern = regexp.MustCompile(`\A(?:\+59899.*)\z`)
		w := setup(t, newBank("bank", 1), l)
		bad := w.add(row("d", 1)) // +59890000001
		good := row("d", 0)
		good.To = "+59899123456"
		g := w.add(good)
		w.start()
		pass(time.Second)
		w.expect(bad, gateway.StatusInvalid)
		w.expect(g, gateway.StatusSent)
		if c, _ := w.store.Counters("d"); c.Other() != 1 {
			t.Errorf("Other = %d, want 1", c.Other())
		}
	})
}

func TestABaseOfBlockedRowsDoesNotHoldUpAnybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Pattern = regexp.MustCompile(`\A(?:\+59899.*)\z`)
		w := setup(t, newBank("bank", 1), l)
		w.addRows("d", 0, 200)
		last := row("d", 0)
		last.To = "+59899123456"
		idm := w.add(last)
		w.start()
		pass(time.Second)
		w.expect(idm, gateway.StatusSent)
		if c, _ := w.store.Counters("d"); c.Other() != 200 {
			t.Errorf("Other = %d, want 200", c.Other())
		}
	})
}

// onceUnread is a blacklist whose first look-up fails.
type onceUnread struct{ failed atomic.Bool }

func (o *onceUnread) Listed(gateway.Address, string) (listed, optOut bool, err error) {
	if o.failed.CompareAndSwap(false, true) {
		return false, false, gateway.Errorf(gateway.KindInternal, "a page of the blacklist cannot be read")
	}
	return false, false, nil
}

func TestARowThatIsPutOffGoesByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("a"))
		w.o.Blacklist = &onceUnread{}
		id := w.add(row("a", 1))
		w.start()
		pass(time.Second)
		w.expect(id, gateway.StatusQueued)
		pass(stuckWait)
		w.expect(id, gateway.StatusSent)
	})
}
