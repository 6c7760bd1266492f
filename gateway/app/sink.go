package app

import (
	"context"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

// sink puts what the drivers receive on disk.
type sink struct{ *spool.Spool }

// Inbound stores one TPDU; it returns when the TPDU is on disk.
func (s sink) Inbound(ctx context.Context, channel string, in modem.Part) error {
	sim := in.ICCID
	if sim == "" {
		// A device that does not tell its card: the channel stands for it.
		sim = (&gateway.Channel{ID: channel, IMSI: in.IMSI}).SIMKey()
	}
	_, _, err := s.Spool.Inbound(ctx, channel, sim, in)
	return err
}
