package modem

import (
	"context"
	"time"

	"fieldpost/gateway"
)

// session is the Host of one Run of a driver.
type session struct {
	supervisor *supervisor // set once

	// under bank.mu
	over   bool      // Run ended: nothing that is still reported counts
	ready  int       // channels that are ready
	since  time.Time // when ready became more than 0
	steady bool      // a stretch of readiness lasted long enough
}

// Channel takes over the state of one port, as Host says.
func (s *session) Channel(c gateway.Channel) {
	b := s.supervisor.bank
	b.mu.Lock()
	if !s.over {
		b.report(s.supervisor, c)
		s.count(time.Now(), b.o.Backoff.Steady)
	}
	b.mu.Unlock()
	b.tell()
}

// Inbound hands one received part to the sink.
func (s *session) Inbound(ctx context.Context, in Part) error {
	return s.supervisor.bank.o.Store.Inbound(ctx, gateway.ChannelID(s.supervisor.dev.Provider, in.Port), in)
}

// Report hands one delivery report to the sink. The channel is filled in where
// the device has only one.
func (s *session) Report(ctx context.Context, r gateway.StatusReport) error {
	if ports := s.supervisor.dev.Ports; r.Channel == "" && len(ports) == 1 {
		r.Channel = gateway.ChannelID(s.supervisor.dev.Provider, ports[0])
	}
	return s.supervisor.bank.o.Store.Report(ctx, r)
}

// count keeps how long the driver has had a ready channel. bank.mu is held.
func (s *session) count(now time.Time, steady time.Duration) {
	ready := 0
	for _, sl := range s.supervisor.bank.slots {
		if sl.supervisor == s.supervisor && sl.told.State == gateway.ChannelReady {
			ready++
		}
	}
	switch {
	case s.ready == 0 && ready > 0:
		s.since = now
	case s.ready > 0 && ready == 0:
		s.steady = s.steadySince(now, steady)
	}
	s.ready = ready
}

// steadySince says that the driver was ready without a break for at least steady.
func (s *session) steadySince(now time.Time, steady time.Duration) bool {
	return s.steady || s.ready > 0 && now.Sub(s.since) >= steady
}
