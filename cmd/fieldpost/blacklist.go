package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newBlacklist(t terminal) *cobra.Command {
	var (
		s server
		q client.BlacklistQuery
	)
	cmd := &cobra.Command{
		Use:   "blacklist",
		Short: "List, add, remove, load and decide the numbers that get no messages",
		Example: `  fieldpost blacklist add 098344484
  fieldpost blacklist upload dncr.csv
  fieldpost blacklist --prefix +59898`,
		Args: exactArgs(),
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&q.Prefix, "prefix", "", "only numbers that begin so, such as +59898")
	cmd.Flags().IntVarP(&q.Limit, "limit", "n", 50, "how many, 1-1000")
	cmd.PreRunE = func(*cobra.Command, []string) error { return checkLimit(q.Limit) }
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		page, err := c.Blacklist(ctx, q)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, page)
		}
		if len(page.Items) == 0 {
			_, err := fmt.Fprintln(t.out, "no such number is blocked")
			return err
		}
		rows := newTable(t.out, "NUMBER", "CAMPAIGN", "WHY", "SOURCE")
		for _, l := range page.Items {
			rows.row(l.Number, everyCampaign(l.Campaign), listedWhy(l), l.Source)
		}
		if err := rows.flush(); err != nil || page.Next == "" {
			return err
		}
		_, err = fmt.Fprintln(t.out, "there are more: raise --limit, or name a --prefix")
		return err
	})
	cmd.AddCommand(newBlacklistAdd(t, &s), newBlacklistRemove(t, &s), newBlacklistUpload(t, &s),
		newBlacklistReview(t, &s), newBlacklistDecide(t, &s))
	return cmd
}

func everyCampaign(name string) string {
	if name == "" {
		return "every campaign"
	}
	return name
}

func listedWhy(l client.Listed) string {
	if l.OptOut {
		return "the customer's wish"
	}
	return "listed"
}

func newBlacklistAdd(t terminal, s *server) *cobra.Command {
	in := client.Listed{Source: "cli"}
	cmd := &cobra.Command{
		Use:     "add NUMBER",
		Short:   "Block a number",
		Example: `  fieldpost blacklist add 098344484 --opt-out`,
		Args:    exactArgs("NUMBER"),

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVarP(&in.Campaign, "campaign", "c", "", "only for this campaign; by default for all")
	completeWith(cmd, "campaign", s.naming(laneNames))
	cmd.Flags().BoolVar(&in.OptOut, "opt-out", false, "it is the customer's own wish: it wins over everything")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		in.Number = args[0]
		out, err := c.AddBlacklist(ctx, in)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, out)
		}
		_, err = say(t.out, "%s is blocked for %s\n", out.Number, everyCampaign(out.Campaign))
		return err
	})
	return cmd
}

func newBlacklistRemove(t terminal, s *server) *cobra.Command {
	var (
		campaign string
		optIn    bool
	)
	cmd := &cobra.Command{
		Use:   "remove NUMBER",
		Short: "Take a number off the list, or end an opt-out",
		Example: `  fieldpost blacklist remove 098344484
  fieldpost blacklist remove 098344484 --opt-in`,
		Args: exactArgs("NUMBER"),

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVarP(&campaign, "campaign", "c", "", "off this campaign's list; by default off the list of all")
	completeWith(cmd, "campaign", s.naming(laneNames))
	cmd.Flags().BoolVar(&optIn, "opt-in", false, "end the customer's opt-out: it is the customer's own wish")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		if optIn {
			if err := c.OptIn(ctx, args[0], campaign); err != nil {
				return err
			}
			return s.said(t, "the opt-out of %s from "+everyCampaign(campaign)+" is ended", args[0])
		}
		if err := c.RemoveBlacklist(ctx, args[0], campaign); err != nil {
			return err
		}
		return s.said(t, "%s is off the list of "+everyCampaign(campaign), args[0])
	})
	return cmd
}

func newBlacklistUpload(t terminal, s *server) *cobra.Command {
	var file client.File
	cmd := &cobra.Command{
		Use:   "upload FILE",
		Short: "Load numbers from a CSV file with the columns phone;campaign",
		Long: `Load numbers from a CSV file with the columns phone;campaign; a row without a campaign blocks the
number for all. Bad rows are told by line and reason. FILE may be - for standard input.`,
		Example: `  fieldpost blacklist upload dncr.csv --id dncr-november`,
		Args:    exactArgs("FILE"),
	}
	cmd.Flags().StringVar(&file.Upload, "id", "", "id of this upload: the same file with the same id adds nothing")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		return uploadFile(ctx, t, *s, args[0], file,
			func(f client.File) (client.Upload, error) { return c.UploadBlacklist(ctx, f) }, c)
	})
	return cmd
}
