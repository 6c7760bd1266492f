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

// fakeMeter has the usage that a test gave each SIM.
type fakeMeter struct {
	usage map[string]spool.Usage
	known map[string]bool // SIMs that know every number
}

func (f *fakeMeter) SIMUsage(sim string, _ time.Time) (spool.Usage, error) { return f.usage[sim], nil }

func (f *fakeMeter) SIMRecord(string) (spool.SIMRecord, error) { return spool.SIMRecord{}, nil }

func (f *fakeMeter) KnowsRecipient(sim string, _ gateway.Address, _ time.Time) (bool, error) {
	return f.known[sim], nil
}

// table is a dialer that does not run, with one lane over n channels.
func table(n int, choice string, meter *fakeMeter, sims SIMs) (*Dialer, *lane) {
	def := aLane("d")
	def.Choice = choice
	q := &nullQueue{}
	d := New(Options{
		Queue: q, Blacklist: q, Meter: meter, Channels: newBank("bank", n), SIMs: sims,
		Definitions: &fakeDefs{lanes: []Lane{def}, watch: make(chan struct{})},
	})
	d.now, d.mono, d.trusted = time.Now().UTC(), time.Now(), true
	d.refreshChannels()
	d.refreshLanes()
	return d, d.lanes["d"]
}

// Whatever the choice:
//  1. it takes a channel exactly when the ring would take one: no SIM is idle;
//  2. the channel is one that the ring might have taken: free, in the dial string, not
//     held, its SIM with room, and the one that the row is bound to;
//  3. least-used takes a smallest share, same-operator one of the owner where there is one.
func TestChoiceNeverSendsWhereTheRingWouldNot(t *testing.T) {
	for _, choice := range []string{gateway.ChoiceRing, gateway.ChoiceLeastUsed, gateway.ChoiceSameOperator} {
		t.Run(choice, func(t *testing.T) {
			for seed := range uint64(3000) {
				r := rand.New(rand.NewPCG(seed, 7))
				cards := newCards()
				meter := &fakeMeter{usage: map[string]spool.Usage{}, known: map[string]bool{}}
				d, l := table(1+r.IntN(8), choice, meter, cards)
				scatter(r, d, l, meter, cards)
				checkChoice(t, seed, d, l, r)
			}
		})
	}
}

// scatter puts channels and cards into every condition.
func scatter(r *rand.Rand, d *Dialer, l *lane, meter *fakeMeter, cards *fakeCards) {
	l.def.Limits = gateway.Limits{PerMinute: uint32(r.IntN(4)), PerDay: uint32(r.IntN(8)), RecipientsPerMonth: uint32(r.IntN(5))}
	l.def.SIMLimits = map[string]gateway.Limits{"8959001": {PerMonth: uint32(r.IntN(9))}}
	if r.IntN(3) == 0 {
		l.def.Ports = []int{2, 0, 5}
	}
	for _, s := range d.row {
		n := func(most int) uint32 { return uint32(r.IntN(most)) }
		meter.usage[s.sim.key] = spool.Usage{Minute: n(4), Hour: n(9), Day: n(9), Month: n(9), Recipients: n(5)}
		meter.known[s.sim.key] = r.IntN(2) == 0
		s.sim.operator = []string{"", "North", "South"}[r.IntN(3)]
		s.sim.held = []string{"", "", "", "it is lent"}[r.IntN(4)]
		s.state = []slotState{slotIdle, slotDone, slotSending, slotWriting}[r.IntN(4)]
		s.resting = r.IntN(6) == 0
		if r.IntN(6) == 0 {
			s.ch.State = gateway.ChannelAbsent
		}
	}
	cards.owner = func(gateway.Address) string { return []string{"", "North", "South"}[r.IntN(3)] }
	l.lineUp(d.row)
	if len(l.ring) > 0 {
		l.at = r.IntN(len(l.ring)+1) - 1
	}
}

