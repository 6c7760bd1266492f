package optout

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"fieldpost/gateway"
)

const (
	// keep is how long after a wish its confirmation is still news, and how long the
	// confirmation itself may wait for its channel.
	keep = 24 * time.Hour
	// again is the wait after a confirmation could not be posted.
	again = time.Minute
	// maxDaily is how many confirmations one number gets within keep: a machine that answers
	// ours with a wish again would go on for ever, at our cost.
	maxDaily = 4
	// maxTold bounds the numbers that are remembered for it.
	maxTold = 10000
	// page is how many wishes are confirmed before the rest is looked at.
	page = 100
)

// Wishes is the part of the spool that keeps what is to be confirmed.
type Wishes interface {
	// Unreplied lists the wishes that changed the list and were not confirmed.
	Unreplied(limit int) ([]gateway.Inbound, error)
	Replied(ctx context.Context, seq uint64) error
	// WatchWishes gives a channel that is closed when there is another.
	WatchWishes() <-chan struct{}
}

// Reply is one confirmation.
type Reply struct {
	Key      string // the same for the same wish: it is posted once
	Provider string // that the wish came in by
	Port     string // of it
	To       gateway.Address
	Text     string
	Until    time.Time // it is not sent later
}

// ConfirmOptions are what NewConfirmer needs. The first two are required.
type ConfirmOptions struct {
	Wishes Wishes
	// Post puts a confirmation on disk, to be sent although its number opted out. The same
	// key again posts nothing.
	Post   func(ctx context.Context, r Reply) error
	Stop   string           // the text that confirms a stop; "" = none is sent
	Start  string           // and a start
	Now    func() time.Time // nil = time.Now
	Logger *slog.Logger     // nil = none
}

// Confirmer tells customers that their wish was heard. It is used by one Run.
type Confirmer struct {
	o ConfirmOptions

	// of Run's goroutine
	told map[gateway.Address][]time.Time // confirmations since the start, of less than keep ago
}

// NewConfirmer makes a confirmer that tells nobody until Run.
func NewConfirmer(o ConfirmOptions) *Confirmer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Confirmer{o: o, told: map[gateway.Address][]time.Time{}}
}

// Run confirms until ctx ends (nil).
func (c *Confirmer) Run(ctx context.Context) error {
	timer := time.NewTimer(again)
	defer timer.Stop()
	for {
		more := c.o.Wishes.WatchWishes()
		if err := c.all(ctx); err != nil && ctx.Err() == nil {
			c.o.Logger.Error("confirmations of opt-outs wait", slog.Any("error", err))
		}
		timer.Reset(again)
		select {
		case <-more:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// all confirms what there is; the first that cannot be posted now ends it.
func (c *Confirmer) all(ctx context.Context) error {
	for {
		some, err := c.o.Wishes.Unreplied(page)
		if err != nil || len(some) == 0 {
			return err
		}
		for i := range some {
			if err := c.one(ctx, &some[i]); err != nil {
				return err
			}
		}
	}
}

// one confirms one wish. What can never be posted is given up, and the log says so: the
// list is as the customer wants it, and that is what counts.
func (c *Confirmer) one(ctx context.Context, in *gateway.Inbound) error {
	id := strconv.FormatUint(in.Seq, 10)
	if r, ok := c.replyTo(in, id); ok && c.mayTell(in.From) {
		err := c.o.Post(ctx, r)
		switch gateway.KindOf(err) {
		case gateway.KindNone:
			c.tell(in.From)
		case gateway.KindInvalid, gateway.KindConflict, gateway.KindNotFound:
			c.o.Logger.Warn("a wish is not confirmed", slog.String("inbound", id), slog.String("to", in.From.Masked()), slog.Any("error", err))
		default:
			return err
		}
	}
	return c.o.Wishes.Replied(ctx, in.Seq)
}

// mayTell says whether a number gets one more confirmation.
func (c *Confirmer) mayTell(to gateway.Address) bool {
	if len(c.recent(c.told[to])) < maxDaily {
		return true
	}
	c.o.Logger.Warn("a number changes its wish again and again: it is not told", slog.String("to", to.Masked()))
	return false
}

// tell counts a confirmation.
func (c *Confirmer) tell(to gateway.Address) {
	if len(c.told) >= maxTold {
		maps.DeleteFunc(c.told, func(_ gateway.Address, at []time.Time) bool { return len(c.recent(at)) == 0 })
	}
	if _, known := c.told[to]; known || len(c.told) < maxTold {
		c.told[to] = append(c.recent(c.told[to]), c.o.Now())
	}
}

// recent gives the times of less than keep ago; they are in order.
func (c *Confirmer) recent(at []time.Time) []time.Time {
	since := c.o.Now().Add(-keep)
	i := slices.IndexFunc(at, func(t time.Time) bool { return t.After(since) })
	if i < 0 {
		return nil
	}
	return at[i:]
}

// replyTo makes the confirmation of a wish, where there is one.
func (c *Confirmer) replyTo(in *gateway.Inbound, id string) (Reply, bool) {
	text := ""
	switch in.Wish {
	case gateway.WishStop:
		text = c.o.Stop
	case gateway.WishStart:
		text = c.o.Start
	}
	provider, port, ok := gateway.SplitChannelID(in.Channel)
	until := in.ReceivedAt.Add(keep)
	if text == "" || !ok || !until.After(c.o.Now()) {
		return Reply{}, false
	}
	return Reply{Key: id, Provider: provider, Port: strconv.Itoa(port), To: in.From, Text: text, Until: until}, true
}
