package dwg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

// inboundQueue is how many received messages wait to be stored. One more is not
// taken: the gateway sends it again.
const inboundQueue = 64

// session is one connection of a gateway that has logged in.
type session struct {
	h    *hall
	d    *Driver
	conn net.Conn
	mac  [6]byte
	gone chan struct{} // closed when the connection is over: nothing is read any more
	done chan struct{} // closed when serve has ended

	write   sync.Mutex // held while a frame goes out
	once    sync.Once
	cause   error // set once, before gone is closed
	inbound chan dwgwire.Frame
}

func newSession(h *hall, conn net.Conn, mac [6]byte) *session {
	return &session{
		h: h, d: h.d, conn: conn, mac: mac,
		gone: make(chan struct{}), done: make(chan struct{}), inbound: make(chan dwgwire.Frame, inboundQueue),
	}
}

// serve reads until the connection is over.
func (s *session) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.keepAlive(ctx) })
	wg.Go(func() { s.store(ctx) })
	err := s.read()
	if ctx.Err() != nil {
		err = errors.New("the driver ends")
	}
	s.end(err)
	close(s.gone)
	cancel()
	wg.Wait()
	s.h.leave(s, s.cause)
	s.d.o.Logger.Info("a gateway left", slog.String("from", hostOf(s.conn)), slog.Any("cause", s.cause))
	close(s.done)
}

// end closes the connection. The first reason counts.
func (s *session) end(why error) {
	s.once.Do(func() {
		s.cause = why
		_ = s.conn.Close() // whatever it still had to say is lost with it
	})
}

// read takes frames until the connection is over, and says why it is.
func (s *session) read() error {
	r := bufio.NewReader(s.conn)
	for {
		if err := s.conn.SetReadDeadline(s.h.deadline(s.d.o.Times.Silence)); err != nil {
			return reason(err)
		}
		if _, err := r.Peek(1); err != nil {
			return reason(err)
		}
		if err := s.conn.SetReadDeadline(s.h.deadline(s.d.o.Times.Frame)); err != nil {
			return reason(err)
		}
		f, err := dwgwire.Read(r)
		if err != nil {
			return reason(err)
		}
		s.take(f)
	}
}

// reason says in words why a connection is over.
func reason(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it closed the connection")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it closed the connection in the middle of a frame")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("it has been silent for too long")
	}
	return err
}

// take does what a frame asks for.
func (s *session) take(f dwgwire.Frame) {
	var err error
	switch f.Type {
	case dwgwire.KeepAlive:
		return
	case dwgwire.SendSMSAck:
		s.d.acked(s, f)
		return
	case dwgwire.SendUSSDAck:
		s.d.ussdAcked(s, f)
		return
	case dwgwire.Received:
		select {
		case s.inbound <- f:
		default:
			s.d.o.Logger.Warn("a received message must wait at the gateway", slog.Int("queued", inboundQueue))
		}
		return
	case dwgwire.SendResult:
		err = s.result(f)
	case dwgwire.PortStatus:
		err = s.status(f)
	case dwgwire.Signal:
		err = s.signal(f)
	case dwgwire.USSDReply:
		err = s.d.ussdReplied(s, f)
	case dwgwire.CallState, dwgwire.Login: // of no use
	default:
		s.d.o.Logger.Debug("a frame of a type that is not known", slog.Int("type", int(f.Type)))
		return
	}
	if err != nil {
		s.d.o.Logger.Warn("a frame cannot be read", slog.Int("type", int(f.Type)), slog.Any("error", err))
	}
	s.answer(f) // it would come again, and not be better then
}

func (s *session) status(f dwgwire.Frame) error {
	all, err := dwgwire.DecodePorts(f.Body)
	if err == nil {
		s.h.ports.status(all)
	}
	return err
}

func (s *session) signal(f dwgwire.Frame) error {
	all, err := dwgwire.DecodePorts(f.Body)
	if err == nil {
		s.h.ports.signal(all)
	}
	return err
}

// answer says that a request was taken.
func (s *session) answer(f dwgwire.Frame) {
	_, _ = s.send(dwgwire.Answer(f.ID, f.Type, 0)) // send ends the session when it fails
}

// send writes a frame. whole says that all of it left; an error ends the session.
func (s *session) send(f *dwgwire.Frame) (whole bool, err error) {
	b, err := f.Encode()
	if err != nil {
		return false, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err = s.conn.SetWriteDeadline(s.h.deadline(s.d.o.Times.Frame)); err != nil {
		return false, err
	}
	n, err := s.conn.Write(b)
	if err != nil {
		s.end(fmt.Errorf("it takes no more: %w", err))
	}
	return n == len(b), err
}

// request makes a frame of ours.
func (d *Driver) request(s *session, t dwgwire.Type, body []byte) *dwgwire.Frame {
	id := dwgwire.ID{MAC: s.mac, Time: uint32(d.o.Now().Unix()), Serial: d.serial.Add(1)}
	return &dwgwire.Frame{ID: id, Type: t, Body: body}
}

// keepAlive tells the gateway from time to time that we are there.
func (s *session) keepAlive(ctx context.Context) {
	tick := time.NewTicker(s.d.o.Times.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := s.send(s.d.request(s, dwgwire.KeepAlive, nil)); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// lost is what became of a request whose connection is over.
func (s *session) lost(k gateway.Kind) *gateway.Error {
	return &gateway.Error{Kind: k, Text: fmt.Sprintf("the gateway is gone: %v", s.cause), Err: s.cause}
}
