package app

import (
	"context"
	"fmt"
	"path/filepath"

	"fieldpost/gateway"
	"fieldpost/gateway/config"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/dialer"
	"fieldpost/gateway/internal/intake"
	"fieldpost/gateway/numbers"
	"fieldpost/modem"
	"fieldpost/spool"
)

// openSpool opens the one file. It is the first to be acquired, and so the last
// to be released.
func (a *App) openSpool(context.Context) (err error) {
	if a.numbers, err = numbers.New(numbers.Options{Region: a.cfg.Site.Region, ShortCodes: true}); err != nil {
		return fmt.Errorf("site.region: %w", err)
	}
	judge, err := a.judge()
	if err != nil {
		return err
	}
	c := &a.cfg.Storage
	a.spool, err = spool.Open(spool.Options{
		Path: c.Path, Version: a.version, Now: a.now, Logger: a.log.With("part", "spool"),
		Zone: a.cfg.Site.Zone, MaxSize: c.MaxSize, KeepEvents: c.KeepEvents,
		ResendAfter: a.cfg.Sending.ResendAfter,
		ResetDay:    resetDays(a.cfg.SIMs),
		OnQueued:    a.rowsQueued,
		Normalise:   a.numbers.Normalise,
		Judge:       judge,
	})
	if err != nil {
		return err
	}
	a.stack.push("spool", spoolTime, func(context.Context) error { return a.spool.Close() })
	return nil
}

// rowsQueued tells the dialer, once there is one, of rows that came in. It runs
// on the spool's writer.
func (a *App) rowsQueued(campaign string, priority uint16, idm uint64) {
	if d := a.listening.Load(); d != nil {
		d.Queued(campaign, priority, idm)
	}
}

func (a *App) openDefinitions(context.Context) (err error) {
	a.catalog, err = catalog.Open(catalog.Options{
		Store: a.spool, Managed: managed(a.cfg.Providers), Zone: a.cfg.Site.Zone,
	})
	a.hooks = newHooks(hooksOptions{catalog: a.catalog, log: a.log.With("part", "hooks"), alarm: a.alarm, now: a.now})
	return err
}

func (a *App) openGuard(context.Context) (err error) {
	a.guard, err = access.Open(access.Options{
		Store: a.spool, Trusted: a.cfg.HTTP.Trusted, File: a.adminToken(), Now: a.now, Logger: a.log.With("part", "access"),
	})
	if err != nil {
		return err
	}
	a.stack.push("admin token", quickTime, func(context.Context) error { return a.guard.Close() })
	return nil
}

func (a *App) openIntake(context.Context) (err error) {
	s := &a.cfg.Sending
	a.intake, err = intake.New(intake.Options{
		Store: a.spool, Blacklist: a.spool, Catalog: routes{a.catalog}, Numbers: a.numbers, Now: a.now, Logger: a.log.With("part", "intake"),
		Dir: a.baseDir(), MaxSegments: s.MaxSegments, MaxBase: a.cfg.HTTP.MaxBase,
		ValidSingle: s.ValidFor.Single, ValidBase: s.ValidFor.Base,
	})
	if err != nil {
		return err
	}
	loader := a.actor("base loader", a.intake.RunLoader)
	a.stack.push(loader.name, loaderTime, loader.stop)
	return nil
}

// makeSenders makes the bank and the dialer, idle: the API must know them, and
// is to end after them.
func (a *App) makeSenders(context.Context) error {
	a.bank = modem.NewBank(modem.BankOptions{
		Store: sink{a.spool}, Now: a.now, Logger: a.log.With("part", "bank"), OnChange: a.channelChanged,
		Grace: graceTime,
	})
	if err := a.bank.Set(a.devices()); err != nil {
		return err
	}
	if err := a.openSIMs(); err != nil {
		return err
	}
	a.dialer = dialer.New(dialer.Options{
		Queue: a.spool, Meter: a.spool, Blacklist: a.spool,
		Channels: a.bank, Definitions: lanes{a.catalog, a.simLimits()}, SIMs: a.sims,
		Now: a.now, Logger: a.log.With("part", "dialer"), Zone: a.cfg.Site.Zone,
		Trusted: a.clockBelieved, Attempts: a.cfg.Sending.Attempts,
	})
	a.listening.Store(a.dialer)
	return nil
}

// simLimits gives what the file says of single SIMs.
func (a *App) simLimits() map[string]gateway.Limits {
	limits := map[string]gateway.Limits{}
	for _, s := range a.cfg.SIMs {
		if s.Limits != (gateway.Limits{}) {
			limits[s.ICCID] = s.Limits
		}
	}
	return limits
}

func (a *App) addBank(context.Context) error {
	one := a.actor("bank", a.bank.Run)
	a.stack.push(one.name, graceTime+recordTime, one.stop)
	return nil
}

func (a *App) addDialer(context.Context) error {
	one := a.actor("dialer", a.dialer.Run)
	a.stack.push(one.name, drainTime+graceTime+recordTime, func(ctx context.Context) error {
		if one.cancel == nil {
			return nil
		}
		drain, cancel := context.WithTimeout(ctx, drainTime)
		defer cancel()
		if err := a.dialer.Drain(drain); err != nil {
			a.log.Warn("sends are still in flight: their outcome is unknown", "error", err)
		}
		return one.stop(ctx)
	})
	return nil
}

// managed gives the catalog the providers of the file.
func managed(all []config.Provider) []catalog.Provider {
	out := make([]catalog.Provider, len(all))
	for i, p := range all {
		out[i] = catalog.Provider{Provider: p.Provider, Password: p.Password, PushSecret: p.PushSecret}
	}
	return out
}

// baseDir is where files of bases wait: on the spool's disk, whose room is watched.
func (a *App) baseDir() string { return filepath.Join(filepath.Dir(a.cfg.Storage.Path), "bases") }
