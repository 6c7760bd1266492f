package serial

import (
	"context"
	"testing"

	"fieldpost/gateway"
)

// eager looks at the driver's door in the moment that it hears of a state.
type eager struct {
	*recording
	d      *Driver
	closed error // what the door said while the channel was told to be ready
}

func (e *eager) Channel(c gateway.Channel) {
	if c.State == gateway.ChannelReady {
		if _, err := e.d.at(c.Port); err != nil {
			e.closed = err
		}
	}
	e.recording.Channel(c)
}

func TestAChannelThatIsToldReadyTakesAMessageAtOnce(t *testing.T) {
	r := newRig(t)
	host := &eager{recording: r.host, d: r.d}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- r.d.Run(ctx, host) }()
	r.host.ready(t)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if host.closed != nil {
		t.Errorf("the channel was told ready, and refused: %v", host.closed)
	}
}
