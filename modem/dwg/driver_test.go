package dwg

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
	"fieldpost/modem/sim"
)

// world is a host that keeps everything.
type world struct {
	mu       sync.Mutex
	channels map[int]gateway.Channel
	parts    []modem.Part
	full     bool
	changed  chan struct{}
}

func newWorld() *world {
	return &world{channels: map[int]gateway.Channel{}, changed: make(chan struct{})}
}

func (w *world) change(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *world) Channel(c gateway.Channel) { w.change(func() { w.channels[c.Port] = c }) }

func (w *world) Inbound(_ context.Context, p modem.Part) (err error) {
	w.change(func() {
		if w.full {
			err = errors.New("the disk is full")
			return
		}
		w.parts = append(w.parts, p)
	})
	return err
}

func (w *world) Report(context.Context, gateway.StatusReport) error { return nil }

func (w *world) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		w.mu.Lock()
		met, changed := cond(), w.changed
		w.mu.Unlock()
		if met {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%s: it never came: %+v", what, w.channels)
		}
	}
}

func (w *world) ready(t *testing.T, port int) {
	t.Helper()
	w.until(t, "a ready port", func() bool { return w.channels[port].State == gateway.ChannelReady })
}

// house is a driver that runs, and its gateway.
type house struct {
	*Driver
	w *world
	n *sim.Network
	g *sim.DWG
}

func runs(t *testing.T, change func(o *sim.DWGOptions)) *house {
	t.Helper()
	h := alone(t)
	h.g = newGateway(t, h.n, h.address, change)
	return h
}

// alone is a driver that runs and that nobody dials.
func alone(t *testing.T) *house {
	t.Helper()
	h := &house{Driver: newDriver(t, freeAddress(t)), w: newWorld(), n: newNetwork(t)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx, h.w) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run gives %v", err)
		}
	})
	h.w.until(t, "a listener", func() bool { return strings.Contains(h.w.channels[0].Reason, "no gateway has dialled in") })
	return h
}

// A provider without a channel is one that nobody sees.
func TestWhoCannotListenHasAChannelThatSaysWhy(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	w, d := newWorld(), newDriver(t, ln.Addr().String())
	if err := d.Run(t.Context(), w); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("Run gives %v", err)
	}
	if c := w.channels[0]; c.State != gateway.ChannelAbsent || !strings.Contains(c.Reason, "another program listens on "+ln.Addr().String()) {
		t.Errorf("the channel is %+v", c)
	}
}

func (h *house) send(port int, to, text string) error {
	_, err := h.Send(context.Background(), port, modem.Submission{To: gateway.Address(to), Text: text, Segments: 1})
	return err
}

// later sends until the port takes it.
func (h *house) later(port int, to, text string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		err := h.send(port, to, text)
		if gateway.KindOf(err) != gateway.KindUnavailable {
			return err
		}
		<-tick.C
	}
}

const somebody = "+59899123456"

func TestEachPortSaysHowItIs(t *testing.T) {
	h := runs(t, func(o *sim.DWGOptions) { o.Ports = 5 })
	for port, want := range map[int]struct {
		code  uint8
		state gateway.ChannelState
	}{
		0: {0, gateway.ChannelReady}, 1: {1, gateway.ChannelFault}, 2: {2, gateway.ChannelStarting},
		3: {3, gateway.ChannelStarting}, 4: {9, gateway.ChannelStarting},
	} {
		h.w.until(t, "the ports", func() bool { return len(h.w.channels) == 5 })
		h.g.SetStatus(port, want.code)
		h.w.until(t, "the state of a port", func() bool {
			c := h.w.channels[port]
			return c.State == want.state && c.Signal == 20 && (c.Reason == "") == (want.code == 0) &&
				c.Device == "127.0.0.1" && c.Registration.Usable() == (want.code == 0)
		})
		if want.code != 0 {
			if err := h.send(port, somebody, "x"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("a send over port %d gives %v", port, err)
			}
		}
	}
	if err := h.send(7, somebody, "x"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a send over a port that is not there gives %v", err)
	}
}

