package dwg

import (
	"errors"
	"net"
	"testing"
	"time"

	"fieldpost/gateway"
)

// A scanner, or a gateway that dials again and again with a wrong password, is one host.
func TestAHostThatTakesEverySeatKeepsNoGatewayOut(t *testing.T) {
	h := alone(t)
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	var last net.Conn
	for range maxStrangers + 1 {
		c, err := other.DialContext(t.Context(), "tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		last = c
	}
	if err := last.SetReadDeadline(time.Now().Add(testTimes.Login / 2)); err != nil {
		t.Fatal(err)
	}
	var e net.Error
	if _, err := last.Read(make([]byte, 1)); errors.As(err, &e) && e.Timeout() {
		t.Fatal("one stranger too many is let in")
	}
	h.g = newGateway(t, h.n, h.address, nil)
	limit := time.After(testTimes.Login / 2) // the seats are held for longer
	for {
		h.w.mu.Lock()
		ready, changed := h.w.channels[0].State == gateway.ChannelReady, h.w.changed
		h.w.mu.Unlock()
		if ready {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatal("the gateway does not get in")
		}
	}
}
