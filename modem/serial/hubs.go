package serial

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	powerWindow = 2 * time.Second // a modem that goes this soon after it began to send lacks power
	powerMemory = time.Hour       // how long a loss counts, and how often a hub is told of
	powerLosses = 2               // of one hub, from which on it is no chance
)

// hubs remembers which modems vanished while they were sending. A radio takes two amperes
// for a moment; a hub that cannot give them takes several modems down.
type hubs struct {
	mu     sync.Mutex
	losses []loss
	told   map[string]time.Time
}

type loss struct {
	at       time.Time
	usb, hub string
}

// lost notes a modem that vanished while it was sending. It gives the reason in words, and
// whether a person must hear of it now.
func (h *hubs) lost(now time.Time, usb string) (reason string, alarm bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hub := hubOf(usb)
	h.losses = slices.DeleteFunc(h.losses, func(l loss) bool { return now.Sub(l.at) >= powerMemory })
	h.losses = append(h.losses, loss{now, usb, hub})
	n, modems := 0, map[string]bool{}
	for _, l := range h.losses {
		if l.hub == hub {
			n++
			modems[l.usb] = true
		}
	}
	switch {
	case n < powerLosses:
		return "it vanished while it was sending: does it get enough power?", false
	case len(modems) > 1:
		reason = fmt.Sprintf("modems on %s lose power while sending: %d of them within %s; a hub with a power supply of its own helps",
			hub, len(modems), shortly(powerMemory))
	default:
		reason = fmt.Sprintf("the modem at USB %s loses power while sending: %d times within %s; a hub with a power supply of its own, or another cable, helps",
			usb, n, shortly(powerMemory))
	}
	if last, ok := h.told[hub]; ok && now.Sub(last) < powerMemory {
		return reason, false
	}
	if h.told == nil {
		h.told = map[string]time.Time{}
	}
	h.told[hub] = now
	return reason, true
}

// hubOf gives what a USB device is plugged into: 1-1.4 is at the hub 1-1, and 1-1 at the
// computer.
func hubOf(usb string) string {
	if i := strings.LastIndexByte(usb, '.'); i > 0 {
		return "hub " + usb[:i]
	}
	bus, _, _ := strings.Cut(usb, "-")
	return "the ports of USB bus " + bus
}
