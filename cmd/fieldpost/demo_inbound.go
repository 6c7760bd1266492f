package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// inboundPatience is how long the demo waits for a received message after the last
// one came: longer than any driver takes between two looks at what is stored.
const inboundPatience = 4 * time.Minute

// demoInbound is what the demo's network sends to the site's cards.
type demoInbound struct {
	s      *demoSite
	count  int
	rows   int             // of the base, by which it is spread
	mark   string          // in every text: tells this run from an earlier one in the same folder
	before map[string]bool // ids of what the spool held already
}

// newInbound notes what was there before.
func (f *demoFlags) newInbound(ctx context.Context, c *client.Client, s *demoSite) (*demoInbound, error) {
	d := &demoInbound{s: s, count: f.inbound, rows: f.rows, mark: strconv.FormatInt(time.Now().UnixNano(), 36), before: map[string]bool{}}
	if d.count == 0 {
		return d, nil
	}
	err := d.each(ctx, c, func(in *client.Inbound) { d.before[in.ID] = true })
	return d, err
}

// text gives the nth message: each is another, some are long, some need UCS2.
func (d *demoInbound) text(n int) string {
	head := fmt.Sprintf("Inbound %s-%d:", d.mark, n)
	switch {
	case n%4 == 3:
		return head + " I cannot come on Thursday because the bus that I take does not run on that day, and my sister, who has a " +
			"car, works until six in the evening; so please tell me whether there is another appointment in the week after, in " +
			"the morning if that can be arranged, and which papers I have to bring along for it. Thank you."
	case n%5 == 4:
		return head + " mañana sí 🙂"
	}
	return head + " yes, I will be there"
}

// message is the nth message on its way. The segments of a long one come out of order.
func (d *demoInbound) message(n int, cards []*sim.Card) sim.Incoming {
	in := sim.Incoming{
		From: fmt.Sprintf("+59897%06d", n%50), To: cards[n%len(cards)].ICCID(), Text: d.text(n), Ref: uint16(n % 256),
	}
	if n%4 == 3 {
		in.Order = []int{3, 1, 2}
	}
	if n%8 == 7 { // and the network repeats itself
		in.Order = []int{2, 2, 3, 1}
	}
	return in
}

// run sends the messages, spread over the base; what is left when rows is closed goes at once.
func (d *demoInbound) run(ctx context.Context, rows <-chan struct{}) error {
	spread, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-rows:
			cancel()
		case <-spread.Done():
		}
	}()
	began, cards := d.s.bank.Network.Len(), d.s.cards()
	for n := range d.count {
		d.s.aired(spread, began+n*d.rows/d.count)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.s.bank.Network.Deliver(d.message(n, cards)); err != nil {
			return err
		}
	}
	return nil
}

// each reads what the spool received.
func (d *demoInbound) each(ctx context.Context, c *client.Client, fn func(*client.Inbound)) error {
	for in, err := range client.All(func(l client.List) (client.Page[client.Inbound], error) {
		l.Limit = 1000
		return c.Inbound(ctx, l)
	}) {
		if err != nil {
			return err
		}
		fn(&in)
	}
	return nil
}

// judge waits until every message is in the spool, and holds each to be there once.
func (d *demoInbound) judge(ctx context.Context, c *client.Client, v *verdict) error {
	if d.count == 0 {
		return nil
	}
	for last, since := -1, time.Now(); ; {
		stored := map[string]int{}
		if err := d.each(ctx, c, func(in *client.Inbound) {
			if !d.before[in.ID] {
				stored[in.Text]++
			}
		}); err != nil {
			return err
		}
		here := 0
		for n := range d.count {
			here += min(1, stored[d.text(n)])
		}
		if here == d.count || here == last && time.Since(since) > inboundPatience {
			d.tell(v, stored)
			return nil
		}
		if here != last {
			last, since = here, time.Now()
		}
		if !waited(ctx, 100*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// tell gives the verdict on what is stored.
func (d *demoInbound) tell(v *verdict, stored map[string]int) {
	v.inbound = d.count
	for n := range d.count {
		text := d.text(n)
		switch times := stored[text]; times {
		case 0:
			v.fault("received message %d is not in the spool", n)
		case 1:
			v.stored++
		default:
			v.fault("received message %d is %d times in the spool", n, times)
		}
		delete(stored, text)
	}
	for text, times := range stored {
		v.fault("%s in the spool that nobody sent: %.40q", plural(times, "received message"), text)
	}
}
