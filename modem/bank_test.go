package modem_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a driver that a test scripts.
type fake struct {
	limits modem.Limits
	run    func(ctx context.Context, h modem.Host) error
	send   func(ctx context.Context, port int, s modem.Submission) (modem.Receipt, error)
}

func (f *fake) Run(ctx context.Context, h modem.Host) error { return f.run(ctx, h) }
func (f *fake) Limits() modem.Limits                        { return f.limits }
func (f *fake) Send(ctx context.Context, port int, s modem.Submission) (modem.Receipt, error) {
	return f.send(ctx, port, s)
}

// able can do everything that is optional.
type able struct{ fake }

func (*able) USSD(_ context.Context, port int, code string) (string, error) {
	if code == "panic" {
		panic("bad code")
	}
	return "balance of " + code, nil
}
func (*able) Reset(context.Context, int) error { return nil }
func (*able) Reconcile(context.Context, int, modem.Question) (modem.Receipt, error) {
	return modem.Receipt{MR: 7, HasMR: true}, nil
}

type sink struct {
	mu  sync.Mutex
	got []string
}

func (s *sink) Inbound(_ context.Context, channel string, in modem.Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, "in "+channel+" "+in.Text)
	return nil
}

func (s *sink) Report(_ context.Context, r gateway.StatusReport) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, "report "+r.Channel)
	return nil
}

// serve reports port 0 as ready and runs until ctx ends.
func serve(ctx context.Context, h modem.Host) error {
	h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelReady, ICCID: "8959"})
	<-ctx.Done()
	return nil
}

func device(d modem.Driver) modem.Device {
	return modem.Device{Key: "/dev/ttyA", Version: "1", Provider: "bank", Ports: []int{0}, New: func() (modem.Driver, error) { return d, nil }}
}

// start runs a bank; the test's end stops it.
func start(t *testing.T, o modem.BankOptions, devices ...modem.Device) *modem.Bank {
	t.Helper()
	if o.Store == nil {
		o.Store = &sink{}
	}
	b := modem.NewBank(o)
	if err := b.Set(devices); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return b
}

func state(t *testing.T, b *modem.Bank, id string) gateway.Channel {
	t.Helper()
	c, err := b.Channel(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSetRunsExactlyTheDesiredDrivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running := map[string]int{}
		dev := func(key, version string, port int) modem.Device {
			name := key + "@" + version
			f := &fake{run: func(ctx context.Context, h modem.Host) error {
				mu.Lock()
				running[name]++
				mu.Unlock()
				h.Channel(gateway.Channel{Port: port, State: gateway.ChannelReady})
				<-ctx.Done()
				mu.Lock()
				running[name]--
				mu.Unlock()
				return nil
			}}
			return modem.Device{Key: key, Version: version, Provider: "bank", Ports: []int{port}, New: func() (modem.Driver, error) { return f, nil }}
		}
		check := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			n := 0
			for _, c := range running {
				n += c
			}
			for _, w := range want {
				if running[w] != 1 {
					t.Errorf("%s runs %d times, want once: %v", w, running[w], running)
				}
			}
			if n != len(want) {
				t.Errorf("%d drivers run, want %v: %v", n, want, running)
			}
		}
		b := start(t, modem.BankOptions{}, dev("a", "1", 0), dev("b", "1", 1))
		check("a@1", "b@1")
		if err := b.Set([]modem.Device{dev("a", "2", 0), dev("c", "1", 2)}); err != nil {
			t.Fatal(err)
		}
		check("a@2", "c@1")
		if n := len(b.Channels()); n != 2 {
			t.Errorf("%d channels, want 2", n)
		}
		if _, err := b.Channel("bank/1"); gateway.KindOf(err) != gateway.KindNotFound {
			t.Errorf("removed channel: %v, want not_found", err)
		}
		if err := b.Set(nil); err != nil {
			t.Fatal(err)
		}
		check()
	})
}

func TestSetRefusesOverlaps(t *testing.T) {
	ok := func() (modem.Driver, error) { return nil, errors.New("never made") }
	for name, devices := range map[string][]modem.Device{
		"key":      {{Provider: "p", New: ok}},
		"provider": {{Key: "a", New: ok}},
		"new":      {{Key: "a", Provider: "p"}},
		"twice":    {{Key: "a", Provider: "p", Ports: []int{0}, New: ok}, {Key: "a", Provider: "p", Ports: []int{1}, New: ok}},
		"port":     {{Key: "a", Provider: "p", Ports: []int{3}, New: ok}, {Key: "b", Provider: "p", Ports: []int{3}, New: ok}},
		"range":    {{Key: "a", Provider: "p", Ports: []int{32}, New: ok}},
		"ports":    {{Key: "a", Provider: "p", New: ok}, {Key: "b", Provider: "p", New: ok}},
	} {
		if err := modem.NewBank(modem.BankOptions{Store: &sink{}}).Set(devices); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestBackoffGrowsIsJitteredAndForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex // of starts, ceilings and stay
		var starts []time.Duration
		var ceilings []time.Duration
		stay := false
		f := &fake{run: func(ctx context.Context, h modem.Host) error {
			mu.Lock()
			starts = append(starts, time.Since(begin))
			now := stay
			stay = false
			mu.Unlock()
			if now {
				h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelReady})
				time.Sleep(61 * time.Second)
			}
			return errors.New("unplugged")
		}}
		b := start(t, modem.BankOptions{Backoff: modem.Backoff{Rand: func(n int64) int64 {
			mu.Lock()
			defer mu.Unlock()
			ceilings = append(ceilings, time.Duration(n))
			return n - 1
		}}}, device(f))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		mu.Lock()
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			if got := ceilings[i]; got != want*time.Second {
				t.Errorf("wait %d is drawn below %v, want %v s", i+1, got, want)
			}
		}
		if gap := starts[3] - starts[2]; gap < 3999*time.Millisecond || gap > 4001*time.Millisecond {
			t.Errorf("third wait took %v, want the drawn 4 s", gap)
		}
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelAbsent || c.Reason != "unplugged" {
			t.Errorf("channel is %s: %q, want absent: unplugged", c.State, c.Reason)
		}
		stay = true
		n := len(ceilings)
		mu.Unlock()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if got := ceilings[n+1]; got != time.Second && ceilings[n] != time.Second {
			t.Errorf("after a minute of readiness the wait is drawn below %v, want 1 s again", got)
		}
	})
}

func TestPanicInRunIsAnErrorWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		made := 0
		dev := device(nil)
		dev.New = func() (modem.Driver, error) {
			made++
			if made > 1 {
				return &fake{run: serve}, nil
			}
			return &fake{run: func(context.Context, modem.Host) error { panic("nil map") }}, nil
		}
		b := start(t, modem.BankOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}, dev)
		synctest.Wait()
		if c := state(t, b, "bank/0"); !strings.Contains(c.Reason, "nil map") {
			t.Errorf("reason %q does not tell the panic", c.Reason)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelReady || made != 2 {
			t.Errorf("after the panic the channel is %s with %d drivers made, want ready with 2", c.State, made)
		}
		if !strings.Contains(log.String(), "bank_test.go") {
			t.Error("the log has no stack")
		}
	})
}

func TestDriverThatIgnoresItsContextHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := &fake{run: func(context.Context, modem.Host) error { <-release; return nil }}
		good := &fake{run: serve}
		b := modem.NewBank(modem.BankOptions{Store: &sink{}, Grace: 3 * time.Second})
		other := modem.Device{Key: "/dev/ttyB", Provider: "other", Ports: []int{0}, New: func() (modem.Driver, error) { return good, nil }}
		if err := b.Set([]modem.Device{device(deaf), other}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- b.Run(t.Context()) }()
		synctest.Wait()

		second := device(&fake{run: serve})
		second.Version = "2"
		if err := b.Set([]modem.Device{second, other}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelAbsent || !strings.Contains(c.Reason, "former driver") {
			t.Errorf("while the old driver runs the channel is %s: %q", c.State, c.Reason)
		}
		if c := state(t, b, "other/0"); c.State != gateway.ChannelReady {
			t.Errorf("the other device is %s: %q", c.State, c.Reason)
		}
		close(release)
		synctest.Wait()
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelReady {
			t.Errorf("after the old driver returned the channel is %s: %q", c.State, c.Reason)
		}
		if err := errors.Join(b.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseIsBoundedByGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		b := modem.NewBank(modem.BankOptions{Store: &sink{}, Grace: 3 * time.Second})
		if err := b.Set([]modem.Device{device(&fake{run: func(context.Context, modem.Host) error { <-release; return nil }})}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- b.Run(t.Context()) }()
		synctest.Wait()
		began := time.Now()
		if err := errors.Join(b.Close(), b.Close(), <-done); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("Close took %v, want the grace of 3 s", d)
		}
		if err := b.Run(t.Context()); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("a second Run gives %v, want conflict", err)
		}
	})
}

func TestChannelsKeepSinceAndFillTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := make(chan modem.Host, 1)
		var log []string
		b := start(t, modem.BankOptions{OnChange: func(old, now gateway.Channel) {
			log = append(log, now.ID+" "+old.State.String()+">"+now.State.String())
		}}, device(&fake{run: func(ctx context.Context, h modem.Host) error {
			hosts <- h
			<-ctx.Done()
			return nil
		}}))
		h := <-hosts
		h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelStarting})
		h.Channel(gateway.Channel{Port: 9, State: gateway.ChannelReady}) // not ours
		time.Sleep(time.Second)
		watch := b.Watch()
		h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelReady, Signal: 10})
		<-watch
		since := time.Now()
		time.Sleep(time.Second)
		watch = b.Watch()
		h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelReady, Signal: 20})
		<-watch
		c := state(t, b, "bank/0")
		if c.ID != "bank/0" || c.Provider != "bank" || c.Signal != 20 || !c.Since.Equal(since) {
			t.Errorf("channel %+v, want its names, signal 20 and since %v", c, since)
		}
		if n := len(b.Channels()); n != 1 {
			t.Errorf("%d channels, want the one that is configured", n)
		}
		synctest.Wait()
		want := "bank/0 absent>absent,bank/0 absent>starting,bank/0 starting>ready"
		if got := strings.Join(log, ","); got != want {
			t.Errorf("changes %q, want %q", got, want)
		}
	})
}

func TestInboundAndReportsReachTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		start(t, modem.BankOptions{Store: s}, device(&fake{run: func(ctx context.Context, h modem.Host) error {
			if err := errors.Join(h.Inbound(ctx, modem.Part{Port: 0, Text: "hola"}), h.Report(ctx, gateway.StatusReport{MR: 1})); err != nil {
				return err
			}
			return serve(ctx, h)
		}}))
		synctest.Wait()
		if got := strings.Join(s.got, "; "); got != "in bank/0 hola; report bank/0" {
			t.Errorf("the sink got %q", got)
		}
	})
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
