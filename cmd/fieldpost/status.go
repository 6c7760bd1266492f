package main

import (
	"context"
	"fmt"
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
}

func newStatus(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what the daemon does, and why it does not do more",
		Args:  exactArgs(),
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
	fmt.Fprintf(t.out, "site %s is %s, fieldpost %s, up since %s\n",
		cell(s.Site), s.State, s.Version, s.Started.UTC().Format(time.RFC3339))
	for _, r := range s.Reasons {
		fmt.Fprintf(t.out, "  - %s\n", cell(r))
	}
	fmt.Fprintf(t.out, "%s waiting, %d unknown; %d of %s ready; clock %s; spool %s, %s free on its disk\n\n",
		plural(s.Backlog.Waiting, "message"), s.Backlog.Unknown, s.Channels.Ready, plural(s.Channels.Total, "channel"),
		s.Clock.State, size(s.Disk.Spool), size(s.Disk.Free))
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
	fmt.Fprintln(t.out)
	return printChannels(t, o.Channels)
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
