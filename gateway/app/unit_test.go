package app

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// unit reads the settings of the unit file; one that comes again is appended.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../../systemd/fieldpost.service")
	must(t, err)
	set := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && key[0] != '#' {
			set[key] = append(set[key], value)
		}
	}
	return set
}

// What the daemon asks of the system, the hardening of its unit must let it ask.
func TestTheUnitLeavesTheDaemonWhatItNeeds(t *testing.T) {
	set := unit(t)
	for key, why := range map[string]string{
		"ProtectClock":   "it forbids adjtimex(2), by which the clock is judged",
		"ProcSubset":     "/proc/locks tells who holds a port",
		"PrivateDevices": "there would be no serial port",
		"PrivateUsers":   "the group dialout would be nobody's",
		"PrivateNetwork": "nobody could call",
	} {
		if v := set[key]; len(v) > 0 {
			t.Errorf("%s=%s: %s", key, v, why)
		}
	}
	for _, v := range set["ProtectProc"] {
		if v != "default" {
			t.Errorf("ProtectProc=%s: the owner of a port's lock file would look dead", v)
		}
	}
	calls := set["SystemCallFilter"]
	if last := calls[len(calls)-1]; !strings.Contains(last, "adjtimex") {
		t.Errorf("the last SystemCallFilter is %q: adjtimex must come behind ~@privileged, which holds it", last)
	}
	files, err := strconv.Atoi(set["LimitNOFILE"][0])
	must(t, err)
	// Besides connections: two descriptors of each file on its way, ports, the spool, systemd.
	if need := maxConns + 2*64 + 2*32 + 50; files < need || files >= 1024 {
		t.Errorf("LimitNOFILE=%d: must be %d to 1023", files, need)
	}
}
