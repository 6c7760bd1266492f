package modemtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
	"fieldpost/modem/modemtest"
	"fieldpost/modem/sim"
)

// fake is a driver and its device in one, correct but for its flaw: what the suite
// is tried on.
type fake struct {
	network *sim.Network
	flaw    string
	answers chan answer    // from the device, as on a line: one after the other
	off     chan struct{}  // closed when the test ends: what the device still holds, it gives up
	work    sync.WaitGroup // of the device

	mu      sync.Mutex
	host    modem.Host // while it runs
	away    bool
	deaf    bool   // no network
	locked  string // why the card cannot be used
	inbox   []modem.Part
	faults  []modemtest.Act
	held    chan struct{}
	gate    chan struct{}
	said    chan struct{} // closed when a late answer is on the line; nil where there is none
	sends   int
	reads   int             // inbound messages handed on
	texts   map[string]bool // that came in
	told    map[uint16]bool // concatenation references of messages with a report
	changed chan struct{}
}

type answer struct {
	send int
	mr   uint8
	err  error
}

const (
	fakeICCID = "8959807000000000042"
	giveUp    = 60 * time.Millisecond
)

func newFake(t testing.TB, flaw string) *modemtest.Rig {
	n := sim.NewNetwork(sim.NetworkOptions{})
	t.Cleanup(func() { _ = n.Close() })
	f := &fake{network: n, flaw: flaw, answers: make(chan answer, 16), changed: make(chan struct{}), off: make(chan struct{}), texts: map[string]bool{}, told: map[uint16]bool{}}
	t.Cleanup(func() {
		close(f.off)
		f.work.Wait()
	})
	n.Attach(fakeICCID, "", f.receive)
	return &modemtest.Rig{Driver: f, Port: 7, Network: n, SIM: fakeICCID, ICCID: fakeICCID, Stored: f.stored, Do: f.do}
}

func (f *fake) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) stored() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.inbox)
}

// receive is the device's side of the air.
func (f *fake) receive(pdu []byte, _ bool) bool {
	d, err := sim.ReadDeliver(pdu)
	if err != nil {
		return true
	}
	p := modem.Part{
		Port: 7, ICCID: fakeICCID, From: d.From, SentAt: d.At, Text: d.Text, Ref: d.Ref, Wide: d.Wide,
		Total: d.Total, Seq: d.Seq, Raw: fmt.Sprintf("%X", pdu),
	}
	f.change(func() {
		if f.flaw != "drops a text that it had" || !f.texts[p.Text] {
			f.inbox = append(f.inbox, p)
		}
		f.texts[p.Text] = true
	})
	return true
}

// Limits gives twice the time after which it gives up.
func (f *fake) Limits() modem.Limits { return modem.Limits{Send: time.Second} }

// Run tells the channel's state and brings what is in the inbox.
func (f *fake) Run(ctx context.Context, host modem.Host) error {
	f.change(func() { f.host = host })
	defer f.change(func() { f.host = nil })
	for {
		f.mu.Lock()
		c, away, changed := f.channel(), f.away, f.changed
		f.mu.Unlock()
		if away {
			return errors.New("the device is away")
		}
		host.Channel(c)
		again := f.sweep(ctx, host)
		select {
		case <-ctx.Done():
			if f.flaw == "calls the end of Run an error" {
				return ctx.Err()
			}
			return nil
		case <-changed:
		case <-again:
		}
	}
}

func (f *fake) channel() gateway.Channel {
	c := gateway.Channel{Port: 7, ICCID: fakeICCID, State: gateway.ChannelReady, Registration: gateway.RegHome}
	switch {
	case f.locked != "":
		c.State, c.Reason, c.Registration = gateway.ChannelFault, f.locked, gateway.RegIdle
	case f.deaf:
		c.State, c.Reason, c.Registration = gateway.ChannelStarting, "no network", gateway.RegSearching
	}
	if f.flaw == "is always ready" {
		c.State, c.Reason = gateway.ChannelReady, ""
	}
	return c
}

// sweep brings the inbox to the host, and says when to try again what it did not take.
func (f *fake) sweep(ctx context.Context, host modem.Host) <-chan time.Time {
	for {
		f.mu.Lock()
		var p modem.Part
		n := len(f.inbox)
		if n > 0 {
			p = f.inbox[0]
			if f.flaw == "deletes before it is stored" {
				f.inbox = f.inbox[1:]
			}
		}
		f.mu.Unlock()
		if n == 0 {
			return nil
		}
		f.reads++
		switch f.flaw {
		case "forgets the reference of a part":
			p.Ref = 0
		case "stamps what it reads again":
			p.SentAt = p.SentAt.Add(time.Duration(f.reads) * time.Second)
		case "names a text by its words":
			p.SentAt, p.Raw = time.Time{}, p.Text
		}
		if err := host.Inbound(ctx, p); err != nil && f.flaw != "drops what was not stored" {
			return time.After(time.Millisecond)
		}
		if f.flaw != "deletes before it is stored" {
			f.mu.Lock()
			f.inbox = f.inbox[1:]
			f.mu.Unlock()
		}
	}
}

// Send hands a segment to the device and waits for its answer.
func (f *fake) Send(ctx context.Context, port int, s modem.Submission) (modem.Receipt, error) {
	f.mu.Lock()
	usable := f.host != nil && !f.away && f.locked == "" && !f.deaf
	f.sends++
	send := f.sends
	f.mu.Unlock()
	if !usable || ctx.Err() != nil && f.flaw != "sends for a caller who has gone" {
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "the device is not ready")
	}
	e, err := f.entry(s)
	if err != nil {
		return modem.Receipt{}, err
	}
	f.work.Go(func() { f.device(send, e) })
	return f.await(ctx, send, e)
}

