package modem_test

import (
	"context"
	"testing"
	"testing/synctest"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// telling tells of its device, and lets its ports be controlled.
type telling struct {
	fake
	did string
}

func (t *telling) Inspect(context.Context) (modem.Condition, error) {
	return modem.Condition{Serial: "da00", CPU: 39}, nil
}
func (t *telling) Condition() (modem.Condition, bool) { return modem.Condition{Serial: "da00"}, true }
func (t *telling) Calls(_ context.Context, q modem.CallQuery) ([]modem.Call, error) {
	if q.Port == 31 {
		panic("no such port")
	}
	return []modem.Call{{Port: q.Port}}, nil
}
func (t *telling) Control(_ context.Context, _ int, c modem.Control, param string) error {
	t.did = string(c) + param
	return nil
}

func TestADeviceIsAskedByItsProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &telling{fake: fake{run: serve}}
		rack := modem.Device{Key: "http://192.0.2.20", Provider: "rack", New: func() (modem.Driver, error) { return d, nil }}
		b := start(t, modem.BankOptions{}, device(&fake{run: serve}), rack)
		synctest.Wait()
		if c, err := b.Inspect(t.Context(), "rack"); err != nil || c.CPU != 39 {
			t.Errorf("got %+v, %v", c, err)
		}
		if calls, err := b.Calls(t.Context(), "rack", modem.CallQuery{Port: 3}); err != nil || len(calls) != 1 || calls[0].Port != 3 {
			t.Errorf("got %+v, %v", calls, err)
		}
		if err := b.Control(t.Context(), "rack/0", modem.ControlSlot, "2"); err != nil || d.did != "slot2" {
			t.Errorf("did %q, %v", d.did, err)
		}
		if all := b.Conditions(); len(all) != 1 || all["rack"].Serial != "da00" {
			t.Errorf("the conditions are %+v", all)
		}
		for what, c := range map[string]struct {
			err  error
			want gateway.Kind
		}{
			"a driver that cannot tell":       {second(b.Inspect(t.Context(), "bank")), gateway.KindInvalid},
			"a driver that cannot list calls": {second(b.Calls(t.Context(), "bank", modem.CallQuery{})), gateway.KindInvalid},
			"a driver that cannot control":    {b.Control(t.Context(), "bank/0", modem.ControlBlock, ""), gateway.KindInvalid},
			"a provider that is not there":    {second(b.Inspect(t.Context(), "other")), gateway.KindNotFound},
			"a channel that is not there":     {b.Control(t.Context(), "rack/9", modem.ControlBlock, ""), gateway.KindNotFound},
			"a panic":                         {second(b.Calls(t.Context(), "rack", modem.CallQuery{Port: 31})), gateway.KindInternal},
		} {
			if gateway.KindOf(c.err) != c.want {
				t.Errorf("%s gives %v, want %v", what, c.err, c.want)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestADeviceThatIsNotThereCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := modem.NewBank(modem.BankOptions{Store: &sink{}})
		if err := b.Set([]modem.Device{device(&telling{fake: fake{run: serve}})}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Inspect(t.Context(), "bank"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v, want unavailable", err)
		}
		if n := len(b.Conditions()); n != 0 {
			t.Errorf("%d conditions of a bank that does not run", n)
		}
	})
}
