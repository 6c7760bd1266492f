package dinstar

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// answerTime is what the web server of a gateway takes for a request.
const answerTime = 30 * time.Millisecond

// warmUp is how many sends of a port are not measured: it learns how long they take.
const warmUp = 3

// BenchmarkShareOfIdeal measures for what share of the time the radios of a gateway
// are busy, with work for every port and one request at a time.
func BenchmarkShareOfIdeal(b *testing.B) {
	for _, c := range []struct {
		ports, rows int
		radio       time.Duration
		jitter      float64
	}{
		{8, 8, 3 * time.Second, 0}, {8, 8, 3 * time.Second, 0.2}, {32, 8, 3 * time.Second, 0}, {32, 8, 3 * time.Second, 0.2},
		{8, 30, 300 * time.Millisecond, 0}, {32, 20, 300 * time.Millisecond, 0},
	} {
		b.Run(fmt.Sprintf("ports=%d/radio=%v/jitter=%g", c.ports, c.radio, c.jitter), func(b *testing.B) {
			for b.Loop() {
				r := newRig(b, sim.DinstarOptions{
					Ports: c.ports, Latency: c.radio, Jitter: c.jitter,
					Faults: []sim.DinstarFault{{Chance: 1, Do: sim.LateAnswer, Delay: answerTime}},
				}, func(o *Options) { o.Times, o.Every = Times{}, Every{} })
				b.ReportMetric(100*r.share(c.ports, c.rows), "%ideal")
				r.stop()
			}
		})
	}
}

// share sends rows messages over each port and gives for what share of the time the
// radios were busy.
func (r *rig) share(ports, rows int) float64 {
	var wg sync.WaitGroup
	for p := range ports {
		r.ready(p)
		wg.Go(func() {
			for i := range warmUp + rows {
				id := uint32(p*(warmUp+rows) + i + 1)
				if _, err := r.driver.Send(context.Background(), p, modem.Submission{
					IDM: uint64(id), UserID: id, To: "+59899123456", Text: fmt.Sprint("row ", id),
					Encoding: gateway.EncodingGSM7, Segments: 1,
				}); err != nil {
					r.Errorf("port %d: %v", p, err)
				}
			}
		})
	}
	wg.Wait()
	var busy, idle time.Duration
	seen := map[string]int{}
	for _, e := range r.net.Entries() {
		if seen[e.SIM]++; seen[e.SIM] > warmUp {
			busy, idle = busy+e.Radio, idle+e.Gap
		}
	}
	return float64(busy) / float64(busy+idle)
}
