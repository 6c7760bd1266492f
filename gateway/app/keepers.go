package app

import (
	"context"
	"errors"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// addKeepers adds the small actors, and the release that comes first of all in a
// shutdown: nothing new is taken from now on.
func (a *App) addKeepers(context.Context) error {
	for _, one := range []*actor{
		a.actor("definitions", a.watchDefinitions),
		a.actor("channel events", a.emitChanges),
		a.actor("outcome metrics", a.countOutcomes),
		a.actor("inbound parts", a.flushParts),
		a.actor("validity", a.expireRows),
		a.actor("watchdog", a.watchdog),
	} {
		a.stack.push(one.name, quickTime, one.stop)
	}
	a.stack.push("admission", quickTime, func(context.Context) error {
		a.draining.Store(true)
		a.api.Drain()
		a.notify(daemon.SdNotifyStopping)
		return nil
	})
	return nil
}

// flushParts delivers long inbound messages whose missing segments never came.
func (a *App) flushParts(ctx context.Context) error {
	wait := a.cfg.Inbound.IncompleteAfter
	tick := time.NewTicker(min(10*time.Minute, wait/2))
	defer tick.Stop()
	for {
		if n, err := a.spool.FlushParts(ctx, a.now().Add(-wait)); err != nil && ctx.Err() == nil {
			a.log.Error("incomplete inbound messages wait on", "error", err)
		} else if n > 0 {
			a.log.Info("inbound messages were delivered incomplete", "count", n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// expireEvery is how late a message expires whose lane does not run, at most, beside
// the minute to which the spool keeps its end.
const expireEvery = 30 * time.Second

// expireRows ends the messages whose validity has ended, whatever their lane does.
func (a *App) expireRows(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		a.expireNow(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// expireNow ends those of this moment. While the clock is not trusted, there are none.
func (a *App) expireNow(ctx context.Context) {
	if !a.clockBelieved() {
		return
	}
	if n, err := a.spool.Expire(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("messages whose validity ended wait on", "error", err)
	} else if n > 0 {
		a.log.Info("messages expired", "count", n)
	}
}

// channelChanged tells the log and the event stream of a channel's new state. It
// runs on the driver's goroutine and does not wait for the disk.
func (a *App) channelChanged(old, now gateway.Channel) {
	if old.State == now.State && old.Reason == now.Reason && old.ICCID == now.ICCID {
		return
	}
	a.log.Info("channel", "channel", now.ID, "state", now.State.String(), "reason", now.Reason, "sim", now.ICCID)
	select {
	case a.changes <- client.Channel{
		ID: now.ID, Provider: now.Provider, Port: now.Port, State: now.State.String(), Reason: now.Reason, ICCID: now.ICCID,
	}:
	default: // the picture is in GET /channels; a burst of flaps need not all be told
	}
}

// emitChanges writes the changes of channels, and alarms, into the event stream.
func (a *App) emitChanges(ctx context.Context) error {
	for {
		select {
		case ch := <-a.changes:
			if err := a.spool.Emit(ctx, gateway.EventChannel, ch); err != nil && !errors.Is(err, context.Canceled) {
				a.log.Error("a channel's change is not in the event stream", "channel", ch.ID, "error", err)
			}
		case e := <-a.alarms:
			a.emitAlarm(ctx, e)
		case <-ctx.Done():
			return nil
		}
	}
}
