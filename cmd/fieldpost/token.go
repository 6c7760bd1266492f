package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newToken(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "token",
		Short: "List, create and revoke API tokens",
		Args:  exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		page, err := c.Tokens(ctx, client.List{Limit: 1000})
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, page.Items)
		}
		rows := newTable(t.out, "ID", "NAME", "SCOPES", "LAST USED")
		for _, k := range page.Items {
			rows.row(k.ID, k.Name, strings.Join(k.Scopes, ","), lastUsed(k))
		}
		return rows.flush()
	})
	cmd.AddCommand(newTokenCreate(t, &s), newTokenRevoke(t, &s))
	return cmd
}

func lastUsed(k client.Token) string {
	if k.LastUsed == nil {
		return "never"
	}
	return k.LastUsed.UTC().Format("2006-01-02 15:00 UTC")
}

func newTokenCreate(t terminal, s *server) *cobra.Command {
	var scopes []string
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Make a token and print it; it is shown this once",
		Example: `  fieldpost token create shop --scope send,read`,
		Args:    exactArgs("NAME"),
	}
	cmd.Flags().StringSliceVar(&scopes, "scope", []string{"read", "send"}, "what it may do: read, send, campaigns, blacklist, providers, admin")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		k, err := c.CreateToken(ctx, client.Token{Name: args[0], Scopes: scopes})
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, k)
		}
		fmt.Fprintln(t.err, "This is the only time that the token is shown:")
		_, err = fmt.Fprintln(t.out, k.Token)
		return err
	})
	return cmd
}

func newTokenRevoke(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token at once",
		Args:  exactArgs("ID"),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			if err := c.RevokeToken(ctx, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(t.out, "token %s is revoked\n", cell(args[0]))
			return err
		}),
	}
}
