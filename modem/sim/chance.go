package sim

// What a draw decides: draws for different ends are independent.
const (
	saltLoss = iota + 1
	saltTwice
	saltRadio
	saltWire
	saltFault // and one for each fault above it: the last
)

// chance draws a number from 0 up to 1 for the nth send of a card. It is a
// function, not a sequence: goroutines that race draw the same.
func chance(seed uint64, iccid string, n uint64, salt uint64) float64 {
	h := seed ^ 0x9E3779B97F4A7C15*salt
	for i := 0; i < len(iccid); i++ {
		h = mix(h ^ uint64(iccid[i]))
	}
	return float64(mix(h^n)>>11) / (1 << 53)
}

// mix is the finaliser of SplitMix64.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