func TestEachResultHasItsKind(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 0)
	for code, want := range map[uint8]gateway.Kind{
		1: gateway.KindRefused, 2: gateway.KindUnknownOutcome, 3: gateway.KindInvalid,
		4: gateway.KindUnavailable, 5: gateway.KindUnknownOutcome, 77: gateway.KindUnknownOutcome, 255: gateway.KindUnknownOutcome,
	} {
		h.g.Inject(sim.DWGFault{Do: sim.DWGResult, Code: code})
		if err := h.send(0, somebody, "x"); gateway.KindOf(err) != want {
			t.Errorf("result %d gives %v, want %s", code, err, want)
		}
	}
	h.g.Inject(sim.DWGFault{Do: sim.DWGNack})
	if err := h.send(0, somebody, "x"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a request that is not taken gives %v", err)
	}
	h.g.Inject(sim.DWGFault{Do: sim.DWGPartial})
	err := h.send(0, somebody, strings.Repeat("long ", 80))
	if gateway.KindOf(err) != gateway.KindUnknownOutcome || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("a part of a message gives %v", err)
	}
	if r := (&dwgwire.Result{Slices: 3, Succeeded: 2}); gateway.KindOf(verdict(r)) != gateway.KindUnknownOutcome {
		t.Error("a success of two segments in three is believed")
	}
}

func TestAConnectionThatDropsInMidSendLeavesADoubt(t *testing.T) {
	for name, c := range map[string]struct {
		do     sim.DWGDeed
		copies int
	}{"nothing on the air": {sim.DWGDrop, 0}, "on the air": {sim.DWGSent, 1}} {
		t.Run(name, func(t *testing.T) {
			h := runs(t, nil)
			h.w.ready(t, 0)
			h.g.Inject(sim.DWGFault{Do: c.do})
			if err := h.send(0, somebody, "torn"); gateway.KindOf(err) != gateway.KindUnknownOutcome {
				t.Fatalf("it gives %v", err)
			}
			if n := h.n.Copies()[sim.Copy{To: somebody, Text: "torn"}]; n != c.copies {
				t.Errorf("%d copies on the air, want %d", n, c.copies)
			}
			if err := h.later(0, "+59899000001", "after"); err != nil {
				t.Errorf("another number's message gives %v", err)
			}
		})
	}
}

func TestALateResultOverANewConnectionIsNobodys(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 0)
	gate, said := make(chan struct{}), make(chan struct{})
	h.g.Inject(sim.DWGFault{Do: sim.DWGLate, Until: gate, Said: said})
	if err := h.send(0, somebody, "first"); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Fatalf("a send without a result gives %v", err)
	}
	if err := h.send(0, somebody, "at once"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Fatalf("a number whose result is owed is used again: %v", err)
	}
	if err := h.send(1, somebody, "elsewhere"); err != nil {
		t.Fatalf("another port gives %v", err)
	}
	h.g.Drop()
	close(gate)
	<-said
	h.w.ready(t, 0)
	h.g.Inject(sim.DWGFault{Do: sim.DWGResult, Code: 1})
	err := h.later(0, somebody, "second")
	if gateway.KindOf(err) != gateway.KindRefused {
		t.Errorf("a refused send behind a late result gives %v", err)
	}
}

func TestAResultThatComesTwiceIsTakenOnce(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 0)
	for range 20 {
		h.g.Inject(sim.DWGFault{Do: sim.DWGTwice}, sim.DWGFault{Do: sim.DWGResult, Code: 1})
		if err := h.send(0, somebody, "twice"); err != nil {
			t.Fatal(err)
		}
		if err := h.send(0, somebody, "refused"); gateway.KindOf(err) != gateway.KindRefused {
			t.Fatalf("the second result of the message before was taken: %v", err)
		}
	}
}

func TestAReceivedMessageThatComesTwiceHasOneName(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 2)
	h.g.DeliverTwice()
	h.w.change(func() { h.w.full = true })
	if err := h.n.Deliver(sim.Incoming{From: somebody, To: h.g.Card(2).ICCID(), Text: "Acción"}); err != nil {
		t.Fatal(err)
	}
	if h.g.Stored(2) != 1 {
		t.Fatal("a message that was not stored was acknowledged")
	}
	h.w.change(func() { h.w.full = false })
	h.w.until(t, "both copies", func() bool { return len(h.w.parts) >= 2 })
	if p, q := h.w.parts[0], h.w.parts[1]; p.Raw != q.Raw || p.Raw == "" || p.Text != "Acción" || p.Port != 2 || !p.SentAt.Equal(q.SentAt) {
		t.Errorf("they are %+v and %+v", p, q)
	}
}

