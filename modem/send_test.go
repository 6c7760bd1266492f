package modem_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func sender(send func(ctx context.Context, port int, s modem.Submission) (modem.Receipt, error)) modem.Device {
	return device(&fake{run: serve, send: send, limits: modem.Limits{Send: 10 * time.Second}})
}

func TestSendOutcomesFollowTheContract(t *testing.T) {
	for name, c := range map[string]struct {
		send func() (modem.Receipt, error)
		want gateway.Kind
	}{
		"accepted":       {func() (modem.Receipt, error) { return modem.Receipt{MR: 9, HasMR: true}, nil }, gateway.KindNone},
		"refused":        {func() (modem.Receipt, error) { return modem.Receipt{}, gateway.Errorf(gateway.KindRefused, "no") }, gateway.KindRefused},
		"throttled":      {func() (modem.Receipt, error) { return modem.Receipt{}, gateway.Errorf(gateway.KindThrottled, "slow") }, gateway.KindThrottled},
		"mute error":     {func() (modem.Receipt, error) { return modem.Receipt{}, errors.New("EOF") }, gateway.KindUnknownOutcome},
		"internal error": {func() (modem.Receipt, error) { return modem.Receipt{}, gateway.Errorf(gateway.KindInternal, "bug") }, gateway.KindUnknownOutcome},
		"panic":          {func() (modem.Receipt, error) { panic("index out of range") }, gateway.KindUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, modem.BankOptions{}, sender(func(context.Context, int, modem.Submission) (modem.Receipt, error) { return c.send() }))
				synctest.Wait()
				_, err := b.Send(t.Context(), "bank/0", modem.Submission{})
				if got := gateway.KindOf(err); got != c.want {
					t.Errorf("kind %s (%v), want %s", got, err, c.want)
				}
				var e *gateway.Error
				if err != nil && !errors.As(err, &e) {
					t.Errorf("%T is not a *gateway.Error", err)
				}
				if _, err = b.Send(t.Context(), "bank/0", modem.Submission{}); gateway.KindOf(err) != c.want {
					t.Errorf("the next send gives %v, want %s again: the channel goes on", err, c.want)
				}
			})
		})
	}
}

func TestSendRefusesAChannelThatIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := start(t, modem.BankOptions{}, sender(func(context.Context, int, modem.Submission) (modem.Receipt, error) {
			calls++
			return modem.Receipt{}, nil
		}))
		synctest.Wait()
		if _, err := b.Send(t.Context(), "bank/5", modem.Submission{}); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("unknown channel: %v, want unavailable", err)
		}
		b.Rest("bank/0", time.Minute, "throttled by the network")
		_, err := b.Send(t.Context(), "bank/0", modem.Submission{})
		var e *gateway.Error
		if !errors.As(err, &e) || e.Kind != gateway.KindUnavailable || e.Retry != time.Minute || !strings.Contains(e.Text, "throttled by the network") {
			t.Errorf("resting channel: %#v, want unavailable for a minute with the reason", err)
		}
		if calls != 0 {
			t.Errorf("the driver was called %d times", calls)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); err != nil {
			t.Errorf("after the rest: %v", err)
		}
	})
}

func TestALongerRestWinsAndZeroEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, modem.BankOptions{}, device(&fake{run: serve}))
		synctest.Wait()
		b.Rest("bank/0", time.Hour, "long")
		b.Rest("bank/0", time.Second, "short")
		time.Sleep(time.Minute)
		synctest.Wait()
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelResting || c.Reason != "long" {
			t.Errorf("channel is %s: %q, want resting: long", c.State, c.Reason)
		}
		b.Rest("bank/0", 0, "")
		if c := state(t, b, "bank/0"); c.State != gateway.ChannelReady || !c.Until.IsZero() || c.Reason != "" {
			t.Errorf("channel is %+v, want ready", c)
		}
	})
}

func TestTwoSendsAtOnceAreAFaultOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := start(t, modem.BankOptions{}, sender(func(context.Context, int, modem.Submission) (modem.Receipt, error) {
			<-release
			return modem.Receipt{}, nil
		}))
		synctest.Wait()
		first := make(chan error, 1)
		go func() { _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); first <- err }()
		synctest.Wait()
		if _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); gateway.KindOf(err) != gateway.KindInternal {
			t.Errorf("second send: %v, want internal", err)
		}
		close(release)
		if err := <-first; err != nil {
			t.Errorf("first send: %v", err)
		}
	})
}

func TestSendWithAContextThatHasEndedReachesNoDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, modem.BankOptions{}, sender(func(context.Context, int, modem.Submission) (modem.Receipt, error) {
			t.Error("the driver was asked")
			return modem.Receipt{}, nil
		}))
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Send(ctx, "bank/0", modem.Submission{}); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v", err)
		}
		if h, _ := b.Health("bank/0"); h.Faults != 0 {
			t.Errorf("health %+v: the channel had no part in it", h)
		}
	})
}

