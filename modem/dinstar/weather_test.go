package dinstar

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestInBadWeatherWhatIsSaidOfAMessageIsTrue(t *testing.T) {
	const ports, rows = 6, 25
	var bad []sim.DinstarFault
	for _, do := range []sim.DinstarDeed{sim.DropBefore, sim.AcceptAndDrop, sim.AnswerCode, sim.AnswerStatus, sim.StaleNonce,
		sim.AnswerHTML, sim.HalfJSON, sim.CutBody, sim.WrongTypes} {
		bad = append(bad, sim.DinstarFault{Chance: 0.02, Do: do})
	}
	r := newRig(t, sim.DinstarOptions{Ports: ports, Latency: 5 * time.Millisecond}, nil)
	for p := range ports {
		r.ready(p)
	}
	r.gateway.Inject(bad...)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		said = map[string]gateway.Kind{}
	)
	for p := range ports {
		wg.Go(func() {
			for i := range rows {
				id := uint32(p*rows + i + 1)
				text := fmt.Sprint("row ", id)
				_, err := r.send(p, id, text)
				mu.Lock()
				said[text] = gateway.KindOf(err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	kinds := map[gateway.Kind]int{}
	for text, k := range said {
		n := r.copies(text)
		kinds[k]++
		if n > 1 || n == 0 && k == gateway.KindNone || n == 1 && k != gateway.KindNone && k != gateway.KindUnknownOutcome {
			t.Errorf("%s: %v, with %d copies on the air", text, k, n)
		}
	}
	if kinds[gateway.KindNone] < ports*rows*3/4 {
		t.Errorf("the outcomes are %v", kinds)
	}
	t.Log(kinds)
}
