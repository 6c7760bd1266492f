package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newBlacklistReview(t terminal, s *server) *cobra.Command {
	var l client.List
	cmd := &cobra.Command{
		Use:   "review",
		Short: "List the messages that may ask for no more messages, for a person to read",
		Long: `List the received messages that are nearly STOP or START, newest first. Who writes STOP alone is blocked
at once; "please stop sending me this" is for a person to read and decide.`,
		Example: `  fieldpost blacklist review
  fieldpost blacklist decide 7 stop`,
		Args: exactArgs(),
	}
	cmd.Flags().IntVarP(&l.Limit, "limit", "n", 50, "how many, 1-1000")
	cmd.PreRunE = func(*cobra.Command, []string) error { return checkLimit(l.Limit) }
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		page, err := c.InboundWithWish(ctx, "near", l)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, page)
		}
		if len(page.Items) == 0 {
			_, err := fmt.Fprintln(t.out, "no message waits for a decision")
			return err
		}
		rows := newTable(t.out, "ID", "RECEIVED", "FROM", "TEXT")
		for _, m := range page.Items {
			rows.row(m.ID, m.Received.Local().Format(time.DateTime), m.From, m.Text)
		}
		if err := rows.flush(); err != nil || page.Next == "" {
			return err
		}
		_, err = fmt.Fprintln(t.out, "there are more: raise --limit")
		return err
	})
	return cmd
}

func newBlacklistDecide(t terminal, s *server) *cobra.Command {
	words := []string{"stop", "start", "none"}
	cmd := &cobra.Command{
		Use:   "decide ID stop|start|none",
		Short: "Say what a received message asks: no more messages, messages again, or neither",
		Long: `Say what a received message asks. stop blocks its sender for every campaign, as the customer's own wish;
start ends that; none leaves the list as it is. The entry names the message and who decided.`,
		Example: `  fieldpost blacklist decide 7 stop`,
		Args:    exactArgs("ID", "stop|start|none"),

		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return words, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		m, err := c.DecideOptOut(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, m)
		}
		_, err = say(t.out, "%s\n", decidedWords(m))
		return err
	})
	return cmd
}

func decidedWords(m client.Inbound) string {
	switch m.Wish {
	case "stop":
		return m.From + " gets no more messages"
	case "start":
		return m.From + " gets messages again"
	}
	return "the list stays as it is for " + m.From
}
