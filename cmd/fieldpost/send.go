package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// sendFlags are the flags of send.
type sendFlags struct {
	server
	campaign, agent, data, source, key string
	priority                           uint16
	in, validFor                       time.Duration
	at, until                          string
	wait                               bool
	waitFor                            time.Duration
}

func newSend(t terminal) *cobra.Command {
	f := &sendFlags{}
	cmd := &cobra.Command{
		Use:   "send NUMBER TEXT --campaign NAME",
		Short: "Send one message",
		Long: `Send one message. It returns when the message is on the box's disk; with --wait it
follows the message until the network took it, or refused it, and ends with exit code 1 when it did not go out.
TEXT may be - for standard input.`,
		Example: `  fieldpost send 099123456 "Your order is ready" --campaign orders --wait
  fieldpost send +59899123456 "Call us" --campaign orders --in 2h --valid-for 1h
  fieldpost send 099123456 "Closed today" --campaign orders --key closed-1124 --at 2030-11-24T08:00:00-03:00
  df -h / | fieldpost send 099123456 - --campaign alerts`,
		Args: exactArgs("NUMBER", "TEXT"),
	}
	f.flags(cmd)
	cmd.Flags().StringVarP(&f.campaign, "campaign", "c", "", "campaign or dialer that carries it (required)")
	cmd.Flags().StringVar(&f.agent, "agent", "", "who asks for it")
	cmd.Flags().StringVar(&f.data, "data", "", "extra data, kept and returned unchanged")
	cmd.Flags().StringVar(&f.source, "port", "", "port to send from; by default the ring's choice")
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key: the same command with the same key is one message")
	cmd.Flags().Uint16Var(&f.priority, "priority", gateway.PrioritySingle, "the lower leaves first")
	cmd.Flags().DurationVar(&f.in, "in", 0, "send it after this time, such as 2h")
	cmd.Flags().StringVar(&f.at, "at", "", "send it after this moment, such as 2030-01-02T08:00:00Z")
	cmd.Flags().DurationVar(&f.validFor, "valid-for", 0, "let it expire when it could not leave within this time, such as 1h")
	cmd.Flags().StringVar(&f.until, "until", "", "let it expire when it could not leave before this moment")
	cmd.Flags().BoolVarP(&f.wait, "wait", "w", false, "follow it until it is sent or refused")
	cmd.Flags().DurationVar(&f.waitFor, "wait-for", 2*time.Minute, "how long --wait follows it")
	completeWith(cmd, "campaign", f.naming(laneNames))
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		m, err := f.message(t, args[0], args[1])
		if err != nil {
			return err
		}
		return f.asking(func(ctx context.Context, c *client.Client, _ []string) error {
			return f.send(ctx, t, c, m)
		})(cmd, args)
	}
	return cmd
}

// message reads the flags, before anything is asked of the daemon.
func (f *sendFlags) message(t terminal, to, text string) (client.NewMessage, error) {
	m := client.NewMessage{
		To: to, Text: text, Campaign: f.campaign, Agent: f.agent, Data: f.data, Source: f.source,
		Priority: &f.priority, Key: f.key,
	}
	if f.campaign == "" {
		return m, invalid("campaign", "is missing: name the campaign or dialer that carries the message")
	}
	if text == "-" {
		b, err := io.ReadAll(io.LimitReader(t.in, maxText+1))
		if err != nil {
			return m, err
		}
		if len(b) > maxText {
			return m, usageError{gateway.Invalid("TEXT", "is longer than %d bytes: no message holds them", maxText)}
		}
		m.Text = strings.TrimSuffix(string(b), "\n")
	}
	return m, f.times(&m, time.Now())
}

// maxText bounds a text that is read from standard input, in bytes; ten segments
// hold less than 4 KiB.
const maxText = 16 << 10

