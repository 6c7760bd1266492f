package sims

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
)

func TestAPassportFollowsItsCardAndOutlivesARestart(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8959001"), in(1, "8959002"))
		first := time.Now().UTC()
		w.pass(time.Hour)
		w.plug(in(1, "8959002"), in(2, "8959001"))
		w.stop()
		w.start()
		c := w.card("8959001")
		if c.Channel != "bank/2" || len(c.Places) != 2 || c.Places[0].Channel != "bank/2" || c.Places[1].Channel != "bank/0" || !c.First.Equal(first) {
			t.Errorf("the passport says %+v", c)
		}
		if got := w.store.said(); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"moved 8959001", "seen 8959001", "seen 8959002"}) {
			t.Errorf("the events are %q", got)
		}
		w.plug(in(1, "8959002"))
		if c := w.card("8959001"); c.Channel != "" {
			t.Errorf("a card in no slot is in %s", c.Channel)
		}
		if _, err := w.Card("8959999"); gateway.KindOf(err) != gateway.KindNotFound {
			t.Errorf("a card that was never seen: %v", err)
		}
	})
}

func TestAModemThatComesAndGoesWritesNothing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8959001"))
		for i := range 50 {
			w.plug()
			w.pass(time.Second)
			c := in(0, "8959001")
			c.Signal = i % 31
			w.plug(c)
			w.pass(time.Second)
		}
		if w.store.wrote() != 1 {
			t.Errorf("the passport was written %d times", w.store.wrote())
		}
		w.pass(47 * time.Hour)
		if c := w.store.stored(t, "8959001"); time.Since(c.Last) > 24*time.Hour || w.store.wrote() != 2 {
			t.Errorf("after two days it was last seen %v ago, in %d writes", time.Since(c.Last), w.store.wrote())
		}
	})
}

func TestTwoSlotsThatTellOneCardDoNotMoveIt(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(1, "8959001"))
		for range 5 {
			w.plug(in(0, "8959001"), in(1, "8959001"))
			w.plug(in(1, "8959001"), in(0, "8959001"))
		}
		if c := w.card("8959001"); c.Channel != "bank/1" || len(c.Places) != 1 {
			t.Errorf("the passport says %+v", c)
		}
	})
}

func TestOnlyTheLastPlacesAreKept(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		for i := range 30 {
			w.plug(in(i, "8959001"))
			w.pass(time.Minute)
		}
		if c := w.card("8959001"); len(c.Places) != 20 || c.Places[0].Channel != "bank/29" || c.Places[19].Channel != "bank/10" {
			t.Errorf("it has %d places, from %+v", len(c.Places), c.Places[0])
		}
	})
}

func TestAModemThatTellsItsIMEILateMakesNoMove(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		late := in(0, "8959001")
		late.IMEI = ""
		w.plug(late)
		w.plug(in(0, "8959001"))
		w.plug(late)
		if c := w.card("8959001"); len(c.Places) != 1 || c.Places[0].IMEI != "35690" {
			t.Errorf("its places are %+v", c.Places)
		}
		other := in(0, "8959001")
		other.IMEI = "490154203237518"
		w.plug(other)
		if c := w.card("8959001"); len(c.Places) != 2 || w.store.count("moved") != 1 {
			t.Errorf("in another modem its places are %+v", c.Places)
		}
	})
}

func TestASwapThatMustBeConfirmedLetsNoMessagePass(t *testing.T) {
	inWorld(t, Options{Site: Site{ConfirmSwap: true}}, func(w *world) {
		w.plug(in(0, "8959001"), in(1, "8959002"))
		if why := w.Held("8959001") + w.Held("8959002"); why != "" {
			t.Fatalf("the first cards of their slots are held: %s", why)
		}
		changed := w.Watch()
		w.bank.set(in(0, "8959003"), in(1, "8959001")) // and nobody has looked yet
		for id, want := range map[string]string{"8959003": "8959001 in bank/0", "8959001": "8959002 in bank/1"} {
			if why := w.Held(id); !strings.Contains(why, want) || !strings.Contains(why, `"fieldpost sims confirm `+id) {
				t.Errorf("%s is held because %q", id, why)
			}
		}
		select {
		case <-changed:
		default:
			t.Error("the dialer does not hear of it")
		}
		synctest.Wait()
		if w.store.count("alarm: SIM 8959003 sends nothing: it took the slot of 8959001 in bank/0") != 1 {
			t.Errorf("the operator hears %q", w.store.said())
		}
		if _, err := w.Confirm(w.t.Context(), "8959003", "anna"); err != nil {
			t.Fatal(err)
		}
		if w.Held("8959003") != "" || w.store.stored(t, "8959003").Hold != nil || w.store.count("released 8959003") != 1 {
			t.Error("a confirmed card is held")
		}
		if _, err := w.Confirm(w.t.Context(), "8959003", "anna"); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("to confirm it again: %v", err)
		}
		// Back where it was before it may send; the hold of bank/1 is gone with a person's word only.
		w.plug(in(0, "8959003"), in(1, "8959002"), in(2, "8959001"))
		if w.Held("8959002") != "" {
			t.Errorf("a card that comes back is held: %s", w.Held("8959002"))
		}
		if w.Held("8959001") == "" {
			t.Error("to move a held card on confirms it")
		}
	})
}

