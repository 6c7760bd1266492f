package app

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// crowd is a listener whose connections come from given addresses.
type crowd struct {
	net.Listener
	from []string
}

func (c *crowd) Accept() (net.Conn, error) {
	if len(c.from) == 0 {
		return nil, net.ErrClosed
	}
	a := c.from[0]
	c.from = c.from[1:]
	ours, _ := net.Pipe()
	return visitor{ours, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(a))}, nil
}

type visitor struct {
	net.Conn
	at net.Addr
}

func (v visitor) RemoteAddr() net.Addr { return v.at }

// enter lets a crowd in and gives the connections that got a seat, by address.
func enter(t *testing.T, s *seats, from ...string) (in []net.Conn) {
	t.Helper()
	d := &door{Listener: &crowd{from: from}, seats: s}
	for {
		c, err := d.Accept()
		if err != nil {
			return in
		}
		in = append(in, c)
	}
}

func many(n int, address func(i int) string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = address(i)
	}
	return list
}

func same(address string) func(int) string { return func(int) string { return address } }

func host(i int) string {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 9).String()
}

// Whoever holds connections on the LAN locks out neither the others there nor the
// callers on the box.
func TestOneCallerDoesNotTakeEverySeat(t *testing.T) {
	var log bytes.Buffer
	s := newSeats(slog.New(slog.NewTextHandler(&log, nil)))
	if n := len(enter(t, s, many(1000, same("10.9.9.9:7"))...)); n != maxCaller {
		t.Errorf("one address holds %d connections", n)
	}
	if n := len(enter(t, s, many(1000, host)...)); n != maxLAN-maxCaller {
		t.Errorf("the others hold %d", n)
	}
	for _, from := range []string{"127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"} {
		if len(enter(t, s, from)) != 1 {
			t.Errorf("%s is locked out", from)
		}
	}
	if n := len(enter(t, s, many(1000, same("127.0.0.1:9"))...)); n != maxConns-maxLAN-3 {
		t.Errorf("callers on the box hold %d more", n)
	}
	if n := strings.Count(log.String(), "connections are refused"); n != 1 {
		t.Errorf("the log says it %d times: %s", n, log.String())
	}
}

func TestASeatIsGivenBackOnce(t *testing.T) {
	s := newSeats(slog.New(slog.DiscardHandler))
	all := enter(t, s, many(maxCaller, same("[2001:db8::1]:9"))...)
	if len(enter(t, s, "[2001:db8::ffff]:9")) != 0 {
		t.Error("a host has as many seats as it has addresses in its /64")
	}
	for range 2 {
		must(t, all[0].Close())
	}
	if n := len(enter(t, s, many(2, same("[2001:db8::1]:9"))...)); n != 1 {
		t.Errorf("one was closed, %d came in", n)
	}
	for _, c := range all[1:] {
		must(t, c.Close())
	}
	if s.all != 1 || s.lan != 1 || len(s.callers) != 1 {
		t.Errorf("counted %d, %d, %v", s.all, s.lan, s.callers)
	}
}