func TestAMessageThatCannotBeReadIsKeptRaw(t *testing.T) {
	for name, body := range map[string][]byte{
		"cut off":       append([]byte("+59899123456\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"), "2026"...),
		"no encoding":   append([]byte("+59899123456\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0220261122144501\x00\x00\x09\x00\x01"), 'x'),
		"nothing":       nil,
		"half a letter": []byte("+59899123456\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0220261122144501\x00\x00\x01\x00\x01x"),
	} {
		p := partOf(body)
		if p.Undecoded == "" || name != "nothing" && (p.Port != 2 || p.From != somebody || p.Raw == "") {
			t.Errorf("%s is read as %+v", name, p)
		}
	}
}

func TestUSSDGoesOnWhereTheNetworkWaits(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 0)
	for range 2 {
		for _, step := range [][2]string{{"*200#", "1: data, 2: voice"}, {"1", "42 MB"}, {"*200#", "1: data, 2: voice"}} {
			if got, err := h.USSD(t.Context(), 0, step[0]); err != nil || got != step[1] {
				t.Fatalf("%s gives %q, %v", step[0], got, err)
			}
		}
	}
	if _, err := h.USSD(t.Context(), 0, "*999#"); gateway.KindOf(err) != gateway.KindRefused {
		t.Errorf("a code that the network does not know gives %v", err)
	}
	if _, err := h.USSD(t.Context(), 0, "*1\n#"); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a code that cannot be gives %v", err)
	}
}

func TestAWrongLoginIsRefusedAndSaysSo(t *testing.T) {
	h := runs(t, func(o *sim.DWGOptions) { o.Password = "wrong" })
	h.w.until(t, "a reason", func() bool { return strings.Contains(h.w.channels[0].Reason, "wrong user or password") })
	if len(h.w.channels) != 1 || h.w.channels[0].State != gateway.ChannelAbsent {
		t.Errorf("the channels are %+v", h.w.channels)
	}
	h.g.SetPassword(testPassword)
	h.w.ready(t, 0)
}

func TestStrangersAreBounded(t *testing.T) {
	h := alone(t)
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range maxStrangers + 1 {
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	last := conns[maxStrangers]
	if err := last.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var e net.Error
	if _, err := last.Read(make([]byte, 1)); err == nil || errors.As(err, &e) && e.Timeout() {
		t.Errorf("one stranger too many is let in: %v", err)
	}
}

func TestGarbageEndsTheConnectionAndNothingElse(t *testing.T) {
	h := runs(t, nil)
	for _, raw := range []string{"GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n", "\xff\xff\xff\xff", "\x00\x00\x00\x05half a frame of some kind"} {
		h.w.ready(t, 0)
		if !h.g.Babble([]byte(raw)) {
			t.Fatal("nobody is connected")
		}
		h.g.Drop()
		h.w.until(t, "the loss of the gateway", func() bool { return h.w.channels[0].State != gateway.ChannelReady })
		c, err := net.Dial("tcp", h.address) // and before the login
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if err := h.later(0, somebody, "after"); err != nil {
		t.Error(err)
	}
}

func TestSlowBytesAreReadAllTheSame(t *testing.T) {
	h := runs(t, func(o *sim.DWGOptions) { o.Slow, o.Ports, o.Resend = 50*time.Microsecond, 1, time.Minute })
	h.w.ready(t, 0)
	if err := h.send(0, somebody, "slowly"); err != nil {
		t.Error(err)
	}
}

func TestAnotherGatewayHasToWait(t *testing.T) {
	h := runs(t, nil)
	h.w.ready(t, 0)
	second := newGateway(t, h.n, h.address, func(o *sim.DWGOptions) { o.First, o.Ports = 100, 2 })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for second.Refused() == 0 {
		<-tick.C
	}
	if err := h.send(0, somebody, "still here"); err != nil {
		t.Errorf("the first gateway lost its place: %v", err)
	}
	h.g.Unplug()
	h.w.until(t, "the second gateway", func() bool {
		return h.w.channels[1].State == gateway.ChannelReady && h.w.channels[7].Reason == "the gateway has no such port"
	})
}

func TestOptionsThatNoGatewayCanMeetAreRefused(t *testing.T) {
	for field, o := range map[string]Options{
		"url":      {URL: "tcp://gw.example:10003", User: "u", Password: "p"},
		"user":     {URL: "tcp://127.0.0.1:0", Password: "p"},
		"password": {URL: "tcp://127.0.0.1:0", User: "u", Password: gateway.Secret(strings.Repeat("x", 17))},
	} {
		var e *gateway.Error
		if _, err := New(o); !errors.As(err, &e) || e.Kind != gateway.KindInvalid || e.Field != field {
			t.Errorf("%s: it gives %v", field, err)
		}
	}
}
