package main

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway/client"
)

// watch shows the base at work until all of it is done.
func (f *demoFlags) watch(ctx context.Context, t terminal, c *client.Client, a *air) error {
	v := newView(t.out)
	began := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := c.DialerCounters(ctx, demoName)
		if err != nil {
			return err
		}
		u, err := c.Upload(ctx, demoName+"-base")
		if err != nil {
			return err
		}
		channels, err := c.Channels(ctx)
		if err != nil {
			return err
		}
		done := u.State != "loading" && n.NotProcessed == 0
		picture, line := f.picture(n, channels.Items, a, time.Since(began))
		v.show(time.Now(), picture, line, done)
		if done {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// picture draws one moment: the whole base above, a line a channel below; and the
// same in one line for a pipe.
func (f *demoFlags) picture(n client.Counters, channels []client.Channel, a *air, took time.Duration) ([]string, string) {
	finished := n.Processed + n.Blocked + n.Other
	line := fmt.Sprintf("%6.1fs  processed %d  waiting %d  blocked %d  invalid %d  unknown %d  delivered %d",
		took.Seconds(), n.Processed, n.NotProcessed, n.Blocked, n.ByStatus["invalid"], n.ByStatus["unknown"], n.ByStatus["delivered"])
	lines := []string{
		fmt.Sprintf("%s %d of %d", bar(finished, uint64(f.rows), 40), finished, f.rows),
		line,
		"",
		fmt.Sprintf("%-10s %-9s %-8s %7s %9s", "CHANNEL", "STATE", "OPERATOR", "SIGNAL", "SEGMENTS"),
	}
	sent := a.bank.Network.PerSIM()
	for _, ch := range channels {
		lines = append(lines, cell(fmt.Sprintf("%-10s %-9s %-8s %7s %9d %s",
			ch.ID, ch.State, ch.Operator, signalOf(ch), sent[ch.ICCID], ch.Reason)))
	}
	return lines, line
}
