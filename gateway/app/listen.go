package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Bounds of open connections: select in the serial library cannot go past
// descriptor 1023 (S1), and the spool and 32 ports need theirs first.
const (
	maxConns  = 512 // in all
	maxLAN    = 448 // from elsewhere: the others are for callers on the box
	maxCaller = 128 // from one address elsewhere
)

// tellEvery is how often refused connections are told to the log, at most.
const tellEvery = time.Minute

// bind listens on every address, or on none.
func bind(ctx context.Context, addresses []string, log *slog.Logger) ([]net.Listener, error) {
	var all []net.Listener
	shared := newSeats(log)
	for _, at := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", at, err), closeAll(all))
		}
		all = append(all, &door{Listener: l, seats: shared})
	}
	return all, nil
}

func closeAll(all []net.Listener) error {
	var errs []error
	for _, l := range all {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// serve answers on every listener until ctx ends.
func serve(ctx context.Context, server *http.Server, all []net.Listener) error {
	ended := make(chan error, len(all))
	for _, l := range all {
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// door is a listener that closes a connection at once when there is no seat for it.
// It never waits for a seat: callers on the box, for whom there is one, would wait
// behind the others.
type door struct {
	net.Listener
	seats *seats
}

// Accept gives the next connection that has a seat.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := origin(c.RemoteAddr())
		if d.seats.take(from) {
			return &seated{Conn: c, leave: sync.OnceFunc(func() { d.seats.leave(from) })}, nil
		}
		_ = c.Close() // Nothing was said on it.
	}
}

// seated is a connection that gives its seat back when it is closed.
type seated struct {
	net.Conn
	leave func()
}

// Close closes it; it may be called again.
func (s *seated) Close() error {
	err := s.Conn.Close()
	s.leave()
	return err
}

// origin is what counts as one caller: an IPv4 address, or the /64 of an IPv6 one
// (RFC 8981). The zero Prefix is the box itself.
func origin(a net.Addr) netip.Prefix {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	switch {
	case ip.IsLoopback():
		return netip.Prefix{}
	case ip.Is6():
		p, _ := ip.Prefix(64) // 64 is a length that IPv6 has
		return p
	}
	return netip.PrefixFrom(ip, ip.BitLen())
}

// seats counts the connections of all listeners together.
type seats struct {
	log *slog.Logger // set once

	mu      sync.Mutex
	all     int
	lan     int
	callers map[netip.Prefix]int // from elsewhere, at most maxLAN
	refused int                  // since told
	told    time.Time
}

func newSeats(log *slog.Logger) *seats {
	return &seats{log: log, callers: map[netip.Prefix]int{}}
}

func (s *seats) take(from netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	local := !from.IsValid()
	if s.all == maxConns || !local && (s.lan == maxLAN || s.callers[from] == maxCaller) {
		s.tell(from)
		return false
	}
	s.all++
	if !local {
		s.lan++
		s.callers[from]++
	}
	return true
}

func (s *seats) leave(from netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if !from.IsValid() {
		return
	}
	s.lan--
	if s.callers[from]--; s.callers[from] == 0 {
		delete(s.callers, from)
	}
}

// tell says now and then that callers are turned away; the caller holds mu.
func (s *seats) tell(from netip.Prefix) {
	s.refused++
	if now := time.Now(); now.Sub(s.told) >= tellEvery {
		s.log.Warn("connections are refused: too many are open", "refused", s.refused, "from", from, "open", s.all)
		s.refused, s.told = 0, now
	}
}
