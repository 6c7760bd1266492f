package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseDuration reads what time.ParseDuration does and whole days, "7d". "0" alone
// has no unit and is none.
func parseDuration(s string) (time.Duration, bool) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 16)
		return time.Duration(days) * day, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && s != "0" && s != "+0" && s != "-0"
}

// formatDuration writes a time as a person would: 7d, 24h, 10m, 30s.
func formatDuration(d time.Duration) string {
	switch {
	case d > day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d != 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d != 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}

// The units of a size, the largest first.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// parseSize reads a whole number and KiB, MiB or GiB.
func parseSize(s string) (int64, bool) {
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			count, err := strconv.ParseUint(strings.TrimSpace(n), 10, 63)
			return int64(count) * u.bytes, err == nil && int64(count) <= math.MaxInt64/u.bytes
		}
	}
	return 0, false
}

// formatSize writes a size in the largest unit that leaves it whole.
func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n/1024, 10) + "KiB"
}
