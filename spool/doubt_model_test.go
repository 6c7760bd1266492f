package spool

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// fateTry is one try, and what only the air knows of it.
type fateTry struct {
	in      Intent
	mr      uint8
	went    bool // over the air
	known   bool // the spool was told that it went
	outcome bool // the channel gave one
}

// fate is a message with everything that may be said of its tries, by whom ever.
type fate struct {
	idm    uint64
	to     gateway.Address
	tries  []*fateTry
	person bool // a person said what became of it
	taken  bool // back, by a person
}

// fates is a site in which the channel, the network, the device and a person speak in
// any order; all but the person say the truth.
type fates struct {
	s    *Spool
	c    *clock
	all  []*fate
	user uint32
}

func TestNoOrderOfWordsSendsTwiceOrSaysWhatIsNotSo(t *testing.T) {
	fewerChecks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		m := &fates{c: newClock()}
		m.start(rt, filepath.Join(t.TempDir(), "0.db"))
		defer func() { m.s.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"add":     m.add,
			"try":     m.try,
			"try too": m.try,
			"outcome": m.outcome,
			"ask":     m.ask,
			"report":  m.report,
			"resolve": m.resolve,
			"cancel":  m.cancel,
			"wait":    func(t *rapid.T) { m.c.add(time.Duration(rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute) },
			"reopen": func(t *rapid.T) {
				sound(t, m.s.Close())
				m.start(t, m.s.o.Path)
			},
		})
	})
}

