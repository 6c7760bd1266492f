package main

import (
	"context"
	"fmt"
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
	notBefore, validFor                time.Duration
	wait                               bool
	waitFor                            time.Duration
}

func newSend(t terminal) *cobra.Command {
	f := &sendFlags{}
	cmd := &cobra.Command{
		Use:   "send NUMBER TEXT --campaign NAME",
		Short: "Send one message",
		Long: `Send one message. It returns when the message is on the box's disk; with --wait it
follows the message until the network took it, or refused it.`,
		Example: `  fieldpost send 099123456 "Your order is ready" --campaign orders --wait
  fieldpost send +59899123456 "Call us" --campaign orders --in 2h --valid-for 1h`,
		Args: exactArgs("NUMBER", "TEXT"),
	}
	f.flags(cmd)
	cmd.Flags().StringVarP(&f.campaign, "campaign", "c", "", "campaign or dialer that carries it (required)")
	cmd.Flags().StringVar(&f.agent, "agent", "", "who asks for it")
	cmd.Flags().StringVar(&f.data, "data", "", "extra data, kept and returned unchanged")
	cmd.Flags().StringVar(&f.source, "port", "", "port to send from; by default the ring's choice")
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key: the same key and message is sent once")
	cmd.Flags().Uint16Var(&f.priority, "priority", gateway.PrioritySingle, "the lower leaves first")
	cmd.Flags().DurationVar(&f.notBefore, "in", 0, "send it after this time, such as 2h")
	cmd.Flags().DurationVar(&f.validFor, "valid-for", 0, "let it expire when it could not leave within this time")
	cmd.Flags().BoolVarP(&f.wait, "wait", "w", false, "follow it until it is sent or refused")
	cmd.Flags().DurationVar(&f.waitFor, "wait-for", 2*time.Minute, "how long to follow it")
	cmd.RunE = f.asking(func(ctx context.Context, c *client.Client, args []string) error {
		if f.campaign == "" {
			return invalid("campaign", "is missing: name the campaign or dialer that carries the message")
		}
		return f.send(ctx, t, c, args[0], args[1])
	})
	return cmd
}

func (f *sendFlags) send(ctx context.Context, t terminal, c *client.Client, to, text string) error {
	m := client.NewMessage{
		To: to, Text: text, Campaign: f.campaign, Agent: f.agent, Data: f.data, Source: f.source,
		Priority: &f.priority, Key: f.key,
	}
	now := time.Now()
	if f.notBefore > 0 {
		at := now.Add(f.notBefore)
		m.NotBefore = &at
	}
	if f.validFor > 0 {
		end := now.Add(f.notBefore + f.validFor)
		m.ValidUntil = &end
	}
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
	_, err = fmt.Fprintf(t.out, "%s %s, %s\n", a.ID, a.Status, plural(a.Segments, "segment"))
	return err
}

// follow polls a message until it is settled, and fails when it did not go out.
func (f *sendFlags) follow(ctx context.Context, t terminal, c *client.Client, id string) error {
	ctx, cancel := context.WithTimeout(ctx, f.waitFor)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		m, err := c.Message(ctx, id)
		if err != nil {
			return err
		}
		if settled(m.Status) {
			return f.result(t, m)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return gateway.Errorf(gateway.KindUnavailable,
				"message %s is on disk and still %s after %s; \"fieldpost explain %s\" tells why", id, m.Status, f.waitFor, id)
		}
	}
}

func (f *sendFlags) result(t terminal, m client.Message) error {
	var err error
	if f.asJSON {
		err = printJSON(t.out, m)
	} else {
		_, err = fmt.Fprintf(t.out, "%s %s %s\n", m.ID, m.Status, cell(m.Channel))
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
