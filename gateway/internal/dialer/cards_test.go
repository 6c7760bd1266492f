package dialer

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// fakeCards are cards of which a test says what is known.
type fakeCards struct {
	mu        sync.Mutex
	held      map[string]string
	operators map[string]string
	owner     func(gateway.Address) string
	watch     chan struct{}
}

func newCards() *fakeCards {
	return &fakeCards{
		held: map[string]string{}, operators: map[string]string{}, watch: make(chan struct{}),
		owner: func(gateway.Address) string { return "" },
	}
}

func (f *fakeCards) Held(sim string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[sim]
}

func (f *fakeCards) Operator(sim string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.operators[sim]
}

func (f *fakeCards) Owner(to gateway.Address) string { return f.owner(to) }

func (f *fakeCards) Watch() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watch
}

// hold sets why cards must not send.
func (f *fakeCards) hold(why map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = maps.Clone(why)
	close(f.watch)
	f.watch = make(chan struct{})
}

const noDelivery = "it sent 30 messages since 14:02 and none was delivered"

func TestHeldSIMIsPassedOverAndHoldsUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cards := newCards()
		w := setup(t, newBank("bank", 3), aLane("d"))
		w.o.SIMs = cards
		w.bank.script(takes(time.Second))
		cards.hold(map[string]string{"8959001": noDelivery})
		for n := range 60 { // more than the memory holds
			m := row("d", n)
			m.Source = "1"
			w.add(m)
		}
		w.addRows("d", 100, 106)
		d := w.start()
		pass(2500 * time.Millisecond)
		wantRounds(t, ports(w.bank.sent()), 0, 2)
		if n := len(w.bank.sent()); n != 6 {
			t.Errorf("%d sent over the other two SIMs, want 6", n)
		}
		want := "No channel can take it now: SIM ...9001 in bank/1 is held: " + noDelivery + "."
		if why := d.Explain(w.message(1)); len(why) != 1 || why[0] != want {
			t.Errorf("explained as %q, want %q", why, want)
		}
		cards.hold(nil)
		pass(70 * time.Second)
		if n := len(w.bank.sent()); n != 66 {
			t.Errorf("%d sent after the hold, want 66", n)
		}
	})
}

func TestEndOfAHoldWakesTheLoopAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cards := newCards()
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.o.SIMs = cards
		cards.hold(map[string]string{"8959000": noDelivery, "8959001": "a person held it"})
		id := w.add(row("d", 1))
		d := w.start()
		pass(time.Second)
		st, _ := d.Status("d")
		if want := "the SIMs of 2 channels are held; SIM ...9000 in bank/0 is held: " + noDelivery; st.Idle != want {
			t.Errorf("idle because %q, want %q", st.Idle, want)
		}
		why := strings.Join(d.Explain(w.message(id)), " ")
		if !strings.Contains(why, "None of its 2 channels") || !strings.Contains(why, "SIM ...9001 in bank/1 is held: a person held it.") {
			t.Errorf("explained as %q", why)
		}
		cards.hold(map[string]string{"8959000": noDelivery})
		pass(0)
		w.expect(id, gateway.StatusSent)
		wantInts(t, "ports", ports(w.bank.sent()), []int{1})
	})
}

// Whoever looks after the cards hears of a swap from the bank, as the dialer does, and
// may be later with its word.
func TestACardThatIsHeldForItsMoveSendsNothingBeforeTheWordOfIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cards := newCards()
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.channels = append(w.bank.channels, gateway.Channel{ID: "bank/1", Provider: "bank", Port: 1, State: gateway.ChannelAbsent})
		w.o.SIMs = cards
		w.start()
		pass(time.Second)
		cards.mu.Lock()
		cards.held["8959000"] = "it was moved" // nobody is told yet
		cards.mu.Unlock()
		w.bank.set("bank/0", func(c *gateway.Channel) { // both slots are seen at once
			c.State, c.ICCID = gateway.ChannelAbsent, ""
			w.bank.channels[1].State, w.bank.channels[1].ICCID = gateway.ChannelReady, "8959000"
		})
		id := w.add(row("d", 1))
		pass(time.Minute)
		w.expect(id, gateway.StatusQueued)
	})
}

// Half a message costs what it costs: a hold that comes in the middle lets it end.
func TestHoldLetsTheMessageOnTheAirEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cards := newCards()
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.o.SIMs = cards
		w.bank.script(takes(time.Second))
		ids := w.addAll(long("d", 1, 3), row("d", 2))
		w.start()
		pass(1500 * time.Millisecond)
		cards.hold(map[string]string{"8959000": noDelivery})
		pass(time.Hour)
		w.expect(ids[0], gateway.StatusSent)
		w.expect(ids[1], gateway.StatusQueued)
	})
}

// A message that broke off waits for its SIM: what is left of it would go out by
// itself, minutes later, over a SIM that is under suspicion.
func TestRestOfABrokenOffMessageWaitsForItsHeldSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cards := newCards()
		w := setup(t, newBank("bank", 2), aLane("d"))
		w.o.SIMs = cards
		id, other := w.begin("d"), w.add(row("d", 2))
		cards.hold(map[string]string{"8959000": noDelivery})
		d := w.start()
		pass(time.Minute)
		w.expect(other, gateway.StatusSent)
		m := w.expect(id, gateway.StatusQueued)
		said := strings.Join(d.Explain(m), " ")
		if !strings.Contains(said, "1 of 2 segments went out") || !strings.Contains(said, "SIM ...9000 in bank/0 is held") {
			t.Errorf("explained as %q", said)
		}
		cards.hold(nil)
		pass(time.Second)
		w.expect(id, gateway.StatusSent)
	})
}

