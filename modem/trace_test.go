package modem_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// told is a driver that can answer menus and show its dialogue.
type told struct{ fake }

func (*told) Dialogue(_ context.Context, _ int, codes []string) (string, error) {
	return strings.Join(codes, " then "), nil
}

func (*told) Trace(port int) modem.Trace { return modem.Trace{Lines: []string{"08:00:00 > AT"}} }

func TestMenusAreAnsweredByDriversThatCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, simple := &told{fake{run: serve}}, &able{fake{run: serve}}
		other := device(simple)
		other.Key, other.Provider = "/dev/ttyB", "rich"
		b := start(t, modem.BankOptions{}, device(d), other)
		synctest.Wait()
		if text, err := b.USSD(t.Context(), "bank/0", "*2#,1,3"); err != nil || text != "*2# then 1 then 3" {
			t.Errorf("%q, %v", text, err)
		}
		if text, err := b.USSD(t.Context(), "rich/0", "*2#"); err != nil || text != "balance of *2#" {
			t.Errorf("%q, %v", text, err)
		}
		if text, err := b.USSD(t.Context(), "rich/0", "*2#,1"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a driver without menus: %q, %v", text, err)
		}
	})
}

func TestTraceIsThereBetweenTwoRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &told{fake{run: func(context.Context, modem.Host) error {
			return gateway.Errorf(gateway.KindUnavailable, "no such device")
		}}}
		other := device(&fake{run: serve})
		other.Key, other.Provider = "/dev/ttyB", "plain"
		b := start(t, modem.BankOptions{}, device(d), other)
		synctest.Wait()
		if c, err := b.Channel("bank/0"); err != nil || c.State != gateway.ChannelAbsent {
			t.Fatalf("%+v, %v", c, err)
		}
		if tr, err := b.Trace("bank/0"); err != nil || len(tr.Lines) != 1 {
			t.Errorf("%+v, %v", tr, err)
		}
		if _, err := b.Trace("plain/0"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a driver that keeps none: %v", err)
		}
		if _, err := b.Trace("nobody/0"); gateway.KindOf(err) != gateway.KindNotFound {
			t.Errorf("an unknown channel: %v", err)
		}
	})
}

// A driver that lets its channel rest says until when.
func TestRestOfADriverKeepsItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(5 * time.Minute)
		b := start(t, modem.BankOptions{}, device(&fake{run: func(ctx context.Context, h modem.Host) error {
			h.Channel(gateway.Channel{State: gateway.ChannelResting, Reason: "restarted too often", Until: until})
			<-ctx.Done()
			return nil
		}}))
		synctest.Wait()
		if c, err := b.Channel("bank/0"); err != nil || c.State != gateway.ChannelResting || !c.Until.Equal(until) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}