func checkChoice(t *testing.T, seed uint64, d *Dialer, l *lane, r *rand.Rand) {
	t.Helper()
	m := row("d", 1)
	m.Segments = uint8(1 + r.IntN(3))
	if r.IntN(4) == 0 {
		m.Source = fmt.Sprint(r.IntN(8))
	}
	owner := d.o.SIMs.Owner(m.To)
	d.o.SIMs.(*fakeCards).owner = func(gateway.Address) string { return owner }
	d.count(l)
	got, _ := d.seat(l, &m, (*Dialer).takes)
	var allowed []*slot
	for _, s := range l.ring {
		if s.free() && d.takes(l, s, &m) && (m.Source == "" || m.Source == fmt.Sprint(s.port)) {
			allowed = append(allowed, s)
		}
	}
	if m.Source != "" { // any port of the provider
		allowed = nil
		for _, s := range l.reach {
			if m.Source == fmt.Sprint(s.port) && s.free() && d.takes(l, s, &m) {
				allowed = append(allowed, s)
			}
		}
	}
	if got == nil {
		if len(allowed) > 0 {
			t.Fatalf("seed %d: nothing taken, while %s is free", seed, allowed[0].id)
		}
		return
	}
	if !slices.Contains(allowed, got) {
		t.Fatalf("seed %d: %s taken, which must not send it", seed, got.id)
	}
	if m.Source != "" {
		return
	}
	of := func(s *slot) share { lim := l.def.limits(s.sim.key); return s.sim.share(&lim) }
	for _, s := range allowed {
		a, b := of(s), of(got)
		switch l.def.Choice {
		case gateway.ChoiceLeastUsed:
			if a.less(&b) {
				t.Fatalf("seed %d: %s taken (%s), while %s has used less (%s)", seed, got.id, b.words(), s.id, a.words())
			}
		case gateway.ChoiceSameOperator:
			if owner != "" && s.sim.operator == owner && got.sim.operator != owner {
				t.Fatalf("seed %d: %s of %q taken for a number of %s, while %s is free", seed, got.id, got.sim.operator, owner, s.id)
			}
		}
	}
}

func TestChoiceCostsNoMemory(t *testing.T) {
	for _, choice := range []string{gateway.ChoiceRing, gateway.ChoiceLeastUsed, gateway.ChoiceSameOperator} {
		cards := newCards()
		d, l := table(32, choice, &fakeMeter{}, cards)
		l.def.Limits = gateway.Limits{PerMinute: 10, PerHour: 100, PerDay: 200, PerMonth: 1000}
		l.buf = []gateway.Message{row("d", 1), row("d", 2)}
		if n := testing.AllocsPerRun(100, func() {
			if c, ok := d.choose(l); !ok || c.slot == nil {
				t.Fatal("nothing chosen")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a choice", choice, n)
		}
	}
}

func TestLeastUsedServesTheSIMWithMostQuotaLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Choice, l.Interval = gateway.ChoiceLeastUsed, time.Second
		l.Limits = gateway.Limits{PerDay: 10}
		l.SIMLimits = map[string]gateway.Limits{"8959001": {PerDay: 40}}
		w := setup(t, newBank("bank", 3), l)
		w.addRows("d", 0, 12)
		d := w.start()
		pass(11500 * time.Millisecond)
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 1, 2, 1, 1, 1, 2, 0, 1, 1, 1, 1})
		why := d.Explain(w.message(w.add(row("d", 50))))
		if want := "It goes to bank/2 next: least used (2 of 10 today)."; why[len(why)-1] != want {
			t.Errorf("explained as %q, want %q", why, want)
		}
	})
}

func TestP46LeastUsedServesEqualSIMsInTurnAndSurvivesARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Choice, l.Interval, l.Ports = gateway.ChoiceLeastUsed, time.Second, []int{2, 0, 1}
		w := setup(t, newBank("bank", 3), l)
		w.addRows("d", 0, 4)
		w.start()
		pass(5 * time.Second)
		w.restart()
		w.addRows("d", 4, 9)
		pass(10 * time.Second)
		wantInts(t, "ports", ports(w.bank.sent()), []int{2, 0, 1, 2, 0, 1, 2, 0, 1})
	})
}

func TestLeastUsedWithoutLimitsCountsWhatWentOutToday(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Choice, l.Interval = gateway.ChoiceLeastUsed, time.Second
		w := setup(t, newBank("bank", 3), l)
		w.bank.down("bank/1", "unplugged")
		w.addRows("d", 0, 4)
		w.start()
		pass(3500 * time.Millisecond)
		w.bank.up("bank/1")
		w.addRows("d", 10, 14)
		pass(10 * time.Second)
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 2, 0, 2, 1, 1, 2, 0})
	})
}

func TestLeastUsedPassesOverASIMWithoutRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := aLane("d")
		l.Choice, l.Limits = gateway.ChoiceLeastUsed, gateway.Limits{PerDay: 2}
		w := setup(t, newBank("bank", 2), l)
		w.bank.script(takes(time.Second))
		w.addAll(long("d", 1, 2), row("d", 2), row("d", 3), row("d", 4))
		w.start()
		pass(time.Minute)
		if n := len(w.bank.sent()); n != 4 {
			t.Errorf("%d segments went out, want the 4 that two SIMs may send today", n)
		}
	})
}

