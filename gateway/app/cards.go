package app

import (
	"context"

	"fieldpost/gateway"
	"fieldpost/gateway/config"
	"fieldpost/gateway/internal/sims"
)

// openSIMs reads the passports of the cards.
func (a *App) openSIMs() (err error) {
	limits := a.simLimits()
	a.sims, err = sims.Open(sims.Options{
		Bank: a.bank, Store: a.spool, Meter: a.spool, Site: cardsOf(a.cfg),
		Limits: func(sim, provider string) gateway.Limits {
			if own, ok := limits[sim]; ok {
				return own
			}
			p, err := a.catalog.Provider(provider)
			if err != nil {
				return gateway.Limits{} // deleted a moment ago: its channels go too
			}
			return p.Limits
		},
		Reports: func(provider string) bool {
			p, err := a.catalog.Provider(provider)
			return err == nil && p.Report
		},
		Trusted: a.clockBelieved, Now: a.now, Tick: a.tick, Logger: a.log.With("part", "sims"),
	})
	return err
}

// addSIMs runs what looks after the cards. It ends before the bank does: a balance
// that is being asked for is given up.
func (a *App) addSIMs(context.Context) error {
	one := a.actor("sims", a.sims.Run)
	a.stack.push(one.name, quickTime, one.stop)
	return nil
}

// cardsOf gives what the file says of the cards.
func cardsOf(c *config.Config) sims.Site {
	site := sims.Site{Operators: c.Operators, ConfirmSwap: c.Cards.ConfirmSwap, Own: map[string]sims.Own{}}
	for _, s := range c.SIMs {
		site.Own[s.ICCID] = sims.Own{Number: s.Number, Operator: s.Operator, BalanceLow: s.BalanceLow}
	}
	return site
}

// resetDays gives the day of the month on which a card's billing month begins.
func resetDays(all []config.SIM) func(sim string) int {
	days := map[string]int{}
	for _, s := range all {
		days[s.ICCID] = s.ResetDay
	}
	return func(sim string) int {
		if day, ok := days[sim]; ok {
			return day
		}
		return 1
	}
}
