package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newCampaign(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "campaign",
		Short: "List and make campaigns: a name that messages are sent for",
		Args:  exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		var all []client.Campaign
		for one, err := range client.All(func(l client.List) (client.Page[client.Campaign], error) { return c.Campaigns(ctx, l) }) {
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		if s.asJSON {
			return printJSON(t.out, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(t.out, "no campaign: \"fieldpost campaign add\" makes one")
			return err
		}
		rows := newTable(t.out, "CAMPAIGN", "PROVIDER", "ACTIVE", "ON SCHEDULE")
		for _, one := range all {
			rows.row(one.Name, one.Provider, yesNo(one.Active), yesNo(one.OnSchedule))
		}
		return rows.flush()
	})
	cmd.AddCommand(newCampaignAdd(t, &s))
	return cmd
}

func newCampaignAdd(t terminal, s *server) *cobra.Command {
	var in client.Campaign
	cmd := &cobra.Command{
		Use:     "add NAME --provider NAME",
		Short:   "Make a campaign",
		Example: `  fieldpost campaign add orders --provider bank`,
		Args:    exactArgs("NAME"),
	}
	cmd.Flags().StringVarP(&in.Provider, "provider", "p", "", "provider that carries its messages (required)")
	completeWith(cmd, "provider", s.naming(providerNames))
	cmd.Flags().StringArrayVar(&in.Schedule, "schedule", nil, `window in which it sends, such as "mon,tue;09:00-17:59"; by default always`)
	cmd.Flags().StringVar(&in.Policy, "unknown-policy", "", "hold or resend a message whose outcome nobody knows")
	complete(cmd, "unknown-policy", policyWords[:]...)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.PreRunE = func(*cobra.Command, []string) error { return checkLane(in.Provider, in.Policy) }
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		in.Name = args[0]
		out, err := c.CreateCampaign(ctx, in)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, out)
		}
		_, err = say(t.out, "campaign %s sends through %s\n", out.Name, out.Provider)
		return err
	})
	return cmd
}

// checkLane names the flag of a campaign or dialer that is wrong.
func checkLane(provider, policy string) error {
	switch {
	case provider == "":
		return invalid("provider", "is missing: name the provider that carries the messages")
	case policy != "" && !slices.Contains(policyWords[:], policy):
		return invalid("unknown-policy", "is %q: one of %s", policy, strings.Join(policyWords[:], ", "))
	}
	return nil
}