func TestACardThatItsDeviceTellsLateIsNoOther(t *testing.T) {
	inWorld(t, Options{Site: Site{ConfirmSwap: true}}, func(w *world) {
		nameless, half := in(0, ""), in(0, "8959001")
		half.ICCID = ""
		for _, c := range []gateway.Channel{nameless, half, in(0, "8959001"), half, nameless, in(0, "8959001")} {
			w.plug(c)
			if why := w.Held(c.SIMKey()); why != "" {
				t.Errorf("%s is held: %s", c.SIMKey(), why)
			}
		}
		w.plug(in(0, "8959002"))
		if why := w.Held("8959002"); !strings.Contains(why, "8959001") {
			t.Errorf("another card is held because %q", why)
		}
	})
}

func TestASwapGoesOnByDefaultAndIsTold(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8959001"))
		w.plug(in(0, "8959002"))
		if why := w.Held("8959002"); why != "" {
			t.Errorf("it is held: %s", why)
		}
		last := w.store.last().(gateway.SIMEvent)
		if last.Change != "seen" || last.Reason != "it took the slot of 8959001" || last.Channel != "bank/0" {
			t.Errorf("the event says %+v", last)
		}
	})
}

func TestPassportsAreBoundedAndTheHeldStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.start()
		w.plug(in(0, "held"))
		if _, err := w.Hold(w.t.Context(), "held", "lent out", "anna"); err != nil {
			t.Fatal(err)
		}
		w.plug(in(0, "once"))
		for _, f := range []func() (Card, error){
			func() (Card, error) { return w.SIMs.Hold(w.t.Context(), "once", "x", "anna") },
			func() (Card, error) { return w.Release(w.t.Context(), "once", "anna") },
		} {
			if _, err := f(); err != nil {
				t.Fatal(err)
			}
		}
		for i := range MaxCards + 5 {
			w.plug(in(0, fmt.Sprintf("%05d", i)))
			w.pass(time.Second)
		}
		w.stop()
		if n := len(w.store.docs); n != MaxCards {
			t.Errorf("%d passports are on disk, want %d", n, MaxCards)
		}
		for id, want := range map[string]bool{"held": true, "once": true, "00000": false, "00006": false, "00007": true, "01004": true} {
			if _, ok := w.store.docs[id]; ok != want {
				t.Errorf("the passport of %s is there: %v, want %v", id, ok, want)
			}
		}
	})
}

func TestWhatADeviceSaysMayBeRubbish(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		long := in(0, strings.Repeat("9", 5000))
		zero := in(1, "89\x0059")
		bad := in(2, "8959001")
		bad.Operator, bad.Number, bad.IMEI = "T\xe9l\xe9com", strings.Repeat("1", 5000), strings.Repeat("\x01", 5000)
		starting := in(3, "")
		starting.State, starting.IMSI = gateway.ChannelStarting, "748010000000001"
		w.plug(long, zero, bad, starting)
		all := w.Cards()
		if len(all) != 1 || all[0].Operator != "T?l?com" || len(all[0].Number) > 100 || len(w.store.docs) != 1 {
			t.Errorf("the passports are %+v, %d on disk", all, len(w.store.docs))
		}
		if w.Held(strings.Repeat("9", 5000)) != "" {
			t.Error("a card without a passport is held")
		}
	})
}

