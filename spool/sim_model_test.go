package spool

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// simSend is one try of the model: a message of one segment to a number of its own.
type simSend struct {
	idm    uint64
	sim    string
	to     gateway.Address
	mr     uint8
	at     time.Time
	asked  bool
	status gateway.Status // of its segment
	settle bool           // its device may be asked
}

// simModel is what SIMs did, as a person with a diary would write it down.
type simModel struct {
	dir    string
	files  int
	s      *Spool
	c      *clock
	latest time.Time // that the clock ever showed
	sends  []*simSend
	open   *simSend
	days   map[string]map[time.Time]*SIMDay
	sums   map[string]*SIMRecord
}

func simNames() []string { return []string{"8959801", "8959802"} }

func TestSIMRecordSaysWhatTheDiarySays(t *testing.T) {
	fewerChecks(t, 12)
	zone, err := time.LoadLocation("America/Montevideo")
	must(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		m := &simModel{dir: t.TempDir(), c: newClock(), days: map[string]map[time.Time]*SIMDay{}, sums: map[string]*SIMRecord{}}
		m.latest = m.c.now()
		for _, sim := range simNames() {
			m.days[sim], m.sums[sim] = map[time.Time]*SIMDay{}, &SIMRecord{}
		}
		m.start(rt, Options{Path: filepath.Join(m.dir, "0.db"), Now: m.c.now, Zone: zone})
		defer func() { m.s.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"send":   m.send,
			"report": m.report,
			"ask":    m.ask,
			"wait":   func(t *rapid.T) { m.move(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour) },
			"back":   func(t *rapid.T) { m.move(-time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour) },
			"reopen": m.reopen,
			"crash":  m.crash,
		})
	})
}

func (m *simModel) start(t *rapid.T, o Options) {
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	m.s = s
	if m.open != nil { // what a crash leaves
		m.day(m.open.sim, m.open.at).Unknown++
		m.open.status, m.open.settle = gateway.StatusUnknown, true
		m.open = nil
	}
}

func (m *simModel) move(d time.Duration) {
	m.c.add(d)
	if now := m.c.now(); now.After(m.latest) {
		m.latest = now
	}
}

func (m *simModel) day(sim string, at time.Time) *SIMDay {
	y, mo, d := at.In(m.s.o.Zone).Date()
	day := time.Date(y, mo, d, 0, 0, 0, 0, m.s.o.Zone)
	if m.days[sim][day] == nil {
		m.days[sim][day] = &SIMDay{Day: day}
	}
	return m.days[sim][day]
}

func (m *simModel) step(t *rapid.T, st Step) {
	done := make(chan Stepped, 1)
	m.s.Step(st, func(r Stepped) { done <- r })
	if r := <-done; r.Err != nil || len(r.Gone) > 0 {
		t.Fatal(r.Err, r.Gone)
	}
}

