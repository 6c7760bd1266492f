package app

import (
	"context"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/dialer"
	"fieldpost/gateway/internal/reconcile"
)

// addReconciler adds the actor that asks devices about messages in doubt. It ends
// before the drivers do.
func (a *App) addReconciler(context.Context) error {
	r := reconcile.New(reconcile.Options{
		Store: a.spool, Devices: a.bank, Now: a.now, Logger: a.log.With("part", "reconcile"),
		Retry: func(k gateway.Kind, n int) (time.Duration, bool) { return dialer.Retry(k, n, a.cfg.Sending.Attempts) },
	})
	one := a.actor("reconciler", r.Run)
	a.stack.push(one.name, recordTime, one.stop)
	return nil
}
