package app

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd a state; outside systemd it is a no-op.
func (a *App) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// watchdog feeds systemd's watchdog as long as the daemon really works: the loop
// of the dialer turns and the spool can be written. A process that only exists is
// not fed, and systemd starts it again.
func (a *App) watchdog(ctx context.Context) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := a.alive(ctx, interval/3); err != nil {
				a.log.Error("the watchdog is not fed", "error", err)
				continue
			}
			a.notify(daemon.SdNotifyWatchdog)
		}
	}
}
