package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newQueue(t terminal) *cobra.Command {
	var (
		s server
		q client.MessageQuery
	)
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "List messages and where they stand",
		Long: `List messages, newest first. Without --status it lists those that are not settled:
what waits, what is on its way, and what is in doubt.`,
		Example: `  fieldpost queue --campaign reminders
  fieldpost queue --status unknown
  fieldpost queue cancel 1042`,
		Args: exactArgs(),
	}
	s.flags(cmd)
	cmd.Flags().StringVarP(&q.Campaign, "campaign", "c", "", "only this campaign or dialer")
	cmd.Flags().StringVar(&q.Upload, "upload", "", "only rows of this upload")
	cmd.Flags().StringSliceVar(&q.Statuses, "status", []string{"held", "queued", "submitting", "submitted", "unknown"}, "only these statuses")
	cmd.Flags().IntVarP(&q.Limit, "limit", "n", 50, "how many, 1-1000")
	cmd.Flags().BoolVar(&q.Oldest, "oldest", false, "oldest first")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		page, err := c.Messages(ctx, q)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, page)
		}
		return printMessages(t, page)
	})
	cmd.AddCommand(newCancel(t, &s), newResolve(t, &s))
	return cmd
}

func printMessages(t terminal, page client.Page[client.Message]) error {
	rows := newTable(t.out, "ID", "CAMPAIGN", "TO", "PRIO", "STATUS", "TRIES", "CHANNEL", "REASON")
	for _, m := range page.Items {
		rows.row(m.ID, m.Campaign, m.To, strconv.Itoa(int(m.Priority)), m.Status, strconv.Itoa(m.Attempts), m.Channel, m.Reason)
	}
	if err := rows.flush(); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintln(t.out, "there are more: raise --limit, or name a --campaign or --status")
	}
	return nil
}

func newCancel(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID",
		Short: "Take back a message that has not left",
		Args:  exactArgs("ID"),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			m, err := c.Cancel(ctx, args[0])
			return printChanged(t, s, m, err)
		}),
	}
}

func newResolve(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:   "resolve ID sent|failed|queued",
		Short: "Decide a message whose outcome nobody knows; queued sends it again",
		Args:  exactArgs("ID", "sent|failed|queued"),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			m, err := c.Resolve(ctx, args[0], client.Resolution{As: args[1]})
			return printChanged(t, s, m, err)
		}),
	}
}

func printChanged(t terminal, s *server, m client.Message, err error) error {
	if err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(t.out, m)
	}
	_, err = fmt.Fprintf(t.out, "%s %s\n", m.ID, m.Status)
	return err
}
