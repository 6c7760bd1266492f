package sims

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// Whatever happens: no card that came back is held by itself within the hour, and
// a provider keeps a card that may send.
func TestHoldsNeverFlapAndNeverTakeTheLastCard(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			card      int
			sent      uint32
			delivered bool
			wait      time.Duration
			person    bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				card: rapid.IntRange(0, 2).Draw(t, "card"), sent: rapid.Uint32Range(0, 60).Draw(t, "sent"),
				delivered: rapid.IntRange(0, 3).Draw(t, "delivered") == 0, person: rapid.IntRange(0, 9).Draw(t, "person") == 0,
				wait: time.Duration(rapid.IntRange(1, 90).Draw(t, "wait")) * time.Minute,
			}
		}), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.start()
			a, b, c := w.three()
			logs := []*cardLog{a, b, c}
			for _, s := range steps {
				l := logs[s.card]
				if w.Held(l.id) == "" {
					w.sent(l, s.sent)
				}
				if s.delivered {
					w.delivered(l, min(s.sent, 3))
				}
				if s.person && w.Held(l.id) != "" {
					if _, err := w.Release(t.Context(), l.id, "anna"); err != nil {
						rt.Error(err)
					}
				}
				w.pass(s.wait)
				if n := len(w.heldOnes()); n == len(logs) {
					rt.Errorf("all %d cards are held", n)
				}
			}
			w.stop()
			back := map[string]time.Time{}
			for i, e := range w.store.events {
				ev, ok := e.(gateway.SIMEvent)
				if !ok {
					continue
				}
				at := w.store.at[i]
				switch ev.Change {
				case "released":
					back[ev.ID] = at
				case "held":
					if since, was := back[ev.ID]; was && at.Sub(since) < time.Hour {
						rt.Errorf("%s was held %v after it came back", ev.ID, at.Sub(since))
					}
				}
			}
		})
	})
}
