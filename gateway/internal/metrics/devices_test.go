package metrics

import (
	"strings"
	"testing"

	"fieldpost/modem"
)

// Conditions gives a gateway that tells everything, and one that tells its serial number.
func (fakeBank) Conditions() map[string]modem.Condition {
	return map[string]modem.Condition{
		"rack": {
			Queue: 2, Queued: true, CPU: 39, Flash: modem.Store{Used: 17428 << 10, Total: 27648 << 10}, Memory: modem.Store{Used: 1, Total: 2},
		},
		"old": {Serial: "da00"},
	}
}

func TestDevicesThatTellOfThemselvesAreShown(t *testing.T) {
	got := scrape(t, open(t, nil))
	wants(t, got,
		`fieldpost_device_queue_messages{provider="rack"} 2`, `fieldpost_device_cpu_ratio{provider="rack"} 0.39`,
		`fieldpost_device_store_used_bytes{provider="rack",store="flash"} 1.7846272e+07`,
		`fieldpost_device_store_bytes{provider="rack",store="memory"} 2`)
	if strings.Contains(got, `provider="old"`) {
		t.Error("what a gateway does not tell is shown")
	}
}