func TestAPassportThatCannotBeReadBeginsAnew(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8959001"))
		w.stop()
		d := w.store.docs["8959001"]
		d.Body = []byte("{")
		w.store.docs["8959001"] = d
		w.start()
		if c := w.card("8959001"); c.Channel != "bank/0" || len(c.Places) != 1 {
			t.Errorf("it says %+v", c)
		}
		if c := w.store.stored(t, "8959001"); c.ICCID != "8959001" {
			t.Errorf("on disk it says %+v", c)
		}
	})
}

func TestAHoldIsInForceBeforeTheDiskTakesItAndWrittenOnceItDoes(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8959001"))
		w.store.fail(errDisk)
		ctx, cancel := context.WithCancel(w.t.Context())
		cancel() // the caller is gone: that decides nothing
		if _, err := w.Hold(ctx, "8959001", "lent out", "anna"); err == nil || !strings.Contains(err.Error(), "not on disk yet") {
			t.Errorf("it is told to be on disk: %v", err)
		}
		if w.Held("8959001") != "lent out" {
			t.Errorf("it is held because %q", w.Held("8959001"))
		}
		w.store.fail(nil)
		w.pass(2 * time.Minute)
		if h := w.store.stored(t, "8959001").Hold; h == nil || h.By != "anna" || h.Cause != CausePerson || w.store.count("held 8959001") != 1 {
			t.Errorf("on disk the hold is %+v, of %q", h, w.store.said())
		}
		if _, err := w.Hold(w.t.Context(), "8959001", "", "anna"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a hold without a reason: %v", err)
		}
		w.store.fail(errDisk)
		if _, err := w.Release(w.t.Context(), "8959001", "anna"); gateway.KindOf(err) != gateway.KindOf(errDisk) || !strings.Contains(fmt.Sprint(err), "not on disk yet") {
			t.Errorf("released with a full disk: %v", err)
		}
		if w.Held("8959001") != "" || w.store.stored(t, "8959001").Hold == nil {
			t.Error("what a full disk does not take is not what holds")
		}
		w.store.fail(nil)
		w.pass(2 * time.Minute)
		if w.store.stored(t, "8959001").Hold != nil || w.store.count("released 8959001") != 1 {
			t.Errorf("the release is lost: %q", w.store.said())
		}
		if _, err := w.Release(w.t.Context(), "8959001", "anna"); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("to release what is not held: %v", err)
		}
	})
}

func TestAHeldCardThatTellsItsIMSIOnlyIsHeld(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.plug(in(0, "8000"))
		if _, err := w.Hold(t.Context(), "8000", "lent", "ana"); err != nil {
			t.Fatal(err)
		}
		c := in(0, "8000")
		c.ICCID = ""
		w.bank.set(c)
		if w.Held(c.SIMKey()) == "" {
			t.Error("it may send while its device does not tell its ICCID")
		}
		w.pass(2 * time.Minute)
		if w.Held(c.SIMKey()) == "" {
			t.Error("it may send when it was looked at")
		}
		if _, err := w.Release(t.Context(), "8000", "ana"); err != nil {
			t.Fatal(err)
		}
		if why := w.Held(c.SIMKey()); why != "" {
			t.Errorf("released, it is held: %s", why)
		}
	})
}

func TestOperatorsAreKnownByNetworkAndByTheSite(t *testing.T) {
	site := Site{
		Operators: []gateway.Operator{
			{Name: "Antel", Networks: []string{"74801"}, Prefixes: []string{"+59899", "+59898"}},
			{Name: "Virtual", Networks: []string{"748018"}, Prefixes: []string{"+598991", "+5989"}},
		},
		Own: map[string]Own{"777": {Operator: "Virtual", Number: "+59899000777"}},
	}
	inWorld(t, Options{Site: site}, func(w *world) {
		w.plug(in(0, "9001"), in(1, "8001"), in(2, "777"))
		for id, want := range map[string]string{"9001": "Antel", "8001": "Virtual", "777": "Virtual", "nobody": ""} {
			if got := w.Operator(id); got != want {
				t.Errorf("the operator of %s is %q, want %q", id, got, want)
			}
		}
		for to, want := range map[gateway.Address]string{"+59899200000": "Antel", "+59899100000": "Virtual", "+59897": "Virtual", "+4791234567": "", "": ""} {
			if got := w.Owner(to); got != want {
				t.Errorf("%s is of %q, want %q", to, got, want)
			}
		}
		if c := w.card("777"); c.Number != "+59899000777" || c.Operator != "Virtual" {
			t.Errorf("its passport says %+v", c)
		}
	})
}
