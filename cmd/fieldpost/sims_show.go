package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newSIMShow(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "show SIM",
		Short:   "Show a card's passport: what it is, where it was, and what its balance was",
		Example: `  fieldpost sims show 8959801234567890123`,
		Args:    exactArgs("SIM"),

		ValidArgsFunction: once(s.naming(simNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			card, err := c.SIM(ctx, args[0])
			if err != nil {
				return err
			}
			return s.printSIM(t, &card)
		}),
	}
}

// printSIM prints a passport.
func (s *server) printSIM(t terminal, c *client.SIM) error {
	if s.asJSON {
		return printJSON(t.out, c)
	}
	rows := newTable(t.out, "SIM", c.ID)
	row := func(name, value string) {
		if value != "" {
			rows.row(name, value)
		}
	}
	row("IMSI", c.IMSI)
	row("number", c.Number)
	row("operator", c.Operator)
	row("in", orDash(c.Channel))
	row("first seen", stamp(c.First))
	row("last seen", stamp(c.Last))
	if h := c.Held; h != nil {
		row("held since", stamp(h.Since))
		row("because", h.Why)
		row("by", h.By)
	}
	if h := c.Health; h != nil {
		row("health", strconv.Itoa(h.Score)+" of 100")
		row("", strings.Join(h.Reasons, "; "))
	}
	row("left", leftOf(c.Left))
	if b := c.Balance; b != nil {
		row("balance", balanceOf(b)+lasts(b))
		row("answer", b.Text)
		row("last try", b.Error)
	}
	if err := rows.flush(); err != nil {
		return err
	}
	return printHistory(t, c)
}

// printHistory prints where a card was and what its balance was.
func printHistory(t terminal, c *client.SIM) error {
	fmt.Fprintln(t.out)
	places := newTable(t.out, "SINCE (UTC)", "CHANNEL", "IMEI")
	for _, p := range c.Places {
		places.row(stamp(p.Since), p.Channel, orDash(p.IMEI))
	}
	if err := places.flush(); err != nil || len(c.Balances) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	balances := newTable(t.out, "AT (UTC)", "BALANCE")
	for _, b := range c.Balances {
		balances.row(stamp(b.At), amountOf(*b.Amount))
	}
	return balances.flush()
}

func stamp(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05")
}
