package dialer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// ledger is what really went on the air.
type ledger struct {
	mu     sync.Mutex
	r      *rand.Rand
	copies map[string]int // by message and segment
	flying map[gateway.Address]int
	faults []string
}

// answer is a network of every temper. What it says of a send is true, except
// that it may lose its answer.
func (l *ledger) answer(ctx context.Context, c call) (modem.Receipt, error) {
	l.mu.Lock()
	l.flying[c.sub.To]++
	if l.flying[c.sub.To] > 1 {
		l.faults = append(l.faults, "two messages in flight to "+string(c.sub.To))
	}
	wait, temper := time.Duration(l.r.IntN(3000))*time.Millisecond, l.r.IntN(20)
	l.mu.Unlock()
	<-time.After(wait)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying[c.sub.To]--
	if temper < 15 || temper == 19 {
		l.copies[fmt.Sprint(c.sub.IDM, "#", c.sub.Segment)]++
	}
	switch temper {
	case 15:
		return modem.Receipt{}, gateway.Errorf(gateway.KindRefused, "no such number")
	case 16:
		return modem.Receipt{}, gateway.Errorf(gateway.KindThrottled, "too fast")
	case 17:
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "no network")
	case 18, 19: // before it went out, and after
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "no answer")
	}
	return modem.Receipt{}, nil
}

// Invariants, whatever happens to channels, cards, lanes and the store meanwhile:
//  1. no segment goes on the air twice (policy hold),
//  2. one message of a number is in flight at a time,
//  3. every message ends, and the counters balance,
//  4. a message is sent if and only if each of its segments went on the air.
func TestNothingIsLostOrSentTwiceInBadWeather(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) { badWeather(t, seed) })
		})
	}
}

func badWeather(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	air := &ledger{r: rand.New(rand.NewPCG(seed, 2)), copies: map[string]int{}, flying: map[gateway.Address]int{}}
	lanes := []Lane{aLane("a"), aLane("b"), aLane("c")}
	lanes[1].Interval = 300 * time.Millisecond
	lanes[2].Limits = gateway.Limits{PerMinute: 10}
	lanes[0].Choice, lanes[1].Choice = gateway.ChoiceLeastUsed, gateway.ChoiceSameOperator
	bank, cards := twoOperators(6)
	w := setup(t, bank, lanes...)
	w.o.SIMs = cards
	q := &brokenQueue{Queue: w.store}
	w.o.Queue = q
	w.bank.script(air.answer)
	var ms []gateway.Message
	for range 90 {
		m := long(lanes[r.IntN(3)].Name, r.IntN(60), 1+r.IntN(3))
		m.Priority = uint16(1 + r.IntN(3))
		ms = append(ms, m)
	}
	ids := w.addAll(ms...)
	w.start()
	for range 60 {
		w.weather(r, q, cards)
		pass(time.Duration(r.IntN(2000)) * time.Millisecond)
	}
	q.set(false)
	cards.hold(nil)
	for p := range 6 {
		w.bank.up(gateway.ChannelID("bank", p))
	}
	for _, l := range lanes {
		w.defs.change(l.Name, func(l *Lane) { l.Running = true })
	}
	pass(time.Hour)

	air.judge(w, ids, ms)
}

// weather changes a channel, a lane, the store or a card.
func (w *world) weather(r *rand.Rand, q *brokenQueue, cards *fakeCards) {
	id := gateway.ChannelID("bank", r.IntN(6))
	name := w.defs.Lanes()[r.IntN(3)].Name
	switch r.IntN(7) {
	case 0:
		w.bank.down(id, "unplugged")
	case 1:
		w.bank.up(id)
	case 2:
		w.defs.change(name, func(l *Lane) { l.Running = !l.Running })
	case 3:
		q.set(!q.isBroken())
	case 4: // some cards are held, or none is
		held := map[string]string{}
		for range r.IntN(4) {
			held[fmt.Sprintf("8959%03d", r.IntN(6))] = noDelivery
		}
		cards.hold(held)
	case 5: // two cards change places
		w.bank.set(id, func(c *gateway.Channel) {
			other := &w.bank.channels[r.IntN(6)]
			c.ICCID, other.ICCID = other.ICCID, c.ICCID
		})
	}
}

// judge holds what went on the air against what the store says of each message.
func (l *ledger) judge(w *world, ids []uint64, ms []gateway.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		w.t.Error(f)
	}
	for key, n := range l.copies {
		if n > 1 {
			w.t.Errorf("%s went on the air %d times", key, n)
		}
	}
	for i, idm := range ids {
		m := w.message(idm)
		on := 0
		for seg := 1; seg <= int(ms[i].Segments); seg++ {
			on += l.copies[fmt.Sprint(idm, "#", seg)]
		}
		switch m.Status {
		case gateway.StatusSent:
			if on != int(ms[i].Segments) {
				w.t.Errorf("message %d is sent with %d of %d segments on the air", idm, on, ms[i].Segments)
			}
		case gateway.StatusFailed:
			if on == int(ms[i].Segments) {
				w.t.Errorf("message %d is failed with every segment on the air", idm)
			}
		case gateway.StatusUnknown:
		default:
			w.t.Errorf("message %d is still %s: %q", idm, m.Status, w.d.Explain(m))
		}
	}
	all, err := w.store.AllCounters()
	for name, c := range all {
		if !c.Balanced() || c.NotProcessed() != 0 {
			w.t.Errorf("%s: counters %+v", name, c)
		}
	}
	if err != nil {
		w.t.Error(err)
	}
}
