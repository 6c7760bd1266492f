package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
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
		if len(page.Items) == 0 {
			_, err := fmt.Fprintln(t.out, "no token: \"fieldpost token create\" makes one")
			return err
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
	cmd.Flags().StringSliceVar(&scopes, "scope", []string{"read", "send"}, "what it may do: "+strings.Join(scopeWords[:], ", "))
	complete(cmd, "scope", scopeWords[:]...)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		for _, word := range scopes {
			if !slices.Contains(scopeWords[:], word) {
				return invalid("scope", "%q is no scope: one of %s", word, strings.Join(scopeWords[:], ", "))
			}
		}
		return nil
	}
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		k, err := c.CreateToken(ctx, client.Token{Name: args[0], Scopes: scopes})
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, k)
		}
		fmt.Fprintln(t.err, "This is the only time that the token is shown:")
		_, err = say(t.out, "%s\n", k.Token)
		return err
	})
	return cmd
}

// tokenID gives the id of a token that was named by its id or its name.
func tokenID(ctx context.Context, c *client.Client, which string) (string, error) {
	page, err := c.Tokens(ctx, client.List{Limit: maxLimit})
	if err != nil {
		return "", err
	}
	for _, k := range page.Items {
		if which == k.ID || which == k.Name {
			return k.ID, nil
		}
	}
	return "", gateway.Errorf(gateway.KindNotFound, "no token is %q: \"fieldpost token\" lists them", which)
}

func newTokenRevoke(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID|NAME",
		Short:   "End a token at once",
		Example: `  fieldpost token revoke shop`,
		Args:    exactArgs("ID|NAME"),

		ValidArgsFunction: once(s.naming(tokenNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			id, err := tokenID(ctx, c, args[0])
			if err != nil {
				return err
			}
			if err := c.RevokeToken(ctx, id); err != nil {
				return err
			}
			return s.said(t, "token %s is revoked", args[0])
		}),
	}
}
