package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fieldpost/gateway/client"
)

func newExplain(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say in words why a message is where it is",
		Long:  `Say in words why a message went where it went, or why it still waits, with its timeline.`,
		Args:  exactArgs("ID"),
	}
	s.flags(cmd)
	cmd.RunE = s.asking(func(ctx context.Context, c *client.Client, args []string) error {
		why, err := c.Explain(ctx, args[0])
		if err != nil {
			return err
		}
		line, err := c.Timeline(ctx, args[0])
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, struct {
				client.Explanation
				Timeline client.Timeline `json:"timeline"`
			}{why, line})
		}
		return printExplanation(t, why, line)
	})
	return cmd
}

func printExplanation(t terminal, why client.Explanation, line client.Timeline) error {
	fmt.Fprintf(t.out, "message %s is %s\n", why.ID, why.Status)
	for _, r := range why.Reasons {
		fmt.Fprintf(t.out, "  - %s\n", cell(r))
	}
	fmt.Fprintln(t.out)
	rows := newTable(t.out, "TIME (UTC)", "STATUS", "CHANNEL", "WHY")
	for _, step := range line.Steps {
		text := step.Text
		if step.Code != "" {
			text += " (" + step.Code + ")"
		}
		rows.row(step.At.UTC().Format("2006-01-02 15:04:05.000"), step.Status, step.Channel, text)
	}
	if line.Omitted > 0 {
		rows.row("", fmt.Sprintf("(%d steps of the middle are left out)", line.Omitted))
	}
	return rows.flush()
}
