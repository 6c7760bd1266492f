package app

import (
	"context"
	"errors"

	"fieldpost/gateway"
)

// maxAlarms is how many alarms may wait for the disk.
const maxAlarms = 64

// alarm tells the log and the event stream of what a person must look at. It does not
// wait for the disk: a driver's goroutine calls it.
func (a *App) alarm(reason string) {
	a.log.Error("alarm", "reason", reason)
	select {
	case a.alarms <- gateway.AlarmEvent{Reason: reason}:
	default: // the disk has not taken one for long: the log has it, and says why
	}
}

// emitAlarm writes an alarm into the event stream.
func (a *App) emitAlarm(ctx context.Context, e gateway.AlarmEvent) {
	if err := a.spool.Emit(ctx, gateway.EventAlarm, e); err != nil && !errors.Is(err, context.Canceled) {
		a.log.Error("an alarm is not in the event stream", "reason", e.Reason, "error", err)
	}
}
