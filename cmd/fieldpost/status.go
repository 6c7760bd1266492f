package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

// overview is what status tells.
type overview struct {
	Site     client.Site       `json:"site"`
	Dialers  []client.Dialer   `json:"dialers"`
	Counters []client.Counters `json:"counters"`
	Channels []client.Channel  `json:"channels"`
	SIMs     []client.SIM      `json:"sims"`
}

func newStatus(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what the daemon does, and why it does not do more",
		Long: `Say what the daemon does, and why it does not do more. What is wrong stands first, a line each that
begins with a dash; then the dialers and the channels.`,
		Example: `  fieldpost status
  fieldpost status --json | jq .site.state`,
		Args: exactArgs(),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, _ []string) error {
		o, err := look(ctx, c)
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, o)
		}
		return printOverview(t, o)
	})
	return cmd
}

// look gathers an overview over the API.
func look(ctx context.Context, c *client.Client) (overview, error) {
	var o overview
	var err error
	if o.Site, err = c.Site(ctx); err != nil {
		return o, err
	}
	channels, err := c.Channels(ctx)
	if err != nil {
		return o, err
	}
	o.Channels = channels.Items
	if o.SIMs, err = everySIM(ctx, c); err != nil {
		return o, err
	}
	for d, err := range client.All(func(l client.List) (client.Page[client.Dialer], error) {
		return c.Dialers(ctx, client.DialerQuery{List: l})
	}) {
		if err != nil {
			return o, err
		}
		n, err := c.DialerCounters(ctx, d.Name)
		if err != nil {
			return o, err
		}
		o.Dialers, o.Counters = append(o.Dialers, d), append(o.Counters, n)
	}
	return o, nil
}

func printOverview(t terminal, o overview) error {
	s := o.Site
	say(t.out, "site %s is %s, fieldpost %s, up since %s\n",
		s.Site, s.State, s.Version, s.Started.UTC().Format(time.RFC3339))
	for _, r := range troubles(&o) {
		say(t.out, "  - %s\n", r)
	}
	say(t.out, "%s waiting, %d unknown; %d of %s ready; clock %s; spool %s, %s free on its disk\n\n",
		plural(s.Backlog.Waiting, "message"), s.Backlog.Unknown, s.Channels.Ready, plural(s.Channels.Total, "channel"),
		s.Clock.State, size(s.Disk.Spool), size(s.Disk.Free))
	if err := printDialers(t, o); err != nil {
		return err
	}
	return printChannels(t, o.Channels)
}

// lowDisk is the free space, in bytes, below which status warns.
const lowDisk = 256 << 20

// troubles gives what is wrong, the worst first: what the daemon says itself, and
// what else a person must look at.
func troubles(o *overview) []string {
	all := slices.Clone(o.Site.Reasons)
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	for _, ch := range o.Channels {
		switch {
		case ch.State != readyState:
			add("channel %s is %s: %s", ch.ID, ch.State, ch.Reason)
		case ch.Held != "":
			add("channel %s is ready, and its SIM is held: %s", ch.ID, ch.Held)
		}
	}
	for _, c := range o.SIMs {
		if b := c.Balance; c.Channel != "" && b != nil && b.Low {
			add("the balance of SIM %s in %s is %s%s", c.ID, c.Channel, balanceOf(b), lasts(b))
		}
	}
	if n := o.Site.Backlog.Unknown; n > 0 {
		add("%s in doubt: \"fieldpost queue --status unknown\" lists them, \"fieldpost queue resolve\" decides one", plural(n, "message"))
	}
	if o.Site.Disk.Free < lowDisk {
		add("the disk of the spool has %s left", size(o.Site.Disk.Free))
	}
	for i, d := range o.Dialers {
		if waiting := o.Counters[i].NotProcessed; !d.Active && waiting > 0 {
			add("dialer %s is stopped with %s waiting: \"fieldpost dialer start %s\"", d.Name, plural(waiting, "row"), d.Name)
		}
	}
	return all
}

// readyState is a channel that can send.
const readyState = "ready"

func printDialers(t terminal, o overview) error {
	if len(o.Dialers) == 0 {
		_, err := fmt.Fprint(t.out, "no dialer\n\n")
		return err
	}
	rows := newTable(t.out, "DIALER", "ACTIVE", "ON SCHEDULE", "PROCESSED", "NOT PROCESSED", "BLOCKED", "OTHER", "WHY IT WAITS")
	for i, d := range o.Dialers {
		n := o.Counters[i]
		why := ""
		if len(d.Reasons) > 0 {
			why = d.Reasons[0]
		}
		rows.row(d.Name, yesNo(d.Active), yesNo(d.OnSchedule), count(n.Processed), count(n.NotProcessed), count(n.Blocked), count(n.Other), why)
	}
	if err := rows.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(t.out)
	return err
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// size writes bytes for a person.
func size(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n), "KMGTPE"
	i := -1
	for f >= unit && i+1 < len(units) {
		f /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
