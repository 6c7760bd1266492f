package spool

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// modelRow is what the model knows of a message.
type modelRow struct {
	idm       uint64
	campaign  string
	status    gateway.Status
	priority  uint16
	policy    gateway.UnknownPolicy
	attempts  uint16
	segments  int
	parts     []gateway.Status
	notBefore time.Time
	until     time.Time // on a whole minute, to which the spool keeps it
}

// model is a spool in twenty lines: a map, a set of intents and a clock. The
// properties are the invariants of doc.go, and that the spool says what the model says.
type model struct {
	t        *rapid.T
	dir      string
	files    int
	clock    *clock
	s        *Spool
	rows     map[uint64]*modelRow
	open     []Intent
	uploaded map[string]uint64
	deleted  map[string]uint64
	last     uint64 // highest entry position given out
}

// fewerChecks lets rapid do fewer runs than its 100, unless asked for: each action is
// synced to the disk.
func fewerChecks(t *testing.T, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	must(t, f.Value.Set(strconv.Itoa(n)))
	t.Cleanup(func() { must(t, f.Value.Set(f.DefValue)) })
}

func TestSpoolDoesWhatTheModelDoes(t *testing.T) {
	fewerChecks(t, 25)
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			t: rt, dir: t.TempDir(), clock: newClock(), rows: map[uint64]*modelRow{},
			uploaded: map[string]uint64{}, deleted: map[string]uint64{},
		}
		m.start(filepath.Join(m.dir, "0.db"))
		defer func() { m.s.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"add":     m.add,
			"intend":  m.intend,
			"settle":  m.settle,
			"drop":    m.drop,
			"cancel":  m.cancel,
			"resolve": m.resolve,
			"release": m.release,
			"expire":  m.expire,
			"delete":  m.remove,
			"wait":    func(t *rapid.T) { m.clock.add(time.Duration(rapid.IntRange(1, 900).Draw(t, "s")) * time.Second) },
			"reopen":  m.reopen,
			"crash":   m.crash,
		})
	})
}

func (m *model) start(path string) {
	s, err := Open(Options{Path: path, Now: m.clock.now})
	if err != nil {
		m.t.Fatal(err)
	}
	m.s = s
}

func campaigns() []string { return []string{"one", "two"} }

func (m *model) add(t *rapid.T) {
	r := &modelRow{
		campaign: rapid.SampledFrom(campaigns()).Draw(t, "campaign"),
		status:   rapid.SampledFrom([]gateway.Status{gateway.StatusQueued, gateway.StatusQueued, gateway.StatusQueued, gateway.StatusHeld, gateway.StatusInvalid, gateway.StatusBlocked}).Draw(t, "status"),
		priority: rapid.SampledFrom([]uint16{1, 7777, 9999}).Draw(t, "priority"),
		policy:   rapid.SampledFrom([]gateway.UnknownPolicy{gateway.UnknownHold, gateway.UnknownResend}).Draw(t, "policy"),
		segments: rapid.IntRange(1, 3).Draw(t, "segments"),
	}
	if rapid.Bool().Draw(t, "later") {
		r.notBefore = m.clock.now().Add(time.Duration(rapid.IntRange(-60, 1200).Draw(t, "in")) * time.Second)
	}
	if rapid.Bool().Draw(t, "ends") {
		r.until = m.clock.now().Truncate(time.Minute).Add(time.Duration(rapid.IntRange(-2, 30).Draw(t, "for")) * time.Minute)
	}
	r.parts = make([]gateway.Status, r.segments)
	in := text(r.campaign, "+59899123456")
	in.Status, in.Priority, in.Policy, in.Segments, in.NotBefore = r.status, r.priority, r.policy, uint8(r.segments), r.notBefore
	in.ValidUntil = r.until
	a, err := m.s.Add(context.Background(), in, Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	if a.IDM <= m.last {
		t.Fatalf("P70: entry position %d after %d", a.IDM, m.last)
	}
	r.idm, m.last = a.IDM, a.IDM
	m.rows[r.idm] = r
	m.uploaded[r.campaign]++
}

// ready gives the rows that a claim must give, in the order of P56 and P68.
func (m *model) ready(campaign string) []*modelRow {
	var rows []*modelRow
	for _, r := range m.rows {
		if r.campaign == campaign && r.status == gateway.StatusQueued && !m.atDevice(r.idm) && !r.notBefore.After(m.clock.now()) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *modelRow) int {
		if a.priority != b.priority {
			return int(a.priority) - int(b.priority)
		}
		return int(a.idm) - int(b.idm)
	})
	return rows
}

func (m *model) atDevice(idm uint64) bool {
	return slices.ContainsFunc(m.open, func(in Intent) bool { return in.IDM == idm })
}