func TestSendThatDoesNotReturnIsInDoubtAndKeepsThePort(t *testing.T) {
	for name, early := range map[string]bool{"driver's limit": false, "context": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				b := start(t, modem.BankOptions{Grace: 2 * time.Second}, sender(func(context.Context, int, modem.Submission) (modem.Receipt, error) {
					<-release
					return modem.Receipt{}, nil
				}))
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := 12 * time.Second // the driver's 10 and the grace
				if early {
					time.AfterFunc(time.Second, cancel)
					want = 3 * time.Second
				}
				began := time.Now()
				_, err := b.Send(ctx, "bank/0", modem.Submission{})
				if gateway.KindOf(err) != gateway.KindUnknownOutcome || time.Since(began) != want {
					t.Errorf("after %v: %v; want unknown_outcome after %v", time.Since(began), err, want)
				}
				if _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); gateway.KindOf(err) != gateway.KindUnavailable {
					t.Errorf("next send: %v, want unavailable", err)
				}
				if h, _ := b.Health("bank/0"); h.Faults != 1 {
					t.Errorf("health %+v, want one fault", h)
				}
				close(release)
				synctest.Wait()
				if _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); err != nil {
					t.Errorf("after it returned: %v", err)
				}
				if h, _ := b.Health("bank/0"); h.Faults != 0 || h.Accepted != 1 || h.LastSuccess.IsZero() {
					t.Errorf("health %+v, want no fault and one accepted", h)
				}
			})
		})
	}
}

func TestDriverIsNotStartedAgainWhileASendOfItIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, lost := make(chan struct{}), make(chan struct{})
		runs := 0
		d := &fake{limits: modem.Limits{Send: time.Hour}}
		d.run = func(ctx context.Context, h modem.Host) error {
			runs++
			h.Channel(gateway.Channel{Port: 0, State: gateway.ChannelReady})
			select {
			case <-lost:
				lost = nil
				return errors.New("unplugged")
			case <-ctx.Done():
				return nil
			}
		}
		d.send = func(context.Context, int, modem.Submission) (modem.Receipt, error) {
			<-release
			return modem.Receipt{}, errors.New("unplugged")
		}
		b := start(t, modem.BankOptions{}, device(d))
		synctest.Wait()
		result := make(chan error, 1)
		go func() { _, err := b.Send(t.Context(), "bank/0", modem.Submission{}); result <- err }()
		synctest.Wait()
		close(lost)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if c := state(t, b, "bank/0"); runs != 1 || !strings.Contains(c.Reason, "former driver") {
			t.Errorf("%d runs, channel %s: %q; want one run and a channel that waits", runs, c.State, c.Reason)
		}
		close(release)
		if err := <-result; gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("send: %v, want unknown_outcome", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c := state(t, b, "bank/0"); runs != 2 || c.State != gateway.ChannelReady {
			t.Errorf("%d runs, channel %s: %q; want a second run", runs, c.State, c.Reason)
		}
	})
}

func TestOptionalAbilitiesAreProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plain := device(&fake{run: serve})
		rich := &able{fake{run: serve}}
		b := start(t, modem.BankOptions{}, plain, modem.Device{
			Key: "/dev/ttyB", Provider: "rich", Ports: []int{0}, New: func() (modem.Driver, error) { return rich, nil },
		})
		synctest.Wait()
		if _, err := b.USSD(t.Context(), "bank/0", "*100#"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("USSD of a plain driver: %v, want invalid", err)
		}
		if err := b.Reset(t.Context(), "bank/0"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("Reset of a plain driver: %v, want invalid", err)
		}
		if err := b.Reset(t.Context(), "nobody/0"); gateway.KindOf(err) != gateway.KindNotFound {
			t.Errorf("Reset of an unknown channel: %v, want not_found", err)
		}
		if text, err := b.USSD(t.Context(), "rich/0", "*100#"); err != nil || text != "balance of *100#" {
			t.Errorf("USSD: %q, %v", text, err)
		}
		if r, err := b.Reconcile(t.Context(), "rich/0", modem.Question{UserID: 1}); err != nil || r.MR != 7 {
			t.Errorf("Reconcile: %+v, %v", r, err)
		}
		for _, id := range []string{"bank/0", "nobody/0"} {
			if _, err := b.Reconcile(t.Context(), id, modem.Question{UserID: 1}); gateway.KindOf(err) != gateway.KindUnknownOutcome {
				t.Errorf("Reconcile where nobody can be asked: %v, want unknown_outcome", err)
			}
		}
		b.Rest("rich/0", time.Hour, "tired")
		if err := b.Reset(t.Context(), "rich/0"); err != nil {
			t.Error(err)
		}
		if c := state(t, b, "rich/0"); c.State != gateway.ChannelReady {
			t.Errorf("after Reset the channel is %s, want ready: a person asked", c.State)
		}
		if _, err := b.USSD(t.Context(), "rich/0", "panic"); gateway.KindOf(err) != gateway.KindInternal {
			t.Errorf("panic in USSD: %v, want internal", err)
		}
	})
}
