package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// completeTime is how long a shell waits for the daemon's names.
const completeTime = 2 * time.Second

// Words that are the same everywhere.
var (
	scopeWords  = [...]string{"read", "send", "campaigns", "blacklist", "providers", "admin"}
	policyWords = [...]string{"hold", "resend"}
	resolutions = [...]string{"sent", "failed", "queued"}
)

func statusWords() []string {
	var words []string
	for _, s := range gateway.Statuses() {
		words = append(words, s.String())
	}
	return words
}

// complete gives a shell the words that a flag takes.
func complete(cmd *cobra.Command, flag string, words ...string) {
	completeWith(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeWith lets f complete a flag. A flag that is not there is a fault of this
// program, which a test finds.
func completeWith(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// naming completes the first argument, or a flag, with names that the daemon
// knows. A daemon that is away completes nothing.
func (s *server) naming(names func(context.Context, *client.Client) ([]string, error), rest ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && len(rest) > 0 {
			return rest, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
		defer cancel()
		c, err := s.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		all, err := names(ctx, c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var fit []string
		for _, name := range all {
			if strings.HasPrefix(name, typed) {
				fit = append(fit, strings.ReplaceAll(clean(name), "\n", " "))
			}
		}
		return fit, cobra.ShellCompDirectiveNoFileComp
	}
}

// once completes the first argument only.
func once(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, typed)
	}
}

func dialerNames(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Dialers(ctx, client.DialerQuery{List: client.List{Limit: 1000}})
	return named(page.Items, func(d client.Dialer) string { return d.Name }), err
}

// laneNames are the names that a message may be sent for: campaigns and dialers.
func laneNames(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Campaigns(ctx, client.List{Limit: 1000})
	if err != nil {
		return nil, err
	}
	dialers, err := dialerNames(ctx, c)
	return append(named(page.Items, func(one client.Campaign) string { return one.Name }), dialers...), err
}

func providerNames(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Providers(ctx, client.List{Limit: 1000})
	return named(page.Items, func(p client.Provider) string { return p.Name }), err
}

func channelNames(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Channels(ctx)
	return named(page.Items, func(ch client.Channel) string { return ch.ID }), err
}

func simNames(ctx context.Context, c *client.Client) ([]string, error) {
	all, err := everySIM(ctx, c)
	return named(all, func(s client.SIM) string { return s.ID }), err
}

func tokenNames(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Tokens(ctx, client.List{Limit: 1000})
	return named(page.Items, func(k client.Token) string { return k.ID + "\t" + cell(k.Name) }), err
}

// inDoubt are the ids of the messages that a person may decide.
func inDoubt(ctx context.Context, c *client.Client) ([]string, error) {
	page, err := c.Messages(ctx, client.MessageQuery{List: client.List{Limit: 100}, Statuses: []string{"unknown"}})
	return named(page.Items, func(m client.Message) string { return m.ID }), err
}

func named[T any](items []T, name func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return all
}