// twoOperators is a bank whose even ports are of North and odd ones of South; so are
// the numbers.
func twoOperators(ports int) (*fakeBank, *fakeCards) {
	cards := newCards()
	b := newBank("bank", ports)
	for i, c := range b.channels {
		cards.operators[c.SIMKey()] = []string{"North", "South"}[i%2]
	}
	cards.owner = func(to gateway.Address) string {
		return []string{"North", "South"}[int(to[len(to)-1]-'0')%2]
	}
	return b, cards
}

func TestSameOperatorTakesTheSIMOfTheNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank, cards := twoOperators(4)
		l := aLane("d")
		l.Choice, l.Interval = gateway.ChoiceSameOperator, time.Second
		w := setup(t, bank, l)
		w.o.SIMs = cards
		w.addAll(row("d", 10), row("d", 12), row("d", 14), row("d", 11), row("d", 13), row("d", 16))
		d := w.start()
		pass(500 * time.Millisecond)
		want := "It goes to bank/2 next: its SIM is of North, as the number is."
		if why := d.Explain(w.message(2)); len(why) != 2 || why[1] != want {
			t.Errorf("explained as %q, want %q", why, want)
		}
		pass(10 * time.Second)
		wantInts(t, "ports", ports(w.bank.sent()), []int{0, 2, 0, 1, 3, 0})
		w.bank.down("bank/0", "unplugged")
		w.bank.down("bank/2", "unplugged")
		w.addAll(row("d", 20), row("d", 21))
		pass(10 * time.Second)
		wantInts(t, "ports without North", ports(w.bank.sent())[6:], []int{1, 3})
		ids := w.addAll(row("d", 30), row("d", 32))
		pass(100 * time.Millisecond)
		want = "It goes to bank/3 next: no SIM of North, as the number is, can take it now."
		if why := d.Explain(w.message(ids[1])); len(why) != 3 || why[1] != want {
			t.Errorf("explained as %q, want %q", why, want)
		}
	})
}

// The one SIM of its operator is busy for an hour: a row is passed by as many as the
// ring has channels, however many there are, and then goes over what is free.
func TestSameOperatorLeavesNoRowBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank, cards := twoOperators(4)
		cards.operators["8959003"] = "North"
		l := aLane("d")
		l.Choice = gateway.ChoiceSameOperator
		w := setup(t, bank, l)
		w.o.SIMs = cards
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			if c.id == "bank/1" {
				return takes(time.Hour)(ctx, c)
			}
			return takes(time.Second)(ctx, c)
		})
		w.add(row("d", 1)) // of South, for the hour
		w.start()
		pass(time.Second)
		single := func(n int) gateway.Message {
			m := row("d", n)
			m.Priority = gateway.PrioritySingle
			return m
		}
		w.addAll(single(20), single(40), single(60))
		passed := w.addAll(single(11), single(13))
		for n := range 100 { // more come all the time
			w.add(single(100 + 2*n))
			pass(100 * time.Millisecond)
		}
		calls := w.bank.sent()
		for i, idm := range passed {
			at := slices.IndexFunc(calls, func(c call) bool { return c.sub.IDM == idm })
			if at < 0 || at > 4+(i+1)*(4+1) {
				t.Errorf("the row of South left as number %d of %d", at, len(calls))
			}
		}
	})
}

// With every channel busy, a freed one takes a row of its operator; and no row waits
// for ever behind those that pass it.
func TestSameOperatorUnderLoad(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bank, cards := twoOperators(8)
		l := aLane("d")
		l.Choice = gateway.ChoiceSameOperator
		w := setup(t, bank, l)
		w.o.SIMs = cards
		r := rand.New(rand.NewPCG(1, 2))
		w.bank.script(func(ctx context.Context, c call) (modem.Receipt, error) {
			w.bank.mu.Lock()
			wait := time.Duration(2000+r.IntN(2000)) * time.Millisecond
			w.bank.mu.Unlock()
			return takes(wait)(ctx, c)
		})
		const rows = 400
		var ms []gateway.Message
		for n := range rows {
			ms = append(ms, row("d", 10*n+r.IntN(2)))
		}
		w.addAll(ms...)
		w.start()
		pass(time.Hour)
		calls := w.bank.sent()
		if len(calls) != rows {
			t.Fatalf("%d sent, want %d", len(calls), rows)
		}
		own, most := 0, 0
		for i, c := range calls {
			if cards.operators[fmt.Sprintf("8959%03s", c.id[len("bank/"):])] == cards.owner(c.sub.To) {
				own++
			}
			before := 0
			for _, o := range calls[:i] {
				if o.sub.IDM > c.sub.IDM {
					before++
				}
			}
			most = max(most, before)
		}
		if own < rows*9/10 {
			t.Errorf("%d of %d went over their own operator, want nine in ten", own, rows)
		}
		if most >= gateway.MaxBatch {
			t.Errorf("%d rows passed one", most)
		}
	})
}