// send opens an intent and, most times, closes it.
func (m *simModel) send(t *rapid.T) {
	if m.open != nil || len(m.sends) > 200 {
		t.Skip("a send is out, or its TP-MR would come round")
	}
	x := &simSend{
		sim: rapid.SampledFrom(simNames()).Draw(t, "sim"), to: gateway.Address(fmt.Sprintf("+5989%07d", len(m.sends))),
		mr: uint8(len(m.sends)), at: m.c.now(), asked: rapid.Bool().Draw(t, "asked"),
	}
	a, err := m.s.Add(context.Background(), text("camp", string(x.to)), Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	x.idm = a.IDM
	m.sends = append(m.sends, x)
	in := intent(x.idm, 1)
	in.SIM, in.At, in.Report = x.sim, x.at, x.asked
	m.step(t, Step{Intents: []Intent{in}})
	m.open = x
	if rapid.IntRange(0, 5).Draw(t, "stays") > 0 {
		m.settle(t, x)
	}
}

func (m *simModel) settle(t *rapid.T, x *simSend) {
	kind := rapid.SampledFrom([]gateway.Kind{
		gateway.KindNone, gateway.KindNone, gateway.KindRefused, gateway.KindUnavailable, gateway.KindUnknownOutcome,
	}).Draw(t, "kind")
	m.step(t, Step{Outcomes: []Outcome{{IDM: x.idm, Segment: 1, Kind: kind, MR: x.mr, HasMR: kind == gateway.KindNone}}})
	m.open = nil
	sum := m.sums[x.sim]
	switch kind {
	case gateway.KindNone:
		x.status = gateway.StatusSent
		m.accept(x, m.c.now())
		sum.Refusals, sum.LastAccepted = 0, m.c.now()
	case gateway.KindRefused:
		x.status = gateway.StatusFailed
		m.day(x.sim, m.c.now()).Refused++
		sum.Refusals++
	case gateway.KindUnknownOutcome:
		x.status, x.settle = gateway.StatusUnknown, true
		m.day(x.sim, x.at).Unknown++
	default:
		x.status = gateway.StatusFailed
	}
}

func (m *simModel) accept(x *simSend, at time.Time) {
	d := m.day(x.sim, at)
	d.Accepted++
	if !x.asked {
		return
	}
	d.Awaited++
	sum := m.sums[x.sim]
	if sum.Streak++; sum.Streak == 1 || at.Before(sum.StreakSince) {
		sum.StreakSince = at
	}
}

// recent draws a send of which the network may still tell.
func (m *simModel) recent(t *rapid.T, fit func(*simSend) bool) *simSend {
	var some []*simSend
	for _, x := range m.sends {
		if x != m.open && m.latest.Sub(x.at) < 20*time.Hour && fit(x) {
			some = append(some, x)
		}
	}
	if len(some) == 0 {
		t.Skip("no such send")
	}
	return rapid.SampledFrom(some).Draw(t, "send")
}

func (m *simModel) report(t *rapid.T) {
	x := m.recent(t, func(x *simSend) bool { return x.status != gateway.StatusFailed })
	st := rapid.SampledFrom([]uint8{0, 0x20, 0x46}).Draw(t, "st")
	r := gateway.StatusReport{SIM: x.sim, MR: x.mr, Recipient: x.to, SentAt: x.at, ST: st}
	if err := m.s.Report(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if x.status == gateway.StatusUnknown {
		m.day(x.sim, x.at).Unknown--
		x.asked = true
		m.accept(x, x.at)
		x.status = gateway.StatusSent
	}
	today, sum := m.day(x.sim, m.c.now()), m.sums[x.sim]
	switch {
	case x.status == gateway.StatusDelivered || x.status == gateway.StatusUndelivered && st != 0:
	case st == 0:
		today.Delivered++
		x.status = gateway.StatusDelivered
		sum.Streak, sum.StreakSince, sum.LastDelivered = 0, time.Time{}, m.c.now()
	case st == 0x46:
		today.Undelivered++
		x.status = gateway.StatusUndelivered
	}
}

// ask settles a doubt by its device's word.
func (m *simModel) ask(t *rapid.T) {
	x := m.recent(t, func(x *simSend) bool { return x.status == gateway.StatusUnknown && x.settle })
	doubts, err := m.s.Doubts(x.idm-1, 1)
	if err != nil || len(doubts) != 1 || doubts[0].IDM != x.idm {
		t.Fatalf("doubts of %d: %+v (%v)", x.idm, doubts, err)
	}
	o := Outcome{Kind: rapid.SampledFrom([]gateway.Kind{gateway.KindNone, gateway.KindRefused, gateway.KindUnavailable}).Draw(t, "kind")}
	o.MR, o.HasMR = x.mr, o.Kind == gateway.KindNone
	if ok, err := m.s.Settle(context.Background(), doubts[0], o); !ok || err != nil {
		t.Fatalf("settled: %t (%v)", ok, err)
	}
	x.status = gateway.StatusFailed
	d := m.day(x.sim, x.at)
	d.Unknown--
	switch o.Kind {
	case gateway.KindNone:
		x.status = gateway.StatusSent
		m.accept(x, x.at)
	case gateway.KindRefused:
		d.Refused++
	}
}

func (m *simModel) reopen(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t, m.s.o)
}

// crash goes on with the file as it is on disk, without a Close.
func (m *simModel) crash(t *rapid.T) {
	m.files++
	o, old := m.s.o, m.s
	b, err := os.ReadFile(o.Path)
	if err == nil {
		o.Path = filepath.Join(m.dir, strconv.Itoa(m.files)+".db")
		err = os.WriteFile(o.Path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.start(t, o)
	old.Close()
}

// check holds the records against the diary.
func (m *simModel) check(t *rapid.T) {
	if err := m.s.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, sim := range simNames() {
		want := *m.sums[sim]
		for _, d := range m.days[sim] {
			if !d.empty() && !d.Day.After(m.c.now()) {
				want.Days = append(want.Days, *d)
			}
		}
		slices.SortFunc(want.Days, func(a, b SIMDay) int { return cmp.Compare(b.Day.Unix(), a.Day.Unix()) })
		want.Days = want.Days[:min(len(want.Days), SIMRecordDays)]
		got, err := m.s.SIMRecord(sim)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []*time.Time{&got.StreakSince, &got.LastAccepted, &got.LastDelivered, &want.StreakSince, &want.LastAccepted, &want.LastDelivered} {
			*at = at.UTC()
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("SIM %s:\n%+v, want\n%+v", sim, got, want)
		}
	}
}
