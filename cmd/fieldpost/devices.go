package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
	"fieldpost/modem"
)

func newControl(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:   "control CHANNEL ACTION [PARAM]",
		Short: "Switch, block or re-slot a gateway's port (needs port_control)",
		Long: `Switch, block or re-slot a gateway's port.

The provider must have port_control = true, and nothing may be on its way over the port.
power_off and power_on switch it, block and unblock keep the gateway from sending over it,
slot takes another SIM of it: its number, 0 to 3, is the PARAM.

An IMEI is never changed, which is unlawful in many countries, and no PIN is tried.`,
		Example: `  fieldpost channels control rack/3 power_off`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 3 {
				return nil
			}
			return exactArgs("CHANNEL", "ACTION")(cmd, args)
		},

		ValidArgsFunction: s.naming(channelNames, controlWords()...),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			in := client.Control{Action: args[1], Param: strings.Join(args[2:], "")}
			if err := c.ControlChannel(ctx, args[0], in); err != nil {
				return err
			}
			return s.said(t, in.Action+" was done to %s", args[0])
		}),
	}
}

func controlWords() (words []string) {
	for _, c := range modem.Controls() {
		words = append(words, string(c))
	}
	return words
}

func newDevice(t terminal, s *server) *cobra.Command {
	return &cobra.Command{
		Use:     "device PROVIDER",
		Short:   "Ask a gateway for its serial number, load and queue",
		Example: `  fieldpost channels device rack`,
		Args:    exactArgs("PROVIDER"),

		ValidArgsFunction: once(s.naming(providerNames)),
		RunE: s.asking(func(ctx context.Context, c *client.Client, args []string) error {
			d, err := c.Device(ctx, args[0])
			if err != nil {
				return err
			}
			if s.asJSON {
				return printJSON(t.out, d)
			}
			return printDevice(t, &d)
		}),
	}
}

func printDevice(t terminal, d *client.Device) error {
	rows := newTable(t.out, "DEVICE", d.Provider)
	rows.row("serial", orDash(d.Serial))
	if d.Queue != nil {
		rows.row("queue", strconv.Itoa(*d.Queue)+" messages")
	}
	if d.CPU != nil {
		rows.row("processor", strconv.Itoa(*d.CPU)+" %")
	}
	for _, m := range []struct {
		name string
		of   *client.Memory
	}{{"memory", d.Memory}, {"flash", d.Flash}} {
		if m.of != nil {
			rows.row(m.name, fmt.Sprintf("%d of %d KiB", m.of.Used>>10, m.of.Total>>10))
		}
	}
	if err := rows.flush(); err != nil {
		return err
	}
	fmt.Fprintln(t.out)
	return printChannels(t, d.Ports)
}

func newCalls(t terminal, s *server) *cobra.Command {
	var (
		q             = client.CallQuery{List: client.List{Limit: 50}}
		port          = modem.AnyPort
		after, before string
	)
	cmd := &cobra.Command{
		Use:     "calls PROVIDER",
		Short:   "List the calls that a gateway carried",
		Example: `  fieldpost channels calls rack --after 2030-01-02T08:00:00Z`,
		Args:    exactArgs("PROVIDER"),

		ValidArgsFunction: once(s.naming(providerNames)),
	}
	f := cmd.Flags()
	f.IntVar(&port, "port", port, "only calls of this port, 0-31 (-1 = all)")
	f.StringVar(&after, "after", "", "began after it, such as 2030-01-02T08:00:00Z (24 h before the end)")
	f.StringVar(&before, "before", "", "began before it (now)")
	f.IntVarP(&q.Limit, "limit", "n", q.Limit, "how many, 1-1000")
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) (err error) {
		if port != modem.AnyPort {
			q.Port = &port
		}
		if q.After, err = moment("after", after); err != nil {
			return err
		}
		if q.Before, err = moment("before", before); err != nil {
			return err
		}
		page, err := c.Calls(ctx, args[0], q)
		switch {
		case err != nil:
			return err
		case s.asJSON:
			return printJSON(t.out, page.Items)
		}
		return printCalls(t, page.Items)
	})
	return cmd
}

func printCalls(t terminal, calls []client.Call) error {
	rows := newTable(t.out, "BEGAN (UTC)", "PORT", "FROM", "TO", "SECONDS", "DIRECTION", "ENDED BY")
	for _, c := range calls {
		rows.row(orDash(stamp(c.Began)), strconv.Itoa(c.Port), orDash(c.From), orDash(c.To), strconv.Itoa(c.Seconds), orDash(c.Direction), orDash(c.Hangup))
	}
	return rows.flush()
}
