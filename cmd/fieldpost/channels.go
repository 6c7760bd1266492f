package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newChannels(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "channels",
		Short: "List the ports, the SIMs in them, and what keeps a port from sending",
		Args:  exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		page, err := c.Channels(ctx)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, page.Items)
		}
		return printChannels(t, page.Items)
	})
	cmd.AddCommand(newReset(t, &s), newUSSD(t, &s), newTrace(t, &s),
		newControl(t, &s), newDevice(t, &s), newCalls(t, &s))
	return cmd
}

func printChannels(t terminal, channels []client.Channel) error {
	if len(channels) == 0 {
		_, err := fmt.Fprintln(t.out, "no channel: the configuration names no port; \"fieldpost detect\" finds modems")
		return err
	}
	rows := newTable(t.out, "CHANNEL", "STATE", "OPERATOR", "SIGNAL", "MEMORY", "SIM", "MODEL", "WHY")
	for _, ch := range channels {
		rows.row(ch.ID, ch.State, ch.Operator, signalOf(ch), memoryOf(ch), ch.ICCID, ch.Model, whyNot(ch))
	}
	return rows.flush()
}

// whyNot says what keeps a channel from sending: itself, or the card in it.
func whyNot(ch client.Channel) string {
	if ch.Reason == "" && ch.Held != "" {
		return "its SIM is held: " + ch.Held
	}
	return ch.Reason
}

func signalOf(ch client.Channel) string {
	if ch.DBm == nil {
		return "-"
	}
	return strconv.Itoa(*ch.DBm) + " dBm"
}

// memoryOf gives how full the memory for messages is.
func memoryOf(ch client.Channel) string {
	if ch.Stored == nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d", *ch.Stored, ch.Storage)
}

func newReset(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "reset CHANNEL",
		Short:   "Restart a channel's modem (refused while a send is in doubt)",
		Example: `  fieldpost channels reset bank/0`,
		Args:    exactArgs("CHANNEL"),

		ValidArgsFunction: once(s.naming(channelNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			if err := c.ResetChannel(ctx, args[0]); err != nil {
				return err
			}
			return s.said(t, "%s restarts", args[0])
		}),
	}
}

func newUSSD(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "ussd CHANNEL CODE",
		Short:   "Dial a USSD code and print the network's answer",
		Example: `  fieldpost channels ussd bank/0 '*100#'`,
		Args:    exactArgs("CHANNEL", "CODE"),

		ValidArgsFunction: once(s.naming(channelNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			answer, err := c.USSD(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(t.out, answer)
			}
			_, err = fmt.Fprintln(t.out, clean(answer.Text))
			return err
		}),
	}
}
