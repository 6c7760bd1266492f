package gateway

import "testing"

func TestChannelIDSplits(t *testing.T) {
	id := ChannelID("bank", 31)
	if p, n, ok := SplitChannelID(id); id != "bank/31" || p != "bank" || n != 31 || !ok {
		t.Errorf("%q splits to %q, %d, %v", id, p, n, ok)
	}
	for _, bad := range []string{"", "bank", "/3", "bank/", "bank/x", "bank/-1"} {
		if p, n, ok := SplitChannelID(bad); ok {
			t.Errorf("%q splits to %q, %d", bad, p, n)
		}
	}
}

// TS 27.007 §8.5.
func TestSignalInDBm(t *testing.T) {
	for signal, want := range map[int]int{0: -113, 1: -111, 30: -53, 31: -51} {
		c := Channel{Signal: signal}
		if got, ok := c.DBm(); got != want || !ok {
			t.Errorf("%d is %d dBm, %v; want %d", signal, got, ok, want)
		}
	}
	for _, signal := range []int{-1, 32, SignalUnknown} {
		c := Channel{Signal: signal}
		if got, ok := c.DBm(); ok {
			t.Errorf("%d is %d dBm", signal, got)
		}
	}
}

func TestSIMKeyPrefersTheCard(t *testing.T) {
	for want, c := range map[string]Channel{
		"8959":           {ID: "bank/0", ICCID: "8959", IMSI: "748"},
		"imsi:748":       {ID: "bank/0", IMSI: "748"},
		"channel:bank/0": {ID: "bank/0"},
	} {
		if got := c.SIMKey(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStatesAndRegistrationsHaveWords(t *testing.T) {
	for s, want := range map[ChannelState]string{ChannelAbsent: "absent", ChannelStarting: "starting",
		ChannelReady: "ready", ChannelResting: "resting", ChannelFault: "fault", 99: "absent"} {
		if s.String() != want {
			t.Errorf("state %d is %q, want %q", s, s, want)
		}
	}
	// <stat> of TS 27.007 §7.2.
	for r, want := range map[Registration]string{0: "idle", 1: "home", 2: "searching", 3: "denied", 4: "unknown", 5: "roaming", 9: "unknown"} {
		if r.String() != want || r.Usable() != (want == "home" || want == "roaming") {
			t.Errorf("registration %d is %q, usable %v", r, r, r.Usable())
		}
	}
}
