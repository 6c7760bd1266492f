package sim

import (
	"testing"
	"time"
)

func TestRadioTimeVariesByTheJitterAndIsDrawnFromTheSeed(t *testing.T) {
	n := NewNetwork(NetworkOptions{Seed: 7})
	defer n.Close()
	m := &Modem{net: n, o: Options{IMEI: "860000000000007", Latency: time.Second, Jitter: 0.1}}
	var sum time.Duration
	const draws = 2000
	for i := range uint64(draws) {
		took := m.radioTime(i)
		if took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Fatalf("send %d takes %s: more than a tenth off", i, took)
		}
		if again := m.radioTime(i); again != took {
			t.Fatalf("send %d takes %s, then %s", i, took, again)
		}
		sum += took
	}
	if mean := sum / draws; mean < 990*time.Millisecond || mean > 1010*time.Millisecond {
		t.Errorf("the mean of %d sends is %s", draws, mean)
	}
	m.o.Jitter = 0
	if took := m.radioTime(1); took != time.Second {
		t.Errorf("without jitter a send takes %s", took)
	}
}
