package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
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
	complete(cmd, "status", statusWords()...)
	completeWith(cmd, "campaign", s.naming(laneNames))
	cmd.PreRunE = func(*cobra.Command, []string) error { return checkQueue(q) }
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

// checkQueue names the flag that is wrong.
func checkQueue(q client.MessageQuery) error {
	for _, word := range q.Statuses {
		if _, ok := gateway.ParseStatus(word); !ok {
			return invalid("status", "%q is no status: one of %s", word, strings.Join(statusWords(), ", "))
		}
	}
	return checkLimit(q.Limit)
}

// checkLimit holds --limit to what one page may have.
func checkLimit(n int) error {
	if n < 1 || n > maxLimit {
		return invalid("limit", "is %d: between 1 and %d", n, maxLimit)
	}
	return nil
}

// maxLimit is the most items of one page.
const maxLimit = 1000

func printMessages(t terminal, page client.Page[client.Message]) error {
	if len(page.Items) == 0 {
		_, err := fmt.Fprintln(t.out, "no such message")
		return err
	}
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
		Use:     "cancel ID",
		Short:   "Take back a message that has not left",
		Example: `  fieldpost queue cancel 1042`,
		Args:    exactArgs("ID"),

		ValidArgsFunction: cobra.NoFileCompletions,
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
		Long: `Decide a message in status unknown: it may or may not have gone out, and nobody can know. Ask the
customer, or look at the SIM's bill; then say sent, failed, or queued to send it again - perhaps for the second time.`,
		Example: `  fieldpost queue --status unknown
  fieldpost queue resolve 1042 sent`,
		Args: exactArgs("ID", "sent|failed|queued"),

		ValidArgsFunction: s.naming(inDoubt, resolutions[:]...),
		PreRunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(resolutions[:], args[1]) {
				return usageError{gateway.Invalid("sent|failed|queued", "%q is none of them", args[1])}
			}
			return nil
		},
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
	_, err = say(t.out, "%s %s\n", m.ID, m.Status)
	return err
}
