package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newDialer(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "dialer",
		Short: "List, make, start and stop dialers: what sends in bulk",
		Args:  exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		var all []client.Dialer
		for one, err := range client.All(func(l client.List) (client.Page[client.Dialer], error) {
			return c.Dialers(ctx, client.DialerQuery{List: l})
		}) {
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		if s.asJSON {
			return printJSON(t.out, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(t.out, "no dialer: \"fieldpost dialer add\" makes one")
			return err
		}
		rows := newTable(t.out, "DIALER", "PROVIDER", "PORTS", "ACTIVE", "ON SCHEDULE", "WHY IT WAITS")
		for _, d := range all {
			rows.row(d.Name, d.Provider, d.DialString, yesNo(d.Active), yesNo(d.OnSchedule), strings.Join(d.Reasons, "; "))
		}
		return rows.flush()
	})
	cmd.AddCommand(newDialerAdd(t, &s),
		newDialerVerb(t, &s, "start", "Start a dialer", (*client.Client).StartDialer),
		newDialerVerb(t, &s, "stop", "Stop a dialer: nothing more leaves within one interval", (*client.Client).StopDialer),
		newDialerCleanup(t, &s))
	return cmd
}

func newDialerAdd(t terminal, s *server) *cobra.Command {
	var (
		in       client.Dialer
		interval time.Duration
		start    bool
	)
	cmd := &cobra.Command{
		Use:     "add NAME --provider NAME --dial-string PORTS",
		Short:   "Make a dialer",
		Example: `  fieldpost dialer add reminders --provider bank --dial-string '(0.3)' --dncr --start`,
		Args:    exactArgs("NAME"),
	}
	cmd.Flags().StringVarP(&in.Provider, "provider", "p", "", "provider that its messages leave by (required)")
	completeWith(cmd, "provider", s.naming(providerNames))
	cmd.Flags().StringVarP(&in.DialString, "dial-string", "d", "", "ports: 3, 0-3, 0,2,5 or (0.3)")
	cmd.Flags().DurationVar(&interval, "interval", 0, "time between two messages, such as 500ms")
	cmd.Flags().StringArrayVar(&in.Schedule, "schedule", nil, `window in which it sends, such as "mon,tue;09:00-17:59"; by default always`)
	cmd.Flags().BoolVar(&in.DNCR, "dncr", false, "consult the blacklist")
	cmd.Flags().StringVar(&in.Policy, "unknown-policy", "", "hold or resend a message whose outcome nobody knows")
	cmd.Flags().BoolVar(&start, "start", false, "start it at once")
	complete(cmd, "unknown-policy", policyWords[:]...)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if interval < 0 {
			return invalid("interval", "is %s: the time between two messages, such as 500ms", interval)
		}
		return checkLane(in.Provider, in.Policy)
	}
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		in.Name, in.IntervalMS = args[0], interval.Milliseconds()
		out, err := c.CreateDialer(ctx, in)
		if err != nil {
			return err
		}
		if start {
			if out, err = c.StartDialer(ctx, in.Name); err != nil {
				return err
			}
		}
		return printDialer(t, s, out)
	})
	return cmd
}

func newDialerVerb(t terminal, s *server, verb, short string,
	do func(*client.Client, context.Context, string) (client.Dialer, error)) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " NAME",
		Short:   short,
		Example: "  fieldpost dialer " + verb + " reminders",
		Args:    exactArgs("NAME"),

		ValidArgsFunction: once(s.naming(dialerNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			out, err := do(c, ctx, args[0])
			if err != nil {
				return err
			}
			return printDialer(t, s, out)
		}),
	}
}

func newDialerCleanup(t terminal, s *server) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete-unprocessed NAME --yes",
		Short: "Remove the rows that were not sent, the failed and blocked ones with them",
		Long: `Remove the rows of a dialer that were not sent: what waits, and what is failed, blocked, invalid, expired or
canceled. What was sent stays, and what is in doubt. Nothing brings the rows back.`,
		Example: `  fieldpost dialer delete-unprocessed reminders --yes`,
		Args:    exactArgs("NAME"),

		ValidArgsFunction: once(s.naming(dialerNames)),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, remove them")
	cmd.PreRunE = func(_ *cobra.Command, args []string) error {
		if !yes {
			return invalid("yes", "is missing: this removes every row of %s that was not sent", args[0])
		}
		return nil
	}
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		out, err := c.DeleteUnprocessed(ctx, args[0])
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, out)
		}
		_, err = say(t.out, "%s removed\n", plural(out.Deleted, "row"))
		return err
	})
	return cmd
}

func printDialer(t terminal, s *server, d client.Dialer) error {
	if s.asJSON {
		return printJSON(t.out, d)
	}
	state := "stopped"
	if d.Active {
		state = "started"
	}
	_, err := say(t.out, "dialer %s is %s, through %s %s\n", d.Name, state, d.Provider, d.DialString)
	return err
}
