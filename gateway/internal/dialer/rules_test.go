package dialer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

func TestP41SendsInItsHoursAndDaysOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// A bubble begins at midnight UTC of Saturday, 1 January 2000.
		zone := time.FixedZone("UYT", -3*3600)
		l := aLane("d")
		l.Schedule, l.Zone = mustSchedule(t, "mon,tue,wed,thu,fri;09:00-17:59"), zone
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(takes(time.Hour))
		w.addRows("d", 0, 40)
		d := w.start()
		pass(24 * time.Hour)
		if n := len(w.bank.sent()); n != 0 {
			t.Errorf("%d sends on a Saturday", n)
		}
		st, _ := d.Status("d")
		if st.OnSchedule || !st.Running || !strings.Contains(st.Idle, "Mon 2000-01-03 09:00:00 UYT") {
			t.Errorf("status %+v, want closed until Monday at 9", st)
		}
		if why := d.Explain(w.message(1)); !strings.Contains(strings.Join(why, " "), "Mon 2000-01-03 09:00:00") {
			t.Errorf("explained as %q", why)
		}
		pass(3 * 24 * time.Hour)
		for i, c := range w.bank.sent() {
			at := c.at.In(zone)
			if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || at.Hour() < 9 || at.Hour() > 17 {
				t.Errorf("sent on %s", at.Format("Mon 15:04:05"))
			}
			if i == 0 && (at.Hour() != 9 || at.Minute() != 0 || at.Second() != 0) {
				t.Errorf("the first left at %s, want at the opening", at.Format("15:04:05"))
			}
		}
		if n := len(w.bank.sent()); n != 9+9 {
			t.Errorf("%d sends on Monday and Tuesday, want one an hour from 9 to 17:59", n)
		}
	})
}

func TestUntrustedClockClosesSchedulesAndHoldsExpiry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		windowed, always := aLane("windowed"), aLane("always")
		windowed.Schedule = mustSchedule(t, "sat;00:00-23:58")
		always.Schedule = mustSchedule(t, "sun,mon,tue,wed,thu,fri,sat;00:00-23:59")
		w := setup(t, newBank("bank", 1), windowed, always)
		w.o.Trusted = func() bool { return false }
		a := w.add(row("windowed", 1))
		m := row("always", 2)
		m.ValidUntil = time.Now().Add(-time.Hour)
		b := w.add(m)
		d := w.start()
		pass(time.Minute)
		w.expect(a, gateway.StatusQueued)
		w.expect(b, gateway.StatusSent)
		if st, _ := d.Status("windowed"); !strings.Contains(st.Idle, "clock is not trusted") {
			t.Errorf("status %+v", st)
		}
	})
}

func TestP49GapBetweenTwoMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 250 * time.Millisecond
		w := setup(t, newBank("bank", 8), l)
		w.bank.script(takes(3 * time.Second))
		w.addRows("d", 0, 60)
		w.start()
		pass(time.Minute)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < l.Interval {
				t.Errorf("%v between two calls, want at least %v", gap, l.Interval)
			}
		}
		if len(calls) != 60 {
			t.Errorf("%d sent, want 60", len(calls))
		}
	})
}

func TestP49GapHoldsWhenSyncsTakeUnevenTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = 250 * time.Millisecond
		w := setup(t, newBank("bank", 8), l)
		w.o.Queue = &slowQueue{Queue: w.store}
		w.bank.script(takes(time.Second))
		w.addRows("d", 0, 40)
		w.start()
		pass(11 * time.Second)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < l.Interval {
				t.Errorf("%v between two calls, want at least %v", gap, l.Interval)
			}
		}
		if len(calls) != 40 {
			t.Errorf("%d sent in 11 s at 4 a second, want all 40: the syncs cost no pace", len(calls))
		}
	})
}