// intend claims and opens the intent of the next missing segment of each row.
func (m *model) intend(t *rapid.T) {
	campaign := rapid.SampledFrom(campaigns()).Draw(t, "campaign")
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	want := m.ready(campaign)
	got, err := m.s.Claim(Claim{Campaign: campaign, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Messages) != min(limit, len(want)) || got.More != (len(want) > limit) {
		t.Fatalf("claimed %d (more: %t) of %d", len(got.Messages), got.More, len(want))
	}
	var st Step
	for i := range got.Messages {
		r := want[i]
		if got.Messages[i].IDM != r.idm {
			t.Fatalf("claimed %d, want %d", got.Messages[i].IDM, r.idm)
		}
		in := intent(r.idm, 1+slices.IndexFunc(r.parts, func(s gateway.Status) bool { return !out(s) }))
		in.Attempt = r.attempts + 1
		st.Intents = append(st.Intents, in)
	}
	if r := m.step(t, st); len(r.Gone) > 0 {
		t.Fatalf("gone: %v", r.Gone)
	}
	m.open = append(m.open, st.Intents...)
}

func (m *model) step(t *rapid.T, st Step) Stepped {
	done := make(chan Stepped, 1)
	m.s.Step(st, func(r Stepped) { done <- r })
	r := <-done
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return r
}

// settle ends one intent with an outcome.
func (m *model) settle(t *rapid.T) {
	if len(m.open) == 0 {
		t.Skip("no intent is open")
	}
	i := rapid.IntRange(0, len(m.open)-1).Draw(t, "intent")
	in := m.open[i]
	o := Outcome{IDM: in.IDM, Segment: in.Segment, Kind: rapid.SampledFrom([]gateway.Kind{
		gateway.KindNone, gateway.KindNone, gateway.KindRefused, gateway.KindUnavailable, gateway.KindUnknownOutcome,
	}).Draw(t, "kind")}
	if o.Kind == gateway.KindUnavailable {
		o.Retry = m.clock.now().Add(time.Minute)
	}
	m.step(t, Step{Outcomes: []Outcome{o}})
	m.open = slices.Delete(m.open, i, i+1)
	m.apply(in, &o)
}

func (m *model) apply(in Intent, o *Outcome) {
	r := m.rows[in.IDM]
	r.attempts = max(r.attempts, in.Attempt)
	part := &r.parts[in.Segment-1]
	switch {
	case o.Kind == gateway.KindNone:
		*part = gateway.StatusSent
		if !slices.ContainsFunc(r.parts, func(s gateway.Status) bool { return !out(s) }) {
			r.status = gateway.StatusSent
		}
	case o.Kind == gateway.KindUnknownOutcome && r.policy == gateway.UnknownResend && r.attempts < maxResends:
		*part, r.notBefore = gateway.StatusUnknown, m.clock.now().Add(10*time.Minute)
	case o.Kind == gateway.KindUnknownOutcome:
		*part, r.status = gateway.StatusUnknown, gateway.StatusUnknown
	case !o.Retry.IsZero():
		if r.notBefore = o.Retry; *part != gateway.StatusUnknown {
			*part = gateway.StatusNone
		}
	case *part == gateway.StatusUnknown:
		r.end(gateway.StatusFailed)
	default:
		*part, r.status = gateway.StatusFailed, gateway.StatusFailed
	}
}

// end ends a row that goes out no more; with a segment in doubt it ends in doubt.
func (r *modelRow) end(st gateway.Status) {
	if r.status = st; !slices.Contains(r.parts, gateway.StatusUnknown) {
		return
	}
	r.status = gateway.StatusUnknown
	r.parts = replaced(r.parts, gateway.StatusNone, gateway.StatusFailed)
}

func replaced(parts []gateway.Status, from, to gateway.Status) []gateway.Status {
	parts = slices.Clone(parts)
	for i := range parts {
		if parts[i] == from {
			parts[i] = to
		}
	}
	return parts
}

// any draws a row that the spool still has.
func (m *model) any(t *rapid.T) *modelRow {
	if len(m.rows) == 0 {
		t.Skip("no rows")
	}
	var idms []uint64
	for idm := range m.rows {
		idms = append(idms, idm)
	}
	slices.Sort(idms)
	return m.rows[rapid.SampledFrom(idms).Draw(t, "idm")]
}

// lose is what the end of the program does to open intents.
func (m *model) lose() {
	for _, in := range m.open {
		m.apply(in, &Outcome{Kind: gateway.KindUnknownOutcome})
	}
	m.open = nil
}

func (m *model) reopen(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(m.s.o.Path)
	m.lose()
}

// crash goes on with the file as it is on disk, without a Close.
func (m *model) crash(t *rapid.T) {
	m.files++
	path := filepath.Join(m.dir, strconv.Itoa(m.files)+".db")
	b, err := os.ReadFile(m.s.o.Path)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	old := m.s
	m.start(path)
	m.lose()
	old.Close()
}

// check holds the spool against the model after every action.
func (m *model) check(t *rapid.T) {
	if err := m.s.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range campaigns() {
		want := gateway.Counters{Uploaded: m.uploaded[c], Deleted: m.deleted[c]}
		for _, r := range m.rows {
			if r.campaign == c {
				want.ByStatus[r.status]++
			}
		}
		if got, err := m.s.Counters(c); err != nil || got != want {
			t.Fatalf("counters of %s: %+v, want %+v (%v)", c, got, want, err)
		}
	}
	page, err := m.s.List(Query{Limit: 1000, Oldest: true})
	if err != nil || len(page.Messages) != len(m.rows) {
		t.Fatalf("%d rows, want %d: %v", len(page.Messages), len(m.rows), err)
	}
	for i := range page.Messages {
		if err := m.compare(&page.Messages[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *model) compare(got *gateway.Message) error {
	r := m.rows[got.IDM]
	if r == nil {
		return fmt.Errorf("message %d was deleted", got.IDM)
	}
	want := r.status
	if m.atDevice(r.idm) {
		want = gateway.StatusSubmitting
	}
	if got.Status != want || got.Attempts != r.attempts {
		return fmt.Errorf("message %d is %s after %d attempts, want %s after %d", r.idm, got.Status, got.Attempts, want, r.attempts)
	}
	for i := range got.Parts {
		if got.Parts[i].Status != r.parts[i] {
			return fmt.Errorf("message %d, segment %d is %s, want %s", r.idm, i+1, got.Parts[i].Status, r.parts[i])
		}
	}
	return nil
}