// times reads when a message may leave.
func (f *sendFlags) times(m *client.NewMessage, now time.Time) (err error) {
	switch {
	case f.in < 0:
		return invalid("in", "is %s: the time to wait, such as 2h", f.in)
	case f.validFor < 0:
		return invalid("valid-for", "is %s: the time that it may wait, such as 1h", f.validFor)
	case f.in > 0 && f.at != "":
		return invalid("at", "and --in say the same: give one of them")
	case f.validFor > 0 && f.until != "":
		return invalid("until", "and --valid-for say the same: give one of them")
	case f.key != "" && (f.in > 0 || f.validFor > 0):
		// They count from now: a second run would be another message under the same key.
		return invalid("key", "needs --at instead of --in, and --until instead of --valid-for: a moment that stays the same")
	}
	if m.NotBefore, err = moment("at", f.at); err != nil {
		return err
	}
	if m.ValidUntil, err = moment("until", f.until); err != nil {
		return err
	}
	begin := now
	if f.in > 0 {
		at := now.Add(f.in)
		m.NotBefore = &at
	}
	if m.NotBefore != nil && m.NotBefore.After(now) {
		begin = *m.NotBefore
	}
	if f.validFor > 0 {
		end := begin.Add(f.validFor)
		m.ValidUntil = &end
	}
	return nil
}

// moment reads a time (RFC 3339 §5.6); nil for "".
func moment(flag, s string) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, invalid(flag, "is %q: write it as 2030-01-02T08:00:00Z, or with the zone as 2030-01-02T08:00:00-03:00", s)
	}
	return &at, nil
}

func (f *sendFlags) send(ctx context.Context, t terminal, c *client.Client, m client.NewMessage) error {
	a, err := c.Send(ctx, m)
	if err != nil {
		return err
	}
	if f.wait {
		return f.follow(ctx, t, c, a.ID)
	}
	if f.asJSON {
		return printJSON(t.out, a)
	}
	again := ""
	if a.Repeated {
		again = ", sent for before with this key"
	}
	_, err = say(t.out, "%s %s, %s%s\n", a.ID, a.Status, plural(a.Segments, "segment"), again)
	return err
}

// follow polls a message until it is settled, and fails when it did not go out.
func (f *sendFlags) follow(ctx context.Context, t terminal, c *client.Client, id string) error {
	ctx, cancel := context.WithTimeout(ctx, f.waitFor)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for last := "queued"; ; {
		m, err := c.Message(ctx, id)
		switch {
		case ctx.Err() != nil:
			return f.gaveUp(ctx, id, last)
		case err != nil:
			return err
		case settled(m.Status):
			return f.result(t, m)
		}
		last = m.Status
		select {
		case <-tick.C:
		case <-ctx.Done():
			return f.gaveUp(ctx, id, last)
		}
	}
}

// gaveUp says that whoever waited stopped, and that the message did not.
func (f *sendFlags) gaveUp(ctx context.Context, id, last string) error {
	after := "after " + f.waitFor.String()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		after = "and nobody waits for it any more"
	}
	return gateway.Errorf(gateway.KindUnavailable,
		"message %s is on disk and still %s %s; \"fieldpost explain %s\" tells why", id, last, after, id)
}

func (f *sendFlags) result(t terminal, m client.Message) error {
	var err error
	if f.asJSON {
		err = printJSON(t.out, m)
	} else {
		_, err = say(t.out, "%s %s %s\n", m.ID, m.Status, m.Channel)
	}
	if status, _ := gateway.ParseStatus(m.Status); err == nil && status.Code() != gateway.CodeSent {
		return gateway.Errorf(gateway.KindRefused, "message %s is %s: %s", m.ID, m.Status, m.Reason)
	}
	return err
}

// settled says that a status will not change by itself soon.
func settled(word string) bool {
	s, _ := gateway.ParseStatus(word)
	return s.Final() || s == gateway.StatusUnknown
}

// plural counts things in words.
func plural[N int | int64 | uint64](n N, thing string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
