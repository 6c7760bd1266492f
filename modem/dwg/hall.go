package dwg

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

const (
	maxStrangers = 16                     // connections that have not logged in
	maxOfHost    = 4                      // of them, from one address: a scanner keeps no gateway out
	maxLogin     = 256                    // bytes of a frame of theirs
	acceptPause  = 100 * time.Millisecond // after a failure that may pass, such as no descriptors
)

// hall is where gateways come in: the listener of one Run.
type hall struct {
	d     *Driver
	host  modem.Host
	ln    net.Listener
	ports *ports
	seats seats
	over  chan struct{} // closed when every session has ended and none comes in any more
	wg    sync.WaitGroup
	let   sync.Mutex // held while one session replaces another
}

func newHall(d *Driver, host modem.Host, ln net.Listener) *hall {
	h := &hall{d: d, host: host, ln: ln, seats: seats{of: map[string]int{}}, over: make(chan struct{})}
	h.ports = newPorts(host)
	h.ports.away(fmt.Sprintf("no gateway has dialled in to %s yet", ln.Addr()))
	return h
}

// run accepts until ctx ends or the listener fails, and waits for everyone.
func (h *hall) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer close(h.over)
	defer h.wg.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = h.ln.Close() })() // nothing is lost with a listener
	defer func() { _ = h.ln.Close() }()
	for {
		conn, err := h.ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return ctx.Err()
		case errors.Is(err, net.ErrClosed):
			return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the listener is gone", Err: err}
		case err != nil:
			h.d.o.Logger.Warn("a connection could not be accepted", slog.Any("error", err))
			if !wait(ctx, acceptPause) {
				return ctx.Err()
			}
			continue
		}
		if !h.seats.take(hostOf(conn)) {
			_ = conn.Close()
			continue
		}
		h.wg.Go(func() { h.receive(ctx, conn) })
	}
}

// receive lets a connection log in, and serves it until it ends.
func (h *hall) receive(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	s, err := h.login(ctx, conn)
	h.seats.leave(hostOf(conn))
	if err != nil {
		level := slog.LevelDebug // whoever knocks may do so often: only a login is worth a line
		if k := gateway.KindOf(err); k == gateway.KindUnauthorized || k == gateway.KindConflict {
			level = slog.LevelWarn
		}
		h.d.o.Logger.Log(ctx, level, "a connection was refused", slog.String("from", conn.RemoteAddr().String()), slog.Any("error", err))
		return
	}
	s.serve(ctx)
}

// login reads a login and answers it.
func (h *hall) login(ctx context.Context, conn net.Conn) (*session, error) {
	if err := conn.SetDeadline(h.deadline(h.d.o.Times.Login)); err != nil {
		return nil, err
	}
	f, err := readLogin(conn)
	if err != nil {
		return nil, err
	}
	c, err := dwgwire.DecodeCredentials(f.Body)
	if err == nil && !h.knows(c) {
		err = gateway.Errorf(gateway.KindUnauthorized, "wrong user or password")
	}
	if err != nil {
		h.ports.reason(fmt.Sprintf("a gateway at %s was refused: %v", hostOf(conn), err))
		if wait(ctx, h.d.o.Times.Pause) {
			h.answer(conn, f, 1)
		}
		return nil, err
	}
	s := newSession(h, conn, f.ID.MAC)
	if err := h.admit(ctx, s); err != nil {
		h.answer(conn, f, 1)
		return nil, err
	}
	h.answer(conn, f, 0) // one that does not arrive ends the session
	return s, nil
}

// readLogin reads frames until a login comes.
func readLogin(conn net.Conn) (dwgwire.Frame, error) {
	for range 3 { // a gateway may say that it is alive first
		head, err := dwgwire.ReadHeader(conn)
		switch {
		case err != nil:
			return dwgwire.Frame{}, fmt.Errorf("no login came: %w", err)
		case head.Type == dwgwire.KeepAlive && head.Length == 0:
			continue
		case head.Type != dwgwire.Login || head.Length > maxLogin:
			return dwgwire.Frame{}, gateway.Invalid("type", "a frame of type %#02x came in the place of a login", uint16(head.Type))
		}
		return dwgwire.ReadBody(conn, head)
	}
	return dwgwire.Frame{}, gateway.Invalid("type", "no login came")
}

// knows compares in constant time.
func (h *hall) knows(c dwgwire.Credentials) bool {
	user := same(c.User, h.d.o.User)
	return same(c.Password, string(h.d.o.Password))&user == 1
}

func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

func (h *hall) answer(conn net.Conn, f dwgwire.Frame, code byte) {
	b, err := dwgwire.Answer(f.ID, f.Type, code).Encode()
	if err == nil && conn.SetDeadline(h.deadline(h.d.o.Times.Frame)) == nil {
		_, _ = conn.Write(b) // whoever does not hear it finds the connection closed or silent
	}
}

// admit makes s the session. A gateway that comes back replaces the connection that
// it left half open; another one has to wait until the first is gone.
func (h *hall) admit(ctx context.Context, s *session) error {
	h.let.Lock()
	defer h.let.Unlock()
	d := h.d
	d.mu.Lock()
	old := d.session
	d.mu.Unlock()
	if old != nil {
		if !old.same(s) {
			return gateway.Errorf(gateway.KindConflict, "another gateway, %x at %s, is connected", old.mac, hostOf(old.conn))
		}
		old.end(errors.New("the gateway dialled in again"))
		<-old.done
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.recall.Do(d.inherit)
	d.mu.Lock()
	d.session = s
	d.follow(s)
	d.mu.Unlock()
	h.ports.came(hostOf(s.conn))
	return nil
}

// same says that two sessions are of one gateway.
func (s *session) same(o *session) bool {
	return s.mac == o.mac && (s.mac != [6]byte{} || hostOf(s.conn) == hostOf(o.conn))
}

// leave takes s out again.
func (h *hall) leave(s *session, why error) {
	h.d.mu.Lock()
	h.d.session = nil
	clear(h.d.open)
	h.d.mu.Unlock()
	h.ports.away(fmt.Sprintf("the gateway is gone: %v", why))
}

// deadline is a moment of the real clock, as connections need it.
func (h *hall) deadline(after time.Duration) time.Time { return time.Now().Add(after) }

func hostOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}

// wait waits for d; false = ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
