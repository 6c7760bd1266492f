package sim

import (
	"math/rand/v2"
	"sync"
)

// spoiler is a bad wire: of the bytes to the driver a share is changed, lost, or has
// another one before it.
type spoiler struct {
	mu    sync.Mutex
	share float64
	rand  *rand.Rand
}

func newSpoiler(seed uint64, imei string, share float64) *spoiler {
	return &spoiler{share: share, rand: rand.New(rand.NewPCG(seed, uint64(chance(seed, imei, 0, saltWire)*(1<<53))))}
}

// SetGarble says what share of the bytes to the driver the wire spoils from now on, 0 to 1.
// The other direction is left alone: no command has a checksum, and a message whose
// number was changed on its way to the modem goes to that number.
func (m *Modem) SetGarble(share float64) {
	m.wire.mu.Lock()
	defer m.wire.mu.Unlock()
	m.wire.share = share
}

// spoil gives what arrives of b.
func (s *spoiler) spoil(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.share <= 0 {
		return b
	}
	out := make([]byte, 0, len(b)+4)
	for _, c := range b {
		if s.rand.Float64() >= s.share {
			out = append(out, c)
			continue
		}
		switch s.rand.IntN(3) {
		case 0:
			out = append(out, c^1<<s.rand.IntN(8))
		case 1: // lost
		default:
			out = append(out, byte(s.rand.IntN(256)), c)
		}
	}
	return out
}
