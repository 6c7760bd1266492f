package modemtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
)

// bench is one case: a rig with its driver running, and the host that it reports to.
type bench struct {
	*testing.T
	rig      *Rig
	host     *host
	patience time.Duration

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has ended for good
	last   error         // what the last Run gave
	idm    uint64
}

// again is how soon a driver that ended is started again.
const again = 5 * time.Millisecond

// start runs the driver, and runs it again when the device is lost, as the bank does.
func (b *bench) start() {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	b.cancel, b.done = cancel, done
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			err := b.rig.Driver.Run(ctx, b.host)
			b.mu.Lock()
			b.last = err
			b.mu.Unlock()
			b.host.Channel(gateway.Channel{Port: b.rig.Port, Reason: "the driver does not run"})
			select {
			case <-time.After(again):
			case <-ctx.Done():
			}
		}
	}()
}

// stop ends the driver and gives what its Run gave.
func (b *bench) stop() error {
	b.Helper()
	b.cancel()
	select {
	case <-b.done:
	case <-time.After(b.patience):
		b.Fatal("Run does not return when its context ends")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// context is a safety net for one wait.
func (b *bench) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), b.patience)
}

// do does an act.
func (b *bench) do(a Act) {
	b.Helper()
	ctx, cancel := b.context()
	defer cancel()
	if err := b.rig.Do(ctx, a); err != nil {
		b.Fatalf("the rig cannot %s: %v", a, err)
	}
}

// until waits for a condition of the host.
func (b *bench) until(what string, cond func(h *host) bool) {
	b.Helper()
	ctx, cancel := b.context()
	defer cancel()
	if err := b.host.until(ctx, func() bool { return cond(b.host) }); err != nil {
		b.Fatalf("%s: it never came (channel: %s %q)", what, b.host.present().State, b.host.present().Reason)
	}
}

// ready waits until the channel can send.
func (b *bench) ready() {
	b.Helper()
	b.until("a ready channel", func(h *host) bool { return h.channel.State == gateway.ChannelReady })
}

// one makes the submission of a text that fits one segment.
func (b *bench) one(to, text string) modem.Submission {
	b.Helper()
	subs := b.all(to, text)
	if len(subs) != 1 {
		b.Fatalf("%q takes %d segments", text, len(subs))
	}
	return subs[0]
}

// all makes the submissions of a text: one a segment, or one for a driver that cuts.
func (b *bench) all(to, text string) []modem.Submission {
	b.Helper()
	plan, err := gsm7.PlanText(text)
	if err != nil {
		b.Fatal(err)
	}
	b.idm++
	s := modem.Submission{
		IDM: b.idm, UserID: uint32(b.idm), To: gateway.Address(to), Text: text, Encoding: plan.Encoding,
		Segments: plan.Segments, Ref: uint16(b.idm)<<8 | 0x5A,
	}
	if b.rig.Driver.Limits().Whole {
		return []modem.Submission{s}
	}
	var subs []modem.Submission
	for i := range plan.Segments {
		s.Segment, s.More = i+1, i+1 < plan.Segments
		s.UserID = uint32(b.idm)<<8 | uint32(i)
		subs = append(subs, s)
	}
	return subs
}

// result is what became of a send.
type result struct {
	receipt modem.Receipt
	err     error
}

// try sends once.
func (b *bench) try(ctx context.Context, s modem.Submission) result {
	r, err := b.rig.Driver.Send(ctx, b.rig.Port, s)
	return result{r, err}
}

// send sends, and sends again while the driver says that nothing went out because
// the device is not ready yet. It gives the first other outcome.
func (b *bench) send(s modem.Submission) result {
	b.Helper()
	ctx, cancel := b.context()
	defer cancel()
	for {
		b.ready()
		began := time.Now()
		r := b.try(ctx, s)
		if most := b.rig.Driver.Limits().Send; most <= 0 || time.Since(began) > most {
			b.Fatalf("Send took %v, and the driver's limit is %v", time.Since(began), most)
		}
		if kind(r.err) != gateway.KindUnavailable || ctx.Err() != nil {
			return r
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
}

// accepted sends what must be accepted.
func (b *bench) accepted(s modem.Submission) modem.Receipt {
	b.Helper()
	r := b.send(s)
	if r.err != nil {
		b.Fatalf("a send that nothing disturbs gives %s: %v", kind(r.err), r.err)
	}
	return r.receipt
}

// aside sends in a goroutine: the result comes on the channel.
func (b *bench) aside(ctx context.Context, s modem.Submission) <-chan result {
	ch := make(chan result, 1)
	go func() { ch <- b.try(ctx, s) }()
	return ch
}

// result waits for a send that runs aside.
func (b *bench) result(ch <-chan result) result {
	b.Helper()
	select {
	case r := <-ch:
		return r
	case <-time.After(b.patience):
		b.Fatal("Send does not return")
	}
	return result{}
}

// kind reads an outcome as the contract does: what says nothing is in doubt.
func kind(err error) gateway.Kind {
	var e *gateway.Error
	switch {
	case err == nil:
		return gateway.KindNone
	case errors.As(err, &e):
		return e.Kind
	}
	return gateway.KindUnknownOutcome
}
