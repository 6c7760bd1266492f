package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newSIMs(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "sims",
		Short: "List the SIM cards: where they are, their balance, and which may not send",
		Example: `  fieldpost sims show 8959801234567890123
  fieldpost sims balance 8959801234567890123
  fieldpost sims hold 8959801234567890123 "lent to branch 7"`,
		Args: exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		all, err := everySIM(ctx, c)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, all)
		}
		return printSIMs(t, all)
	})
	cmd.AddCommand(newSIMShow(t, &s), newSIMHold(t, &s),
		newSIMChange(t, &s, "release SIM...", "Let held cards send again", (*client.Client).ReleaseSIM, "%s may send"),
		newSIMChange(t, &s, "confirm SIM...", "Say that cards are right in their new slots", (*client.Client).ConfirmSIM, "%s may send"),
		newSIMBalance(t, &s))
	return cmd
}

// everySIM gives the cards of all pages.
func everySIM(ctx context.Context, c *client.Client) ([]client.SIM, error) {
	all := []client.SIM{}
	for q := (client.List{Limit: 1000}); ; {
		page, err := c.SIMs(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return all, nil
		}
	}
}

func printSIMs(t terminal, all []client.SIM) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(t.out, "no SIM card was ever seen: \"fieldpost channels\" says what keeps the ports from showing theirs")
		return err
	}
	rows := newTable(t.out, "SIM", "CHANNEL", "OPERATOR", "NUMBER", "HEALTH", "BALANCE", "LEFT", "WHY HELD")
	for i := range all {
		c := &all[i]
		held := "-"
		if c.Held != nil {
			held = c.Held.Why
		}
		rows.row(c.ID, orDash(c.Channel), orDash(c.Operator), orDash(c.Number), healthOf(c), balanceOf(c.Balance), leftOf(c.Left), held)
	}
	return rows.flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func healthOf(c *client.SIM) string {
	if c.Health == nil {
		return "-"
	}
	return strconv.Itoa(c.Health.Score)
}

// balanceOf says a balance in a word or two: one that cannot be read is never a number.
func balanceOf(b *client.SIMBalance) string {
	switch {
	case b == nil:
		return "-"
	case b.At == nil:
		return "no answer"
	case b.Amount == nil:
		return "cannot be read"
	case b.Low:
		return amountOf(*b.Amount) + " (low)"
	}
	return amountOf(*b.Amount)
}

func amountOf(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func leftOf(l *client.SIMLeft) string {
	var words []string
	if l != nil && l.Segments != nil {
		words = append(words, plural(int(*l.Segments), "segment"))
	}
	if l != nil && l.Recipients != nil {
		words = append(words, plural(int(*l.Recipients), "new number"))
	}
	return orDash(strings.Join(words, ", "))
}

func newSIMHold(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "hold SIM REASON",
		Short:   "Keep a card from sending until it is released",
		Example: `  fieldpost sims hold 8959801234567890123 "lent to branch 7"`,
		Args:    exactArgs("SIM", "REASON"),

		ValidArgsFunction: once(s.naming(simNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			card, err := c.HoldSIM(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return s.said(t, "%s is held", card.ID)
		}),
	}
}

// newSIMChange is a verb that names cards and nothing else. It ends at the first that it
// cannot be done to.
func newSIMChange(t terminal, s *server, use, short string, do func(*client.Client, context.Context, string) (client.SIM, error), done string) *cobra.Command {
	verb, _, _ := strings.Cut(use, " ")
	return &cobra.Command{
		Use:     use,
		Short:   short,
		Example: "  fieldpost sims " + verb + " 8959801234567890123",
		Args:    someArgs("SIM"),

		ValidArgsFunction: s.naming(simNames),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			for _, id := range args {
				card, err := do(c, ctx, id)
				if err != nil {
					return err
				}
				if err := s.said(t, done, card.ID); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func newSIMBalance(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "balance SIM",
		Short:   "Ask the network for a card's balance now",
		Example: `  fieldpost sims balance 8959801234567890123`,
		Args:    exactArgs("SIM"),

		ValidArgsFunction: once(s.naming(simNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			card, err := c.SIMBalance(ctx, args[0])
			if err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(t.out, card.Balance)
			}
			if card.Balance == nil || card.Balance.Amount == nil {
				return unread(card.Balance)
			}
			_, err = say(t.out, "%s%s\n", balanceOf(card.Balance), lasts(card.Balance))
			return err
		}),
	}
}

// unread is an answer without an amount, as it came.
func unread(b *client.SIMBalance) error {
	if b == nil || b.Text == "" {
		return errors.New("the network gave no text")
	}
	return fmt.Errorf("no amount can be read in the answer: %s\nhint: the pattern of its [[operator]] in the configuration finds it", cell(b.Text))
}

func lasts(b *client.SIMBalance) string {
	if b.DaysLeft == nil {
		return ""
	}
	return "; it lasts " + plural(*b.DaysLeft, "day") + " at the present rate"
}
