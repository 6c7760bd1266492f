package dwg

import (
	"context"
	"encoding/hex"
	"log/slog"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// store hands received messages to the host one after the other, apart from the
// reader: a slow disk holds up no send.
func (s *session) store(ctx context.Context) {
	for {
		select {
		case f := <-s.inbound:
			s.keep(ctx, f)
		case <-ctx.Done():
			return
		}
	}
}

// keep stores a message and only then acknowledges it.
func (s *session) keep(ctx context.Context, f dwgwire.Frame) {
	p := partOf(f.Body)
	if p.Port > gateway.MaxPort {
		p.Port, p.Undecoded = 0, "the gateway names a port that it cannot have"
	}
	if err := s.h.host.Inbound(ctx, p); err != nil {
		s.d.o.Logger.Warn("a received message is left at the gateway", slog.Int("port", p.Port), slog.Any("error", err))
		return
	}
	s.answer(f)
}

// partOf reads a received message. The protocol says nothing of long ones: each frame is a
// message of its own.
func partOf(body []byte) modem.Part {
	m, err := dwgwire.DecodeDeliver(body)
	p := modem.Part{
		Port: int(m.Port), From: m.From, SentAt: m.At, Coding: modem.CodingGSM7,
		Raw: hex.EncodeToString(body), // the id in the header changes when it comes again
	}
	if m.Encoding == dwgwire.UCS2 {
		p.Coding = modem.CodingUCS2
	}
	var unread error
	p.Text, unread = dwgwire.DecodeText(m.Encoding, m.Content)
	if err == nil {
		err = unread
	}
	if err != nil {
		p.Undecoded = err.Error()
	}
	return p
}
