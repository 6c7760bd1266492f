package serial

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
	"fieldpost/modem/sim"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// brief are times for a modem that answers at once, and now and then not at all.
var brief = Times{
	Command: 2 * time.Second, Prompt: 400 * time.Millisecond, Submit: 500 * time.Millisecond, Probe: 400 * time.Millisecond,
	Quiet: 10 * time.Millisecond, Restless: 50 * time.Millisecond, Grace: 300 * time.Millisecond,
}

var often = Every{
	Poll: time.Minute, Sweep: time.Minute, Verify: time.Minute, Retry: 20 * time.Millisecond, Network: 10 * time.Millisecond,
	Echo: 20 * time.Millisecond, Store: 10 * time.Millisecond,
}

// recording is a host that keeps everything.
type recording struct {
	mu      sync.Mutex
	changed chan struct{}
	ch      gateway.Channel
	states  []gateway.ChannelState
	reasons []string
	parts   []modem.Part
	reports []gateway.StatusReport
	refuse  error
	refused int // reports
}

func newRecording() *recording { return &recording{changed: make(chan struct{})} }

func (r *recording) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recording) Channel(c gateway.Channel) {
	r.change(func() { r.ch = c; r.states = append(r.states, c.State); r.reasons = append(r.reasons, c.Reason) })
}

func (r *recording) Inbound(_ context.Context, p modem.Part) (err error) {
	r.change(func() {
		if err = r.refuse; err == nil {
			r.parts = append(r.parts, p)
		}
	})
	return err
}

func (r *recording) Report(_ context.Context, s gateway.StatusReport) (err error) {
	r.change(func() {
		if err = r.refuse; err != nil {
			r.refused++
			return
		}
		r.reports = append(r.reports, s)
	})
	return err
}

// until waits for a condition.
func (r *recording) until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	end := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		ok, changed, ch := cond(), r.changed, r.ch
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("%s never came; the channel is %s: %s", what, ch.State, ch.Reason)
		}
	}
}

// now gives the channel as it was told last.
func (r *recording) now() gateway.Channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch
}

// seen gives the states that were told, in order.
func (r *recording) seen() []gateway.ChannelState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.states)
}

func (r *recording) ready(t testing.TB) {
	t.Helper()
	r.until(t, "ready", func() bool { return r.ch.State == gateway.ChannelReady })
}

// rig is a driver on a simulated modem.
type rig struct {
	net  *sim.Network
	m    *sim.Modem
	d    *Driver
	host *recording
}

type tweak func(*Options, *sim.Options)

func newRig(t testing.TB, tweaks ...tweak) *rig {
	t.Helper()
	return newRigOn(t, sim.NetworkOptions{Seed: 1, USSD: map[string]sim.USSD{
		"*100#": {Text: "Saldo: 42.00"}, "*1345#": {Text: "Menú ñ 中"}, "*2#": {Text: "1 Yes", Next: map[string]sim.USSD{"1": {Text: "2 Sure", Next: map[string]sim.USSD{"2": {Text: "done"}}}}},
	}}, tweaks...)
}

func newRigOn(t testing.TB, air sim.NetworkOptions, tweaks ...tweak) *rig {
	t.Helper()
	n := sim.NewNetwork(air)
	t.Cleanup(func() { n.Close() })
	so := sim.Options{Network: n, Link: t.TempDir() + "/usb-modem", Card: sim.NewCard(sim.CardOptions{ICCID: "8959807000000000001", IMSI: "748070000000001", Number: "+59899000001"})}
	o := Options{Provider: "bank", Port: gateway.Port{Port: 3}, Times: brief, Every: often}
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for _, w := range tweaks {
		w(&o, &so)
	}
	m, err := sim.Open(so)
	if err != nil {
		t.Fatalf("a pty is needed: %v", err)
	}
	t.Cleanup(func() { m.Close() })
	if o.Port.Device == "" {
		o.Port.Device = m.Device()
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{net: n, m: m, d: d, host: newRecording()}
}

// run runs the driver again and again, as the bank does, until the test ends.
func (r *rig) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var w sync.WaitGroup
	w.Go(func() {
		for ctx.Err() == nil {
			if err := r.d.Run(ctx, r.host); err != nil {
				t.Logf("run: %v", err)
				r.host.Channel(gateway.Channel{Reason: err.Error()})
			}
			wait(ctx, 5*time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); w.Wait() })
}

func submission(t testing.TB, to, text string) []modem.Submission {
	t.Helper()
	p, err := gsm7.PlanText(text)
	if err != nil {
		t.Fatal(err)
	}
	var all []modem.Submission
	for i := range p.Segments {
		all = append(all, modem.Submission{
			IDM: 7, To: gateway.Address(to), Text: text, Encoding: p.Encoding, Segment: i + 1, Segments: p.Segments,
			Ref: 0x1234, More: i+1 < p.Segments,
		})
	}
	return all
}
