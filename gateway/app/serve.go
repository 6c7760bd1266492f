package app

import (
	"context"
	"errors"

	"fieldpost/gateway/internal/api"
)

// openAPI builds the API and binds its listeners; nothing is answered before Run.
func (a *App) openAPI(ctx context.Context) (err error) {
	if err := a.newMetrics(); err != nil {
		return err
	}
	h := &a.cfg.HTTP
	a.api, err = api.New(api.Options{
		Rooms: api.Rooms{
			Spool: a.spool, Catalog: a.catalog, Intake: a.intake, Numbers: a.numbers,
			Bank: a.bank, SIMs: a.sims, Devices: a.bank, Sender: reasons{a.spool, a.dialer, a.cfg.Site.Zone}, Site: a,
		},
		Guard: a.guard, Version: a.version, Zone: a.cfg.Site.Zone,
		Dir: a.baseDir(), MaxBody: h.MaxBody, MaxBase: h.MaxBase, Rate: h.Rate, Burst: h.Burst,
		Segments: a.cfg.Sending.MaxSegments, Metrics: a.metrics.Handler(), Hooks: a.hooks, Observe: a.observe,
		Now: a.now, Logger: a.log.With("part", "api"),
	})
	if err != nil {
		return err
	}
	if a.listeners, err = bind(ctx, h.Listen, a.log.With("part", "http")); err != nil {
		return err
	}
	a.server = a.api.Server()
	one := a.actor("http", func(ctx context.Context) error { return serve(ctx, a.server, a.listeners) })
	a.stack.push(one.name, httpTime+recordTime, func(ctx context.Context) error { return a.closeAPI(ctx, one) })
	return nil
}

// closeAPI lets requests come to their end within httpTime, and cuts the others:
// what they have sent so far was not accepted.
func (a *App) closeAPI(ctx context.Context, server *actor) error {
	err := a.api.Close() // event streams would hold up the shutdown
	if server.cancel == nil {
		return errors.Join(err, closeAll(a.listeners))
	}
	patient, cancel := context.WithTimeout(ctx, httpTime)
	defer cancel()
	if e := a.server.Shutdown(patient); e != nil {
		a.log.Warn("connections were cut", "error", e)
		err = errors.Join(err, a.server.Close())
	}
	server.cancel()
	<-server.done
	return err
}