func TestRateOfAProviderIsSharedByItsLanes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := aLane("a"), aLane("b")
		a.Rate, b.Rate = 4, 4
		w := setup(t, newBank("bank", 8), a, b)
		w.addRows("a", 0, 40)
		w.addRows("b", 100, 140)
		w.start()
		pass(9999 * time.Millisecond)
		calls := w.bank.sent()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < 250*time.Millisecond {
				t.Errorf("%v between two calls, want at least 250 ms", gap)
			}
		}
		if len(calls) != 40 {
			t.Errorf("%d sent in 10 s at 4 a second, want 40", len(calls))
		}
	})
}

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

func TestExpiredMessagesEndAndNeverBurstOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.down("bank/0", "unplugged")
		m := row("d", 1)
		m.ValidUntil = time.Now().Add(5 * time.Minute)
		idm := w.add(m)
		fresh := w.add(row("d", 2))
		w.start()
		pass(4 * time.Minute)
		w.expect(idm, gateway.StatusQueued)
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusExpired) // with no channel at all
		w.bank.up("bank/0")
		pass(time.Second)
		w.expect(fresh, gateway.StatusSent)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m2"}) {
			t.Errorf("sends %q", got)
		}
	})
}

func TestRowBehindAnExpiredOneOfItsNumberGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerMinute: 1}
		w := setup(t, newBank("bank", 1), l)
		dies, lives := row("d", 1), row("d", 1)
		dies.ValidUntil = time.Now().Add(30 * time.Second)
		ids := w.addAll(row("d", 0), dies, lives)
		w.start()
		pass(3 * time.Minute)
		w.expect(ids[1], gateway.StatusExpired)
		w.expect(ids[2], gateway.StatusSent)
	})
}

func TestTheFirstClaimOfALaneHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("a"), aLane("b"))
		late := &lateQueue{Queue: w.store, letGo: make(chan struct{})}
		w.o.Queue = late
		m := row("a", 1)
		m.NotBefore = time.Now().Add(time.Second)
		due := w.add(m)
		pass(2 * time.Second) // its time comes before the dialer is there
		other := w.add(row("b", 2))
		w.start()
		pass(time.Second)
		w.expect(other, gateway.StatusSent)
		w.expect(due, gateway.StatusQueued)
		close(late.letGo)
		pass(time.Second)
		w.expect(due, gateway.StatusSent)
		if n := late.writes.Load(); n != 0 {
			t.Errorf("%d claims of the loop could wait for a commit", n)
		}
	})
}

func TestNotBeforeIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		began := time.Now()
		m := row("d", 1)
		m.NotBefore = began.Add(90 * time.Second)
		idm := w.add(m)
		w.start()
		pass(89 * time.Second)
		w.expect(idm, gateway.StatusQueued)
		pass(2 * time.Second)
		w.expect(idm, gateway.StatusSent)
		if at := w.bank.sent()[0].at.Sub(began); at < 90*time.Second {
			t.Errorf("sent after %v", at)
		}
	})
}

func TestScheduledRowLeavesInTimeAmidABacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(takes(time.Second))
		began := time.Now()
		m := row("d", 200)
		m.Priority, m.NotBefore = gateway.PrioritySingle, began.Add(5500*time.Millisecond)
		w.addAll(m)
		w.addRows("d", 0, 80)
		w.start()
		pass(10 * time.Second)
		at := slices.IndexFunc(w.bank.sent(), func(c call) bool { return c.sub.Text == "m200" })
		if at < 0 {
			t.Fatal("the scheduled row did not leave")
		}
		if after := w.bank.sent()[at].at.Sub(began); after < 5500*time.Millisecond || after > 7*time.Second {
			t.Errorf("the scheduled row left after %v, want as the first one when it was due at 5.5 s", after)
		}
	})
}

func TestCardOfItsOwnLimits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits, l.SIMLimits = gateway.Limits{PerHour: 1}, map[string]gateway.Limits{"8959001": {PerHour: 4}}
		w := setup(t, newBank("bank", 2), l)
		w.addRows("d", 0, 20)
		w.start()
		pass(time.Minute)
		got := map[int]int{}
		for _, p := range ports(w.bank.sent()) {
			got[p]++
		}
		if got[0] != 1 || got[1] != 4 {
			t.Errorf("sends by port %v, want 1 over the first SIM and 4 over the one with limits of its own", got)
		}
	})
}

func TestClosingScheduleGivesItsClaimsBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Schedule = mustSchedule(t, "sat;00:00-00:00")
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(takes(10 * time.Second))
		ids := w.addRows("d", 0, 30)
		d := w.start()
		pass(2 * time.Minute)
		if n := len(w.bank.sent()); n != 6 || d.Claimed(ids[29]) {
			t.Errorf("%d sends in the minute of the schedule, and the last row claimed: %v", n, d.Claimed(ids[29]))
		}
	})
}

func TestP142StopHaltsWithinOneInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Interval = time.Second
		w := setup(t, newBank("bank", 4), l)
		w.bank.script(takes(2 * time.Second))
		ids := w.addRows("d", 0, 30)
		d := w.start()
		pass(5500 * time.Millisecond)
		w.defs.change("d", func(l *Lane) { l.Running = false })
		stopped := time.Now()
		pass(time.Minute)
		n := len(w.bank.sent())
		for _, c := range w.bank.sent() {
			if c.at.After(stopped.Add(l.Interval)) {
				t.Errorf("a send %v after the stop", c.at.Sub(stopped))
			}
		}
		for i, id := range ids {
			want := gateway.StatusQueued
			if i < n {
				want = gateway.StatusSent
			}
			w.expect(id, want)
			if d.Claimed(id) {
				t.Errorf("row %d is claimed by a lane that is stopped", i)
			}
		}
		w.defs.change("d", func(l *Lane) { l.Running = true })
		pass(time.Minute)
		got := texts(w.bank.sent())
		if len(got) != 30 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 30 {
			t.Errorf("%d sends after the start, want 30 rows once each", len(got))
		}
	})
}

func TestQuotaWindowsHoldAndOpen(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits gateway.Limits
		window time.Duration
		perWin int
	}{
		{"minute", gateway.Limits{PerMinute: 3}, 2 * time.Minute, 3},
		{"hour", gateway.Limits{PerHour: 5}, time.Hour, 5},
		{"day", gateway.Limits{PerDay: 4}, 24 * time.Hour, 4},
		{"month", gateway.Limits{PerMonth: 2}, 31 * 24 * time.Hour, 2},
		{"recipients", gateway.Limits{RecipientsPerMonth: 2}, 31 * 24 * time.Hour, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := aLane("d")
				l.Limits = c.limits
				pass(c.window - time.Minute) // to the end of a window
				w := setup(t, newBank("bank", 2), l)
				w.addRows("d", 0, 5*c.perWin)
				d := w.start()
				pass(59 * time.Second)
				if n := len(w.bank.sent()); n != 2*c.perWin {
					t.Errorf("%d sends over 2 SIMs in the first window, want %d", n, 2*c.perWin)
				}
				if c.name == "day" {
					if why := strings.Join(d.Explain(w.message(9)), " "); !strings.Contains(why, "this day, until Sun 2000-01-02 00:00:00 UTC") {
						t.Errorf("explained as %q", why)
					}
				}
				pass(2 * time.Second)
				if n := len(w.bank.sent()); n != 4*c.perWin {
					t.Errorf("%d sends when the second window opened, want %d", n, 4*c.perWin)
				}
			})
		})
	}
}

func TestQuotaCountsSegmentsSurvivesARestartAndRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerDay: 5}
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(scripted(says(gateway.KindRefused, 0))) // gives its segment back
		w.addAll(row("d", 0), long("d", 1, 3))
		w.start()
		pass(time.Second)
		w.restart()
		w.addAll(row("d", 2), row("d", 3), row("d", 4))
		pass(time.Second)
		if n := len(w.bank.sent()); n != 1+3+2 {
			t.Errorf("%d segments sent, want 6: one refused, then five", n)
		}
	})
}

func TestRefusedSegmentIsGivenBackAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerDay: 2}
		w := setup(t, newBank("bank", 1), l)
		w.bank.script(scripted(says(gateway.KindRefused, 0)))
		w.addRows("d", 0, 5)
		w.start()
		pass(time.Second)
		if n := len(w.bank.sent()); n != 3 {
			t.Errorf("%d sends, want one refused and two that count", n)
		}
	})
}

func TestKnownRecipientPassesTheLimitOfRecipients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{RecipientsPerMonth: 2}
		w := setup(t, newBank("bank", 1), l)
		w.addAll(row("d", 1), row("d", 2), row("d", 3), row("d", 1))
		w.start()
		pass(time.Minute)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"m1", "m2", "m1"}) {
			t.Errorf("sends %q, want the known number again and the third not", got)
		}
	})
}

func TestLongMessageOverAWindowBegins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Limits = gateway.Limits{PerMinute: 2}
		w := setup(t, newBank("bank", 2), l)
		idm := w.add(long("d", 1, 5))
		w.start()
		pass(59 * time.Second)
		if n := len(w.bank.sent()); n != 2 {
			t.Errorf("%d segments in the first minute, want 2", n)
		}
		pass(2 * time.Minute)
		w.expect(idm, gateway.StatusSent)
		for _, c := range w.bank.sent() {
			if c.id != "bank/0" {
				t.Errorf("segment %d went over %s", c.sub.Segment, c.id)
			}
		}
		if n := len(w.bank.sent()); n != 5 {
			t.Errorf("%d segments, want 5", n)
		}
	})
}

func TestRetryKeepsLaterMessagesOfItsNumberBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 2), aLane("d"))
		throttled := scripted(says(gateway.KindThrottled, 0))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.sub.Text == "first" {
				return throttled(ctx, c)
			}
			return modem.Receipt{}, nil
		})
		first, second := row("d", 1), row("d", 1)
		first.Text, second.Text = "first", "second"
		w.addAll(first, second, row("d", 2))
		w.start()
		pass(time.Minute)
		if got := texts(w.bank.sent()); !slices.Equal(got, []string{"first", "m2", "first", "second"}) {
			t.Errorf("sends %q", got)
		}
	})
}

func TestStatusSaysWhyNothingLeaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		paced := aLane("paced")
		paced.Interval = time.Minute
		stopped := aLane("stopped")
		stopped.Running = false
		faulty := aLane("faulty")
		faulty.Running, faulty.Fault = false, "provider rack is not there any more"
		away := aLane("away")
		away.Provider = "rack"
		w := setup(t, newBank("bank", 2), paced, stopped, faulty, away, aLane("empty"))
		w.addRows("paced", 0, 5)
		w.addRows("away", 10, 11)
		w.addRows("stopped", 20, 21)
		d := w.start()
		pass(time.Second)
		for name, want := range map[string]string{
			"paced": "1m0s", "stopped": "stopped", "faulty": "rack is not there", "away": "no channel", "empty": "nothing is queued",
		} {
			if st, ok := d.Status(name); !ok || !strings.Contains(st.Idle, want) {
				t.Errorf("%s: %+v, want a reason with %q", name, st, want)
			}
		}
		if st, _ := d.Status("paced"); st.Buffered != 4 || !st.Wake.Equal(time.Now().Add(59*time.Second)) {
			t.Errorf("paced: %+v, want 4 rows in memory and the next in 59 s", st)
		}
		if _, ok := d.Status("nobody"); ok {
			t.Error("there is a status of a lane that is not there")
		}
		for idm, want := range map[uint64]string{1: "It is sent, over channel bank/0", 3: "behind 1 rows", 6: "no channel in the dial string", 7: "stopped is stopped"} {
			if why := strings.Join(d.Explain(w.message(idm)), " "); !strings.Contains(why, want) {
				t.Errorf("message %d is explained as %q, want %q in it", idm, why, want)
			}
		}
	})
}