func sound(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func (m *fates) start(t *rapid.T, path string) {
	s, err := Open(Options{Path: path, Now: m.c.now})
	sound(t, err)
	m.s = s
	for _, f := range m.all {
		for _, x := range f.tries {
			x.outcome = true // of a crash: in doubt
		}
	}
}

func (m *fates) add(t *rapid.T) {
	f := &fate{to: gateway.Address(fmt.Sprintf("+5989%07d", len(m.all)))}
	in := text("camp", string(f.to))
	in.Segments = uint8(rapid.IntRange(1, 2).Draw(t, "segments"))
	in.Policy = rapid.SampledFrom([]gateway.UnknownPolicy{gateway.UnknownHold, gateway.UnknownResend}).Draw(t, "policy")
	a, err := m.s.Add(context.Background(), in, Idempotency{})
	sound(t, err)
	f.idm = a.IDM
	m.all = append(m.all, f)
}

// try gives the first row of the queue to the channel.
func (m *fates) try(t *rapid.T) {
	got, err := m.s.Claim(Claim{Campaign: "camp", Limit: 1})
	sound(t, err)
	if len(got.Messages) == 0 || m.user > 250 {
		t.Skip("nothing waits, or a TP-MR would come round")
	}
	row := &got.Messages[0]
	f := m.of(row.IDM)
	m.user++
	segment := 1
	for segment <= len(row.Parts) && out(row.Parts[segment-1].Status) {
		segment++
	}
	x := &fateTry{in: intent(f.idm, segment), mr: uint8(m.user), went: rapid.Bool().Draw(t, "went")}
	x.in.UserID, x.in.At, x.in.Attempt = m.user, m.c.now(), row.Attempts+1
	for _, y := range f.tries {
		if y.in.Segment == segment && y.known {
			t.Fatalf("message %d: segment %d is sent again, which is known to be out", f.idm, segment)
		}
	}
	if f.taken {
		t.Fatalf("message %d is sent, which was taken back", f.idm)
	}
	done := make(chan Stepped, 1)
	m.s.Step(Step{Intents: []Intent{x.in}}, func(r Stepped) { done <- r })
	if r := <-done; r.Err != nil || len(r.Gone) > 0 {
		t.Fatal(r.Err, r.Gone)
	}
	f.tries = append(f.tries, x)
}

func (m *fates) of(idm uint64) *fate {
	return m.all[slices.IndexFunc(m.all, func(f *fate) bool { return f.idm == idm })]
}

// draw gives a try that fits.
func (m *fates) draw(t *rapid.T, fit func(*fate, *fateTry) bool) (*fate, *fateTry) {
	type pair struct {
		f *fate
		x *fateTry
	}
	var some []pair
	for _, f := range m.all {
		for _, x := range f.tries {
			if fit(f, x) {
				some = append(some, pair{f, x})
			}
		}
	}
	if len(some) == 0 {
		t.Skip("no such try")
	}
	p := some[rapid.IntRange(0, len(some)-1).Draw(t, "try")]
	return p.f, p.x
}

// word is what somebody who knows says of a try.
func (m *fates) word(t *rapid.T, x *fateTry) Outcome {
	o := Outcome{IDM: x.in.IDM, Segment: x.in.Segment}
	if x.went {
		o.MR, o.HasMR = x.mr, true
		return o
	}
	if o.Kind = rapid.SampledFrom([]gateway.Kind{gateway.KindRefused, gateway.KindUnavailable}).Draw(t, "kind"); o.Kind == gateway.KindUnavailable {
		o.Retry = m.c.now().Add(time.Minute)
	}
	return o
}

func (m *fates) outcome(t *rapid.T) {
	_, x := m.draw(t, func(_ *fate, x *fateTry) bool { return !x.outcome })
	o := m.word(t, x)
	if rapid.Bool().Draw(t, "lost") {
		o = Outcome{IDM: x.in.IDM, Segment: x.in.Segment, Kind: gateway.KindUnknownOutcome}
	}
	done := make(chan Stepped, 1)
	m.s.Step(Step{Outcomes: []Outcome{o}}, func(r Stepped) { done <- r })
	sound(t, (<-done).Err)
	x.outcome = true
	x.known = x.known || o.HasMR
}

// ask puts a doubt to the device, which knows.
func (m *fates) ask(t *rapid.T) {
	doubts, err := m.s.Doubts(0, 1000)
	sound(t, err)
	if len(doubts) == 0 {
		t.Skip("no doubt")
	}
	d := rapid.SampledFrom(doubts).Draw(t, "doubt")
	f := m.of(d.IDM)
	x := f.tries[slices.IndexFunc(f.tries, func(x *fateTry) bool { return x.in.UserID == d.UserID })]
	_, err = m.s.Settle(context.Background(), d, m.word(t, x))
	sound(t, err)
	x.known = x.known || x.went
}

func (m *fates) report(t *rapid.T) {
	f, x := m.draw(t, func(_ *fate, x *fateTry) bool { return x.went })
	r := gateway.StatusReport{
		SIM: x.in.SIM, MR: x.mr, Recipient: f.to, SentAt: x.in.At, ST: rapid.SampledFrom([]uint8{0, 0x20, 0x46}).Draw(t, "st"),
	}
	sound(t, m.s.Report(context.Background(), r))
}

func (m *fates) resolve(t *rapid.T) {
	f, _ := m.draw(t, func(*fate, *fateTry) bool { return true })
	as := rapid.SampledFrom([]gateway.Status{gateway.StatusSent, gateway.StatusFailed, gateway.StatusQueued}).Draw(t, "as")
	if m.s.Resolve(context.Background(), f.idm, as, "ana") == nil {
		f.person = f.person || as != gateway.StatusQueued
		f.taken = f.taken && as != gateway.StatusQueued
	}
}

func (m *fates) cancel(t *rapid.T) {
	f, _ := m.draw(t, func(*fate, *fateTry) bool { return true })
	if m.s.Cancel(context.Background(), f.idm, "ana") == nil {
		f.taken = true
	}
}

// check holds what the spool says against what is so.
func (m *fates) check(t *rapid.T) {
	sound(t, m.s.Check(context.Background()))
	for _, f := range m.all {
		got, err := m.s.Message(f.idm)
		sound(t, err)
		if f.person {
			continue
		}
		for i := range got.Parts {
			went := slices.ContainsFunc(f.tries, func(x *fateTry) bool { return x.went && x.outcome && x.in.Segment == i+1 })
			flying := slices.ContainsFunc(f.tries, func(x *fateTry) bool { return !x.outcome })
			switch st := got.Parts[i].Status; {
			case out(st) && !went && !flying:
				t.Fatalf("message %d: segment %d is %s, and was never sent: %v", f.idm, i+1, st, got.History)
			case st == gateway.StatusFailed && went:
				t.Fatalf("message %d: segment %d is failed, and went out", f.idm, i+1)
			}
		}
		whole := !slices.ContainsFunc(got.Parts, func(p gateway.Part) bool { return !out(p.Status) }) && len(got.Parts) == int(got.Segments)
		if whole && !slices.Contains([]gateway.Status{gateway.StatusSent, gateway.StatusDelivered, gateway.StatusUndelivered, gateway.StatusSubmitting}, got.Status) {
			t.Fatalf("message %d is %s, and all of it is out", f.idm, got.Status)
		}
	}
}
