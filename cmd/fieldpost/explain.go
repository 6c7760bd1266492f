package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

func newExplain(t terminal) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Say in words why a message is where it is",
		Long:  `Say in words why a message went where it went, or why it still waits, with its timeline.`,
		Example: `  fieldpost explain 1042
  fieldpost explain 1042 --json`,
		Args: exactArgs("ID"),

		ValidArgsFunction: cobra.NoFileCompletions,
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
		m, err := c.Message(ctx, args[0])
		if err != nil {
			return err
		}
		if s.asJSON {
			return printJSON(t.out, struct {
				client.Explanation
				Message  client.Message  `json:"message"`
				Timeline client.Timeline `json:"timeline"`
			}{why, m, line})
		}
		return printExplanation(t, m, why, line)
	})
	return cmd
}

func printExplanation(t terminal, m client.Message, why client.Explanation, line client.Timeline) error {
	say(t.out, "message %s is %s\n", why.ID, why.Status)
	say(t.out, "to %s for %s, %s of %s: %s\n",
		m.To, m.Campaign, plural(m.Segments, "segment"), m.Encoding, shortened(m.Text, maxShown))
	for _, r := range why.Reasons {
		say(t.out, "  - %s\n", r)
	}
	if why.Status == gateway.StatusUnknown.String() {
		say(t.out, "  - A delivery report may still decide it. Until then only you can: \"fieldpost queue resolve %s sent\", or failed, or queued to send it again.\n", why.ID)
	}
	fmt.Fprintln(t.out)
	rows := newTable(t.out, "TIME (UTC)", "STATUS", "CHANNEL", "WHY")
	for _, step := range line.Steps {
		text := step.Text
		if step.Code != "" && !strings.Contains(text, step.Code) {
			text += " (" + step.Code + ")"
		}
		rows.row(step.At.UTC().Format("2006-01-02 15:04:05.000"), step.Status, step.Channel, text)
	}
	if line.Omitted > 0 {
		rows.row("", fmt.Sprintf("(%d steps of the middle are left out)", line.Omitted))
	}
	return rows.flush()
}

// maxShown is how much of a text is shown where it only says which message is meant.
const maxShown = 70

// shortened cuts a text after so many characters.
func shortened(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "..."
}
