package dialer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func mustSchedule(t testing.TB, windows ...string) gateway.Schedule {
	t.Helper()
	s, err := gateway.ParseSchedule(windows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

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
