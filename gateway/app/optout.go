package app

import (
	"context"
	"errors"

	"fieldpost/gateway"
	"fieldpost/gateway/config"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/intake"
	"fieldpost/gateway/internal/optout"
)

// judge gives what hears customers' wishes; nil where the site does not want it.
func (a *App) judge() (func(string) gateway.Wish, error) {
	o := &a.cfg.OptOut
	if !o.Enabled {
		return nil, nil
	}
	j, err := optout.NewJudge(optout.Words{Languages: o.Languages, Stop: o.StopWords, Start: o.StartWords, Ignore: o.IgnoreWords})
	var e *gateway.Error
	if errors.As(err, &e) { // a fault of the file: a restart does not mend it
		return nil, &config.Error{File: "the configuration", Faults: []config.Fault{{Key: "opt_out." + e.Field, Text: e.Text}}}
	}
	if err != nil {
		return nil, err
	}
	return j.Wish, nil
}

// addConfirmer adds the actor that tells customers that their wish was heard. Wishes of
// before the site stopped to want it are put away unsaid.
func (a *App) addConfirmer(context.Context) error {
	o := optout.ConfirmOptions{Wishes: a.spool, Post: a.reply, Now: a.now, Logger: a.log.With("part", "optout")}
	if a.cfg.OptOut.Enabled {
		o.Stop, o.Start = a.cfg.OptOut.ReplyStop, a.cfg.OptOut.ReplyStart
	}
	one := a.actor("opt-out confirmer", optout.NewConfirmer(o).Run)
	a.stack.push(one.name, quickTime, one.stop)
	return nil
}

// reply puts a confirmation into its provider's own lane.
func (a *App) reply(ctx context.Context, r optout.Reply) error {
	if _, err := a.catalog.Provider(r.Provider); err != nil {
		return err
	}
	_, err := a.intake.Reply(ctx, intake.Reply{
		Lane: catalog.OwnLane(r.Provider), Port: r.Port, To: r.To, Text: r.Text, Until: r.Until,
		Scope: "opt-out", Key: r.Key,
	})
	return err
}
