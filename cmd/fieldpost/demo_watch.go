package main

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway/client"
)

// watch shows the base at work until all of it is done.
func (f *demoFlags) watch(ctx context.Context, t terminal, c *client.Client, s *demoSite) error {
	v := newView(t.out)
	began := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := s.counters(ctx, c)
		if err != nil {
			return err
		}
		loading, err := s.loading(ctx, c)
		if err != nil {
			return err
		}
		channels, err := c.Channels(ctx)
		if err != nil {
			return err
		}
		done := !loading && n.NotProcessed == 0
		picture, line := f.picture(n, channels.Items, s, time.Since(began))
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
func (f *demoFlags) picture(n client.Counters, channels []client.Channel, s *demoSite, took time.Duration) ([]string, string) {
	finished := n.Processed + n.Blocked + n.Other
	line := fmt.Sprintf("%6.1fs  processed %d  waiting %d  blocked %d  invalid %d  unknown %d  delivered %d",
		took.Seconds(), n.Processed, n.NotProcessed, n.Blocked, n.ByStatus["invalid"], n.ByStatus["unknown"], n.ByStatus["delivered"])
	lines := []string{
		fmt.Sprintf("%s %d of %d", bar(finished, uint64(f.rows), 40), finished, f.rows),
		line,
		"",
		fmt.Sprintf("%-10s %-9s %-8s %7s %9s", "CHANNEL", "STATE", "OPERATOR", "SIGNAL", "SEGMENTS"),
	}
	sent := s.bank.Network.PerSIM()
	for _, ch := range channels {
		lines = append(lines, cell(fmt.Sprintf("%-10s %-9s %-8s %7s %9d %s",
			ch.ID, ch.State, ch.Operator, signalOf(ch), sent[s.sim(&ch)], ch.Reason)))
	}
	return lines, line
}

// counters sums the counters of the site's dialers.
func (s *demoSite) counters(ctx context.Context, c *client.Client) (client.Counters, error) {
	sum := client.Counters{Balanced: true, ByStatus: map[string]uint64{}}
	for i := range s.lanes {
		n, err := c.DialerCounters(ctx, s.lanes[i].campaign)
		if err != nil {
			return sum, err
		}
		sum.Uploaded += n.Uploaded
		sum.Processed += n.Processed
		sum.NotProcessed += n.NotProcessed
		sum.Blocked += n.Blocked
		sum.Other += n.Other
		sum.Deleted += n.Deleted
		sum.Balanced = sum.Balanced && n.Balanced
		for status, rows := range n.ByStatus {
			sum.ByStatus[status] += rows
		}
	}
	return sum, nil
}

// loading says that rows of the base are not in the spool yet.
func (s *demoSite) loading(ctx context.Context, c *client.Client) (bool, error) {
	for i := range s.lanes {
		u, err := c.Upload(ctx, demoName+"-"+s.lanes[i].upload("base"))
		if err != nil || u.State == "loading" {
			return true, err
		}
	}
	return false, nil
}
