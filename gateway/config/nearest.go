package config

// nearest gives the known key that a misspelt one is most likely to mean: at most
// a third of its letters differ. "" = none is near.
func nearest(key string, known []string) string {
	best, least := "", max(1, len(key)/3)
	if len(key) > 64 {
		return ""
	}
	for _, k := range known {
		if d := distance(key, k); d <= least {
			if best == "" || d < distance(key, best) {
				best = k
			}
		}
	}
	return best
}

// distance counts the letters to insert, drop, change or swap with a neighbour
// (Damerau-Levenshtein, restricted); case is no difference.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if lower(a[i-1]) == lower(b[j-1]) {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && lower(a[i-1]) == lower(b[j-2]) && lower(a[i-2]) == lower(b[j-1]) {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
