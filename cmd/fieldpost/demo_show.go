package main

import (
	"context"
	"errors"
	"fmt"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// show plays the customer: it defines dialers, blocks numbers, loads the base,
// watches, and gives the verdict. All of it goes over the REST API.
func (f *demoFlags) show(ctx context.Context, t terminal, s *demoSite, address string) error {
	c, err := f.client(address)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(t.out, "fieldpost demo: %s at %s a segment, %s, API at http://%s/api/v1\n", s, f.latency, plural(f.rows, "row"), address)
	verdict, err := f.play(ctx, t, c, s)
	if err != nil {
		return err
	}
	verdict.print(t.out)
	if f.exit {
		return verdict.err()
	}
	fmt.Fprintf(t.out, "\nstill serving until interrupted; try in another window\n"+
		"  fieldpost status --server http://%[1]s\n"+
		"  fieldpost explain 1 --server http://%[1]s\n"+
		"  curl -s http://%[1]s/api/v1/dialers/%[2]s/counters\n", address, demoName)
	<-ctx.Done()
	return nil
}

// play sends the base while the hardware misbehaves, and judges what came of it.
func (f *demoFlags) play(ctx context.Context, t terminal, c *client.Client, s *demoSite) (*verdict, error) {
	received, err := f.newInbound(ctx, c, s)
	if err != nil {
		return nil, err
	}
	for i := range s.lanes {
		if err := f.prepare(ctx, c, &s.lanes[i]); err != nil {
			return nil, err
		}
	}
	times, err := f.meanwhile(ctx, s, received, func(ctx context.Context) error { return f.watch(ctx, t, c, s) })
	if err != nil {
		return nil, err
	}
	v, err := f.judge(ctx, c, s)
	if err != nil {
		return nil, err
	}
	v.unplugged = times
	return v, received.judge(ctx, c, v)
}

// meanwhile unplugs devices and sends messages to the site until work is done, and
// gives how often it unplugged one.
func (f *demoFlags) meanwhile(ctx context.Context, s *demoSite, received *demoInbound, work func(context.Context) error) (times int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	trouble, calm := context.WithCancel(ctx)
	defer calm()
	done, sent, plugged := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		err := received.run(ctx, done)
		if err != nil {
			cancel(err)
		}
		sent <- err
	}()
	go func() {
		var err error
		if f.pace != (pace{}) {
			times, err = s.unplug(trouble, f)
		}
		if err != nil {
			cancel(err)
		}
		plugged <- err
	}()
	err = work(ctx)
	close(done)
	calm()
	err = errors.Join(err, <-sent, <-plugged)
	return times, err
}

// prepare is repeatable: a demo that was killed finds what it made before.
func (f *demoFlags) prepare(ctx context.Context, c *client.Client, l *demoLane) error {
	dial := fmt.Sprintf("(0.%d)", l.ports-1)
	if l.ports == 1 {
		dial = "0"
	}
	_, err := c.CreateDialer(ctx, client.Dialer{Name: l.campaign, Provider: l.provider, DialString: dial, DNCR: true})
	if err != nil && gateway.KindOf(err) != gateway.KindConflict {
		return err
	}
	if l.blocks() {
		listed, err := c.UploadBlacklist(ctx, stream(l.writeListed, l.upload("blacklist")))
		if err != nil {
			return err
		}
		if _, err := loaded(ctx, c, listed); err != nil {
			return err
		}
	}
	_, err = c.UploadBase(ctx, l.campaign, stream(l.write, l.upload("base")))
	switch {
	case gateway.KindOf(err) == gateway.KindConflict:
		return invalid("rows", "is %d, and this folder holds a base of another size: give that one again, or another --dir", f.rows)
	case err != nil:
		return err
	}
	_, err = c.StartDialer(ctx, l.campaign)
	return err
}
