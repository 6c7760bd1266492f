package spool

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

func record(t testing.TB, s *Spool) SIMRecord {
	t.Helper()
	r, err := s.SIMRecord(sim)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantDays checks the counts of a SIM's days, newest first, without their dates.
func wantDays(t testing.TB, s *Spool, want ...SIMDay) {
	t.Helper()
	got := record(t, s).Days
	for i := range got {
		got[i].Day = time.Time{}
	}
	if len(got) != len(want) {
		t.Fatalf("days %+v, want %+v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("day %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

// try sends a message to its outcome, with a report asked for, and gives its id.
func try(t testing.TB, s *Spool, c *clock, o Outcome) uint64 {
	t.Helper()
	idm := add(t, s, text("camp", string(to1)))
	in := intent(idm, 1)
	in.At, in.Report = c.now(), true
	send(t, s, in, o)
	return idm
}

func TestASIMsRecordSaysWhatBecameOfWhatItSent(t *testing.T) {
	s, c := open(t)
	if r := record(t, s); !reflect.DeepEqual(r, SIMRecord{}) {
		t.Errorf("before it sent: %+v", r)
	}
	try(t, s, c, Outcome{Kind: gateway.KindRefused, Text: "barred"})
	try(t, s, c, Outcome{Kind: gateway.KindRefused, Text: "barred"})
	try(t, s, c, Outcome{Kind: gateway.KindUnavailable, Retry: c.now().Add(time.Hour)}) // reached no network
	if r := record(t, s); r.Refusals != 2 || !r.LastAccepted.IsZero() {
		t.Errorf("refused twice: %+v", r)
	}
	first := c.now()
	try(t, s, c, Outcome{MR: 1, HasMR: true})
	c.add(time.Minute)
	try(t, s, c, Outcome{MR: 2, HasMR: true})
	plain := intent(add(t, s, text("camp", string(to1))), 1)
	send(t, s, plain, Outcome{MR: 3, HasMR: true})
	r := record(t, s)
	if r.Refusals != 0 || r.Streak != 2 || !r.StreakSince.Equal(first) || !r.LastAccepted.Equal(c.now()) || !r.LastDelivered.IsZero() {
		t.Errorf("accepted: %+v", r)
	}
	must(t, s.Report(bg, report(c, 1, to1, 0x46)))
	must(t, s.Report(bg, report(c, 2, to1, 0x20))) // the SMSC still tries
	if r := record(t, s); r.Streak != 2 {
		t.Errorf("a report that is not of a delivery ended the streak: %+v", r)
	}
	for range 2 { // again is nothing
		must(t, s.Report(bg, report(c, 2, to1, 0)))
	}
	wantDays(t, s, SIMDay{Accepted: 3, Awaited: 2, Delivered: 1, Undelivered: 1, Refused: 2})
	if r := record(t, s); r.Streak != 0 || !r.StreakSince.IsZero() || !r.LastDelivered.Equal(c.now()) {
		t.Errorf("delivered: %+v", r)
	}
	s = reopen(t, s)
	wantDays(t, s, SIMDay{Accepted: 3, Awaited: 2, Delivered: 1, Undelivered: 1, Refused: 2})
}

func TestAWholeMessageOfADeviceCountsInSegments(t *testing.T) {
	s, c := open(t)
	m := text("camp", string(to1))
	m.Segments = 3
	in := intent(add(t, s, m), 0)
	in.Report = true
	send(t, s, in, Outcome{Queued: true, Ref: "task-7"})
	must(t, s.Report(bg, gateway.StatusReport{SIM: sim, Ref: "task-7", Recipient: to1, SentAt: c.now()}))
	wantDays(t, s, SIMDay{Accepted: 3, Awaited: 3, Delivered: 3})
}

// A quota is given back on refusal; what became of a send is not.
func TestARefundTakesNothingFromTheRecord(t *testing.T) {
	s, c := open(t)
	try(t, s, c, Outcome{Kind: gateway.KindRefused})
	if u := used(t, s, c.now()); u.Month != 0 {
		t.Errorf("not given back: %+v", u)
	}
	wantDays(t, s, SIMDay{Refused: 1})
}

func TestADoubtThatEndsMovesOnItsOwnDay(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*testing.T, *Spool, *clock, uint64)
		want []SIMDay
	}{
		"a report of a delivery": {
			func(t *testing.T, s *Spool, c *clock, _ uint64) {
				r := report(c, 9, to1, 0)
				r.SentAt = c.now().Add(-20 * time.Hour)
				must(t, s.Report(bg, r))
				must(t, s.Report(bg, r))
			},
			[]SIMDay{{Delivered: 1}, {Accepted: 1, Awaited: 1}},
		},
		"its device: it went out": {
			func(t *testing.T, s *Spool, _ *clock, idm uint64) { settleDoubt(t, s, idm, gateway.KindNone) },
			[]SIMDay{{Accepted: 1, Awaited: 1}},
		},
		"its device: it was refused": {
			func(t *testing.T, s *Spool, _ *clock, idm uint64) { settleDoubt(t, s, idm, gateway.KindRefused) },
			[]SIMDay{{Refused: 1}},
		},
		"its device: it never went": {
			func(t *testing.T, s *Spool, _ *clock, idm uint64) { settleDoubt(t, s, idm, gateway.KindUnavailable) },
			nil,
		},
		"a person": {
			func(t *testing.T, s *Spool, _ *clock, idm uint64) {
				must(t, s.Resolve(bg, idm, gateway.StatusSent, "ana"))
			},
			[]SIMDay{{Unknown: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, clock := open(t)
			idm := try(t, s, clock, Outcome{Kind: gateway.KindUnknownOutcome})
			wantDays(t, s, SIMDay{Unknown: 1})
			clock.add(20 * time.Hour)
			c.end(t, s, clock, idm)
			wantDays(t, s, c.want...)
		})
	}
}

func settleDoubt(t testing.TB, s *Spool, idm uint64, as gateway.Kind) {
	t.Helper()
	doubts, err := s.Doubts(idm-1, 1)
	if err != nil || len(doubts) != 1 {
		t.Fatalf("doubts %+v: %v", doubts, err)
	}
	if ok, err := s.Settle(bg, doubts[0], Outcome{Kind: as}); !ok || err != nil {
		t.Fatalf("settled: %t, %v", ok, err)
	}
}

// Its device knows of the send and not of its TP-MR, so that the report finds it as a
// doubt once more.
func TestADoubtThatEndsTwiceMovesOnce(t *testing.T) {
	s, c := open(t)
	settleDoubt(t, s, try(t, s, c, Outcome{Kind: gateway.KindUnknownOutcome}), gateway.KindNone)
	must(t, s.Report(bg, report(c, 9, to1, 0)))
	wantDays(t, s, SIMDay{Accepted: 1, Awaited: 1, Delivered: 1})
}

// The first try over this SIM was in doubt and the second delivered: the report of the
// first is news to the SIM and none to the message.
func TestAReportOfASecondCopyCountsOnTheSIMOnly(t *testing.T) {
	s, c := open(t)
	idm := resending(t, s, 1)
	stamp := report(c, 200, to1, 0)
	c.add(10 * time.Minute)
	in := intent(idm, 1)
	in.At = c.now()
	send(t, s, in, Outcome{MR: 5, HasMR: true})
	must(t, s.Report(bg, report(c, 5, to1, 0)))
	lines := len(get(t, s, idm).History)
	must(t, s.Report(bg, stamp))
	wantDays(t, s, SIMDay{Accepted: 2, Awaited: 1, Delivered: 2})
	if n := len(get(t, s, idm).History); n != lines {
		t.Errorf("%d lines, want %d", n, lines)
	}
}

func TestACrashIsADoubtOfTheDayOfTheSend(t *testing.T) {
	s, c := open(t)
	in := intent(add(t, s, text("camp", string(to1))), 1)
	in.At = c.now()
	step(t, s, Step{Intents: []Intent{in}})
	c.add(36 * time.Hour)
	s = crash(t, s)
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	if r := record(t, s); len(r.Days) != 1 || r.Days[0] != (SIMDay{Day: day, Unknown: 1}) {
		t.Errorf("%+v", r)
	}
}

func TestDaysBeginInTheSitesZoneAndThirtyAreShown(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo") // UTC-3
	must(t, err)
	c := newClock()
	c.t = time.Date(2026, 3, 10, 2, 30, 0, 0, time.UTC) // 9 March, 23:30
	s := openWith(t, Options{Path: filepath.Join(t.TempDir(), "spool.db"), Now: c.now, Zone: zone})
	for range 100 {
		try(t, s, c, Outcome{MR: 1, HasMR: true})
		c.add(24 * time.Hour)
	}
	r := record(t, s)
	if len(r.Days) != SIMRecordDays {
		t.Fatalf("%d days are shown", len(r.Days))
	}
	for i, d := range r.Days {
		want := time.Date(2026, 3, 9+99-i, 0, 0, 0, 0, zone)
		if !d.Day.Equal(want) || d.Accepted != 1 {
			t.Fatalf("day %d: %+v, want that of %s", i, d, want)
		}
	}
	must(t, s.view(func(b *bbolt.Tx) error {
		if days, err := readDays(b, sim); err != nil || len(days) != keepDays {
			t.Errorf("%d days are kept (%v)", len(days), err)
		}
		return nil
	}))
}

func TestAClockThatWasWrongDestroysNoDay(t *testing.T) {
	s, c := open(t)
	at := func(when time.Time) {
		c.mu.Lock()
		c.t = when
		c.mu.Unlock()
	}
	start := c.now()
	for i := range 20 {
		at(start.AddDate(0, 0, i))
		try(t, s, c, Outcome{MR: 1, HasMR: true})
	}
	right := c.now()
	for _, wrong := range []time.Time{time.Unix(3600, 0), right.AddDate(12, 0, 0), right.AddDate(0, 0, -3), right.AddDate(0, 2, 0)} {
		at(wrong)
		try(t, s, c, Outcome{MR: 1, HasMR: true})
		at(right)
		try(t, s, c, Outcome{MR: 1, HasMR: true})
	}
	days := record(t, s).Days
	if len(days) != 21 {
		t.Fatalf("%d days, want the 20 and one of 1970", len(days))
	}
	for i, d := range days[:20] {
		want := uint32(1)
		switch i {
		case 0:
			want = 5
		case 3:
			want = 2
		}
		y, m, n := right.AddDate(0, 0, -i).Date()
		if !d.Day.Equal(time.Date(y, m, n, 0, 0, 0, 0, time.UTC)) || d.Accepted != want {
			t.Errorf("day %d: %+v, want %d", i, d, want)
		}
	}
}

func TestTheDaysOfTooManySIMsAreBounded(t *testing.T) {
	s, c := open(t)
	must(t, s.update(bg, func(t *tx) error {
		for i := range maxSIMs {
			k := []byte(gateway.ChannelID("sim", i))
			d := SIMDay{Day: dayIn(c.now(), time.UTC).AddDate(0, 0, -i), Accepted: 1}
			if err := t.bucket(bucketSIMDays).Put(k, encodeDays(k, simDays{d})); err != nil {
				return err
			}
		}
		return nil
	}))
	try(t, s, c, Outcome{})
	c.add(24 * time.Hour)
	try(t, s, c, Outcome{})
	must(t, s.view(func(b *bbolt.Tx) error {
		days := b.Bucket(bucketSIMDays)
		if n := days.Inspect().KeyN; n != maxSIMs {
			t.Errorf("the days of %d SIMs are kept", n)
		}
		if days.Get([]byte(sim)) == nil || days.Get([]byte(gateway.ChannelID("sim", maxSIMs-1))) != nil {
			t.Error("the SIM that did not send for longest was to go")
		}
		return nil
	}))
}

func TestARecordOfASIMThatCannotBeReadGoesAside(t *testing.T) {
	s, c := open(t)
	try(t, s, c, Outcome{MR: 1, HasMR: true})
	c.add(24 * time.Hour)
	try(t, s, c, Outcome{MR: 2, HasMR: true})
	spoil := func(bucket, k []byte) {
		t.Helper()
		must(t, s.update(bg, func(t *tx) error {
			v := append([]byte(nil), t.bucket(bucket).Get(k)...)
			v[2] ^= 0x40
			return t.bucket(bucket).Put(k, v)
		}))
	}
	spoil(bucketSIMDays, []byte(sim))
	if s.Check(context.Background()) == nil {
		t.Error("Check sees no fault in the days")
	}
	c.add(24 * time.Hour)
	try(t, s, c, Outcome{MR: 3, HasMR: true})
	wantDays(t, s, SIMDay{Accepted: 1, Awaited: 1}, SIMDay{Accepted: 1, Awaited: 1})
	spoil(bucketState, usageKey(sim))
	if _, err := s.SIMUsage(sim, c.now()); err == nil {
		t.Error("a quota was read from a damaged record")
	}
	must(t, s.Ping(bg)) // behind the one that puts it aside
	if _, err := s.SIMUsage(sim, c.now()); err != nil {
		t.Errorf("the SIM never sends again: %v", err)
	}
	if n := s.Stats().Quarantined; n != 2 {
		t.Errorf("%d records in quarantine", n)
	}
}

// A file of the time before the record of a SIM goes on counting.
func TestAUsageRecordOfTheFirstLayoutIsReadAndGoesOn(t *testing.T) {
	s, c := open(t)
	month := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	must(t, s.update(bg, func(t *tx) error {
		v := []byte{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1}
		for _, at := range []time.Time{c.now(), c.now(), day, month} {
			n := uint32(at.Unix())
			v = append(v, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		}
		if err := t.bucket(bucketState).Put(usageKey(sim), v); err != nil {
			return err
		}
		k, _ := recipientKey(sim, 2026*12+2, to1) // as it was made then: year*12 + month-1
		return t.bucket(bucketRecipient).Put(k, present)
	}))
	s = reopen(t, s)
	if u := used(t, s, c.now()); u.Minute != 1 || u.Hour != 2 || u.Day != 3 || u.Month != 4 || u.Recipients != 1 || !u.MonthStart.Equal(month) {
		t.Errorf("read as %+v", u)
	}
	in := intent(add(t, s, text("camp", string(to1))), 1)
	in.At, in.Limits.RecipientsPerMonth = c.now(), 10
	send(t, s, in, Outcome{})
	if u := used(t, s, c.now()); u.Month != 5 || u.Recipients != 1 {
		t.Errorf("goes on as %+v", u)
	}
	wantDays(t, s, SIMDay{Accepted: 1})
}

// What is kept of a bank of 32 SIMs shares a page with the counters, on any day of the
// month: the commits of its channels write one page for all of it.
func TestTheRecordsOfABankShareAPage(t *testing.T) {
	s, c := open(t)
	try(t, s, c, Outcome{MR: 1, HasMR: true})
	c.add(18 * 24 * time.Hour)
	must(t, s.update(bg, func(t *tx) error {
		for i := range 32 {
			u, err := t.usage("8959801234567890"+string(rune('0'+i/10))+string(rune('0'+i%10))+"F", c.now())
			if err != nil {
				return err
			}
			u.Minute, u.Hour, u.Day, u.Month, u.Recipients = 20, 1100, 12_000, 200_000, 90_000
			u.today = SIMDay{Day: dayIn(c.now(), time.UTC), Accepted: 12_000, Awaited: 12_000, Delivered: 11_000, Undelivered: 300, Refused: 200, Unknown: 30}
			u.accept(700, true, c.now().Add(-time.Hour))
			u.refused, u.lastOut, u.arrived = 3, c.now(), c.now().Add(-time.Hour)
			u.changed = true
		}
		return nil
	}))
	must(t, s.view(func(b *bbolt.Tx) error {
		if st := b.Bucket(bucketState).Stats(); st.LeafPageN != 1 {
			t.Errorf("%d pages for %d records of %d bytes", st.LeafPageN, st.KeyN, st.LeafInuse)
		}
		return nil
	}))
}