// refuser is a network that refuses one SIM everything.
func refuser(w *world, sim string) func(context.Context, call) (modem.Receipt, error) {
	return func(ctx context.Context, c call) (modem.Receipt, error) {
		for _, ch := range w.bank.Channels() {
			if ch.ID == c.id && ch.ICCID == sim {
				return says(gateway.KindRefused, 0)(ctx, c)
			}
		}
		return takes(time.Second)(ctx, c)
	}
}

func TestRestForRefusalsGoesWithTheSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.channels = append(w.bank.channels, gateway.Channel{ID: "bank/1", Provider: "bank", Port: 1, State: gateway.ChannelAbsent})
		w.bank.script(refuser(w, "8959000"))
		w.addRows("d", 0, 100)
		w.start()
		pass(10 * time.Second)
		if n := len(w.bank.sent()); n != refusalsInARow {
			t.Fatalf("%d rows used up by a SIM without credit, want %d", n, refusalsInARow)
		}
		// The card is moved to the other slot, a new one is put into its place.
		w.bank.set("bank/0", func(c *gateway.Channel) { c.ICCID = "8959777" })
		w.bank.set("bank/1", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelReady, "8959000" })
		pass(20 * time.Second)
		n := map[string]int{}
		for _, c := range w.bank.sent()[refusalsInARow:] {
			n[c.id]++
		}
		if n["bank/1"] != 0 || n["bank/0"] < 20 {
			t.Errorf("sends after the move by channel: %v, want the new card to start clean and the moved one to rest", n)
		}
		pass(31 * time.Second) // the minute is over
		n = map[string]int{}
		for _, c := range w.bank.sent()[refusalsInARow:] {
			n[c.id]++
		}
		if n["bank/1"] != 1 {
			t.Errorf("%d tries of the moved card after its rest, want one, and a longer rest", n["bank/1"])
		}
	})
}

func TestModemThatStartsAgainKeepsTheRefusalsOfItsSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(says(gateway.KindRefused, 0))
		w.addRows("d", 0, 6)
		w.start()
		pass(time.Second)
		w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelStarting, "" })
		pass(time.Minute)
		w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelReady, "8959000" })
		w.addRows("d", 10, 30)
		pass(30 * time.Second)
		if n := len(w.bank.sent()); n != refusalsInARow {
			t.Errorf("%d rows used up, want %d: the modem started again, not the SIM", n, refusalsInARow)
		}
	})
}

// rested gives how long a channel was let rest, each time.
func (b *fakeBank) rested(id string) []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []time.Duration
	for _, r := range b.rests {
		if r.id == id && r.d > 0 {
			all = append(all, r.d)
		}
	}
	return all
}

func TestModemThatStartsAgainAfterEachFaultRestsLonger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(says(gateway.KindUnavailable, 0))
		w.addRows("d", 0, 10)
		w.start()
		for len(w.bank.rested("bank/0")) < 4 {
			n := len(w.bank.rested("bank/0"))
			pass(100 * time.Millisecond)
			if len(w.bank.rested("bank/0")) > n { // it goes away and comes back
				w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelAbsent, "" })
				pass(time.Minute)
				w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelReady, "8959000" })
			}
		}
		want := []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
		if got := w.bank.rested("bank/0"); !slices.Equal(got[:4], want) {
			t.Errorf("rests %v, want them to begin with %v", got, want)
		}
		n := len(w.bank.rested("bank/0"))
		w.bank.set("bank/0", func(c *gateway.Channel) { c.State, c.ICCID = gateway.ChannelReady, "8959777" })
		pass(time.Minute)
		if got := w.bank.rested("bank/0")[n:]; len(got) == 0 || got[0] != 2*time.Second {
			t.Errorf("with a new card the rests are %v, want 2 s at first", got)
		}
	})
}

func TestCardsThatAreGoneAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		d := w.start()
		for n := range 200 {
			w.bank.set("bank/0", func(c *gateway.Channel) { c.ICCID = "89" + strings.Repeat("7", n%20) + number2(n) })
			pass(time.Millisecond)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if n := len(d.sims); n > 1 {
			t.Errorf("%d cards are known of one channel", n)
		}
	})
}

func number2(n int) string { return string(number(n))[1:] }

// A SIM without credit uses up ten rows, and one more after each restart.
func TestRefusalsOfASIMAreCountedOverARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := setup(t, newBank("bank", 1), aLane("d"))
		w.bank.script(says(gateway.KindRefused, 0))
		w.addRows("d", 0, 60)
		w.start()
		pass(time.Second)
		for starts := range 3 {
			if n := len(w.bank.sent()); n != refusalsInARow+starts {
				t.Errorf("%d rows used up after %d restarts, want %d", n, starts, refusalsInARow+starts)
			}
			w.stop()
			pass(time.Hour) // its rest in this process is over
			w.restart()
			pass(time.Second)
		}
	})
}
