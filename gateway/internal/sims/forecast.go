package sims

import "time"

// Bounds of a forecast.
const (
	forecastSpan  = 14 * 24 * time.Hour
	forecastLeast = 24 * time.Hour
	forecastMost  = 3650 // days; beyond it nothing is said
)

// DaysLeft tells for how many days a balance lasts when it goes on as in the last two
// weeks, and whether that can be told. A top-up in between is no income: only what
// went off counts.
func (b *Balance) DaysLeft() (int, bool) {
	if len(b.Amounts) < 2 {
		return 0, false
	}
	newest := b.Amounts[0]
	spent, oldest := 0.0, newest.At
	for i := 1; i < len(b.Amounts) && newest.At.Sub(b.Amounts[i].At) <= forecastSpan; i++ {
		spent += max(0, b.Amounts[i].Amount-b.Amounts[i-1].Amount)
		oldest = b.Amounts[i].At
	}
	days := newest.At.Sub(oldest).Hours() / 24
	if spent <= 0 || newest.At.Sub(oldest) < forecastLeast {
		return 0, false
	}
	left := max(0, newest.Amount) / (spent / days)
	if left > forecastMost {
		return 0, false
	}
	return int(left), true
}