func (f *fake) entry(s modem.Submission) (sim.Entry, error) {
	segments, err := gsm7.Cut(s.Text)
	if err != nil {
		return sim.Entry{}, err
	}
	e := sim.Entry{SIM: fakeICCID, To: string(s.To), Text: segments[s.Segment-1].Text, Report: s.Report}
	if s.Segments > 1 {
		e.Ref, e.Wide, e.Total, e.Seq = s.Ref, true, s.Segments, s.Segment
	}
	if s.Flash {
		e.DCS = 0x10
	}
	switch f.flaw {
	case "gives each segment a reference of its own":
		e.Ref += uint16(e.Seq)
	case "spoils what is beyond 16 bits":
		e.Text = strings.ReplaceAll(e.Text, "🚀", "?")
	case "never asks for reports":
		e.Report = false
	case "makes a short code international":
		e.To = "+" + strings.TrimPrefix(e.To, "+")
	}
	return e, nil
}

func (f *fake) await(ctx context.Context, send int, e sim.Entry) (modem.Receipt, error) {
	limit := time.NewTimer(giveUp)
	defer limit.Stop()
	done := ctx.Done()
	if f.flaw == "does not hear its context" {
		done = nil
	}
	for {
		select {
		case a := <-f.answers:
			if a.send != send && f.flaw != "takes any answer for its own" {
				continue
			}
			if a.err != nil && f.flaw == "folds every refusal into unavailable" {
				a.err = gateway.Errorf(gateway.KindUnavailable, "no")
			}
			return modem.Receipt{MR: a.mr, HasMR: true}, a.err
		case <-done:
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "given up")
		case <-limit.C:
			if f.flaw == "does not hear its context" {
				<-time.After(time.Hour)
			}
			return f.silent(e)
		}
	}
}

// silent is what a driver makes of no answer.
func (f *fake) silent(e sim.Entry) (modem.Receipt, error) {
	switch f.flaw {
	case "says accepted on silence":
		return modem.Receipt{}, nil
	case "says unavailable on silence":
		return modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "no answer")
	case "sends again on silence":
		f.network.Submit(e, func(uint8) {})
	}
	return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "no answer")
}

// device is the other side: it puts the segment on the air and answers, as the
// fault of the send lets it.
func (f *fake) device(send int, e sim.Entry) {
	f.mu.Lock()
	var fault modemtest.Act
	if len(f.faults) > 0 {
		fault, f.faults = f.faults[0], f.faults[1:]
	}
	gate, held, said := f.gate, f.held, f.said
	f.mu.Unlock()
	switch fault {
	case modemtest.RefuseNext:
		f.answers <- answer{send, 0, gateway.Errorf(gateway.KindRefused, "no such number")}
		return
	case modemtest.ThrottleNext:
		f.answers <- answer{send, 0, gateway.Errorf(gateway.KindThrottled, "congestion")}
		return
	case modemtest.SwallowNext:
		return
	case modemtest.HoldNext:
		close(held)
		if !f.opened(gate) {
			return
		}
	}
	e.MR = uint8(send)
	f.network.Submit(e, func(st uint8) { f.report(e, st) })
	switch fault {
	case modemtest.LoseNext:
		return
	case modemtest.DelayNext:
		if !f.opened(gate) {
			return
		}
		defer close(said)
	}
	f.answers <- answer{send, e.MR, nil}
}

// opened waits for a gate; false when the test ended first.
func (f *fake) opened(gate <-chan struct{}) bool {
	select {
	case <-gate:
		return true
	case <-f.off:
		return false
	}
}

func (f *fake) report(e sim.Entry, st uint8) {
	f.mu.Lock()
	host := f.host
	if f.flaw == "takes a report for one of its last send" {
		e.MR = uint8(f.sends)
	}
	again := f.told[e.Ref]
	f.told[e.Ref] = e.Total > 1
	f.mu.Unlock()
	if again && f.flaw == "reports a message once" {
		return
	}
	if f.flaw == "says that every report is good news" {
		st = 0
	}
	if host != nil && f.flaw != "loses reports" {
		_ = host.Report(context.Background(), gateway.StatusReport{SIM: fakeICCID, MR: e.MR, Recipient: gateway.Address(e.To), ST: st})
	}
}

func (f *fake) do(ctx context.Context, a modemtest.Act) error {
	switch a {
	case modemtest.AwaitHeld:
		select {
		case <-f.held:
		case <-ctx.Done():
			return ctx.Err()
		}
	case modemtest.Release:
		close(f.gate)
		if f.said != nil {
			<-f.said
		}
	case modemtest.ReportEarly:
		f.network.SetReports(sim.Reports{Early: true})
	case modemtest.ReportLate:
		f.network.SetReports(sim.Reports{Delay: 100 * time.Millisecond})
	case modemtest.ReportTwice:
		f.network.SetReports(sim.Reports{Twice: 1})
	case modemtest.ReportFailed:
		f.network.SetReports(sim.Reports{Status: 0x46})
	default:
		f.change(func() { f.world(a) })
	}
	return nil
}

func (f *fake) world(a modemtest.Act) {
	switch a {
	case modemtest.HoldNext, modemtest.DelayNext:
		f.held, f.gate, f.said = make(chan struct{}), make(chan struct{}), nil
		if a == modemtest.DelayNext {
			f.said = make(chan struct{})
		}
		f.faults = append(f.faults, a)
	case modemtest.Unplug:
		f.away = true
	case modemtest.Plug:
		f.away = false
	case modemtest.LoseNetwork:
		f.deaf = true
	case modemtest.FindNetwork:
		f.deaf = false
	case modemtest.RemoveSIM, modemtest.AskPIN, modemtest.AskPUK:
		f.locked = string(a)
	default:
		f.faults = append(f.faults, a)
	}
}
