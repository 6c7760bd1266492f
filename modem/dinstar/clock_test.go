package dinstar

import (
	"testing"
	"time"
)

func TestAGatewaysClockGoesThroughAChangeToSummerTime(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	winter := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	summer := winter.AddDate(0, 0, 2)
	c := clock{zone: madrid}
	if _, ok := c.ours("2026-03-28 13:05:00"); ok {
		t.Error("a clock of which nothing is known is believed")
	}
	c.learn("2026-03-28 13:05:00", winter) // five minutes fast
	for at, want := range map[text]time.Time{"2026-03-28 13:05:00": winter, "2026-03-30 14:05:00": summer} {
		if got, ok := c.ours(at); !ok || !got.Equal(want) {
			t.Errorf("%s is %v, want %v", at, got, want)
		}
		if got := c.theirs(want); got != string(at) {
			t.Errorf("%v is asked for as %s, want %s", want, got, at)
		}
	}
}
