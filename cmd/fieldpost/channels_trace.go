package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newTrace(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:   "trace CHANNEL",
		Short: "Print the last dialogue with a channel's modem, and how it was brought back",
		Long: `Print the last dialogue with a channel's modem, and the last times that it did not answer: the cause,
what was tried, and the dialogue until then. No text of a message, no PIN, and of numbers the last three digits: it can be
sent to whoever helps.`,
		Example: `  fieldpost channels trace bank/0`,
		Args:    exactArgs("CHANNEL"),

		ValidArgsFunction: once(s.naming(channelNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			trace, err := c.ChannelTrace(ctx, args[0])
			if err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(t.out, trace)
			}
			return printTrace(t.out, trace)
		}),
	}
}

func printTrace(w io.Writer, trace client.Trace) error {
	for _, i := range trace.Incidents {
		fmt.Fprintf(w, "%s  %s\n", i.At.Local().Format(time.DateTime), clean(i.Cause))
		for _, s := range i.Steps {
			fmt.Fprintf(w, "  %s\n", clean(s))
		}
		printLines(w, i.Lines)
	}
	if len(trace.Incidents) == 0 {
		fmt.Fprintln(w, "nothing went wrong since the daemon began; the last dialogue:")
	} else {
		fmt.Fprintln(w, "now:")
	}
	printLines(w, trace.Lines)
	return nil
}

func printLines(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintf(w, "    %s\n", clean(l))
	}
}
