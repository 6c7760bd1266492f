package sims

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
)

// antel is a site whose operator answers with "Saldo: $ ...".
func antel() Site {
	return Site{Operators: []gateway.Operator{{
		Name: "Antel", Networks: []string{"74801"},
		Balance: gateway.Balance{Code: "*222#", Pattern: `Saldo: \$ ([0-9.,-]+)`, Low: 100},
	}}}
}

// saldo answers with the amounts in turn, the last of them for ever.
func saldo(amounts ...string) func(string, string) (string, error) {
	var n atomic.Int64 // several cards are asked at once
	return func(string, string) (string, error) {
		return "Saldo: $ " + amounts[min(int(n.Add(1)), len(amounts))-1], nil
	}
}

func TestBalancesAreAskedOnceADayEachAtItsOwnTime(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.bank.answers(saldo("500"))
		var all []gateway.Channel
		for i := range 8 {
			all = append(all, in(i, fmt.Sprint("900", i)))
		}
		w.plug(all...)
		w.pass(15 * time.Minute)
		if n := w.bank.asks(); n != 8 {
			t.Fatalf("%d of 8 cards were asked in the first quarter of an hour", n)
		}
		w.pass(22 * time.Hour)
		if n := w.bank.asks(); n != 8 {
			t.Errorf("%d questions in less than a day", n)
		}
		w.pass(4 * time.Hour)
		if n := w.bank.asks(); n != 16 {
			t.Errorf("%d questions in a day and some hours", n)
		}
		at := map[time.Time]bool{}
		for _, c := range w.Cards() {
			at[c.Balance.Asked] = true
			if !c.Balance.Answer.Read || c.Balance.Answer.Amount != 500 || len(c.Balance.Amounts) != 2 {
				t.Errorf("%s: %+v", c.ID, c.Balance)
			}
		}
		if len(at) < 4 {
			t.Errorf("8 cards are asked at %d different times", len(at))
		}
	})
}

func TestARestartAsksNobodyAgain(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.bank.answers(saldo("500"))
		w.plug(in(0, "9000"))
		w.pass(15 * time.Minute)
		for range 20 {
			w.stop()
			w.start()
			w.pass(time.Hour)
		}
		if n := w.bank.asks(); n != 1 {
			t.Errorf("%d questions in 20 restarts of less than a day", n)
		}
	})
}

func TestABusyChannelIsAskedLaterAndLater(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		var at []time.Time
		w.bank.answers(func(string, string) (string, error) {
			at = append(at, time.Now())
			if len(at) < 5 {
				return "", gateway.Errorf(gateway.KindConflict, "a dialogue is open")
			}
			return "Saldo: $ 7,50", nil
		})
		w.plug(in(0, "9000"))
		w.pass(time.Hour)
		if c := w.card("9000"); c.Balance.Error != "a dialogue is open" || c.Balance.Answer != nil {
			t.Errorf("the balance is %+v", c.Balance)
		}
		w.pass(10 * time.Hour)
		if len(at) != 5 {
			t.Fatalf("it was asked at %v", at)
		}
		for i, want := range []time.Duration{5 * time.Minute, 20 * time.Minute, 80 * time.Minute, 320 * time.Minute} {
			if got := at[i+1].Sub(at[i]).Round(2 * time.Minute); got < want-2*time.Minute || got > want+2*time.Minute {
				t.Errorf("try %d came after %v, want %v", i+2, got, want)
			}
		}
		if c := w.card("9000"); c.Balance.Error != "" || c.Balance.Answer.Amount != 7.5 {
			t.Errorf("the balance is %+v", c.Balance)
		}
	})
}

func TestALowBalanceIsToldOncePerCrossing(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.bank.answers(saldo("150", "99,50", "80", "500", "20"))
		w.plug(in(0, "9000"))
		w.pass(5*24*time.Hour + 12*time.Hour)
		if n := w.store.count("below 100"); n != 2 {
			t.Errorf("it was told %d times that the balance is low: %q", n, w.store.said())
		}
		if n := w.store.count("the balance of SIM 9000 in bank/0 is 99.5, below 100"); n != 1 {
			t.Errorf("the alarms are %q", w.store.said())
		}
		if !w.card("9000").Balance.Low || w.store.count("balance 9000") != w.bank.asks() {
			t.Errorf("after %d answers: %+v, %q", w.bank.asks(), w.card("9000").Balance, w.store.said())
		}
	})
}

func TestTheLowBalanceOfACardGoesBeforeItsOperators(t *testing.T) {
	site := antel()
	site.Own = map[string]Own{"9000": {BalanceLow: 10}}
	inWorld(t, Options{Site: site}, func(w *world) {
		w.bank.answers(saldo("50"))
		w.plug(in(0, "9000"), in(1, "9001"))
		w.pass(time.Hour)
		if w.store.count("SIM 9000") != 0 || w.store.count("SIM 9001 in bank/1 is 50") != 1 {
			t.Errorf("the alarms are %q", w.store.said())
		}
	})
}

// Pain 23: never as 0.
func TestAnAnswerThatCannotBeReadIsShownAsItCame(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		texts := []string{"Saldo: $ 150", "Servicio no disponible", "Servicio no disponible", "Saldo: $ 140", strings.Repeat("áñ🙂", 500)}
		n := -1
		w.bank.answers(func(string, string) (string, error) { n++; return texts[min(n, len(texts)-1)], nil })
		w.plug(in(0, "9000"))
		w.pass(26 * time.Hour)
		b := w.card("9000").Balance
		if b.Answer.Read || b.Answer.Text != texts[1] || len(b.Amounts) != 1 || b.Amounts[0].Amount != 150 || b.Low {
			t.Errorf("the balance is %+v", b)
		}
		w.pass(24 * time.Hour)
		if n := w.store.count("cannot be read: the pattern of operator Antel"); n != 1 {
			t.Errorf("it was told %d times: %q", n, w.store.said())
		}
		w.pass(53 * time.Hour)
		if b := w.card("9000").Balance; len(b.Amounts) != 2 || b.Answer.Read || len([]rune(b.Answer.Text)) != 182 {
			t.Errorf("the balance is %+v", b)
		}
		if n := w.store.count("cannot be read"); n != 2 {
			t.Errorf("it was told %d times: %q", n, w.store.said())
		}
	})
}

func TestNothingIsAskedWhileTheClockIsWrong(t *testing.T) {
	var trusted atomic.Bool
	inWorld(t, Options{Site: antel(), Trusted: trusted.Load}, func(w *world) {
		w.bank.answers(saldo("150"))
		w.plug(in(0, "9000"))
		w.pass(48 * time.Hour)
		if n := w.bank.asks(); n != 0 {
			t.Errorf("%d questions", n)
		}
		trusted.Store(true)
		w.pass(15 * time.Minute)
		if n := w.bank.asks(); n != 1 {
			t.Errorf("%d questions once it is right", n)
		}
	})
}

func TestAChannelThatIsNotReadyIsNotAsked(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.bank.answers(saldo("150"))
		starting := in(0, "9000")
		starting.State = gateway.ChannelStarting
		w.plug(starting)
		w.pass(time.Hour)
		if n := w.bank.asks(); n != 0 {
			t.Errorf("%d questions", n)
		}
		w.plug(in(0, "9000"))
		w.pass(15 * time.Minute)
		if n := w.bank.asks(); n != 1 {
			t.Errorf("%d questions once it is ready", n)
		}
	})
}

func TestAnAnswerOfTheFutureDelaysNoQuestion(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(400 * 24 * time.Hour))
	inWorld(t, Options{Site: antel(), Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}, func(w *world) {
		w.bank.answers(saldo("150"))
		w.plug(in(0, "9000"))
		w.pass(15 * time.Minute)
		w.stop()
		ahead.Store(0)
		w.start()
		w.pass(15 * time.Minute)
		if n := w.bank.asks(); n != 2 {
			t.Errorf("%d questions", n)
		}
	})
}

func TestAClockThatIsSetBackSilencesNoBalance(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(3 * 365 * 24 * time.Hour))
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).Round(0) } // a wall clock only
	inWorld(t, Options{Site: antel(), Now: now}, func(w *world) {
		w.bank.answers(func(string, string) (string, error) { return "Saldo: $ 500", nil })
		w.plug(in(0, "8000"))
		w.pass(15 * time.Minute)
		ahead.Store(0)
		before := w.bank.asks()
		w.pass(30 * time.Hour)
		if n := w.bank.asks() - before; n == 0 || n > 3 {
			t.Errorf("%d questions in the 30 hours after the clock was set three years back", n)
		}
	})
}

// What an operator does not hear of is a card that runs dry.
func TestABalanceThatNobodyTellsIsAnAlarmOnce(t *testing.T) {
	for said, kind := range map[string]gateway.Kind{"the network knows no such request": gateway.KindRefused, "the network did not answer the request": gateway.KindUnavailable} {
		inWorld(t, Options{Site: antel()}, func(w *world) {
			w.bank.answers(func(string, string) (string, error) { return "", gateway.Errorf(kind, "%s", said) })
			w.plug(in(0, "9000"))
			w.pass(5 * 24 * time.Hour)
			if w.store.count("alarm: the balance of SIM 9000 in bank/0 cannot be asked for with *222# of operator Antel: "+said) != 1 || w.store.count("alarm") != 1 {
				t.Errorf("%s: %q", said, w.store.said())
			}
			if kind == gateway.KindUnavailable && w.bank.asks() > 30 {
				t.Errorf("a channel that never answers was asked %d times in five days", w.bank.asks())
			}
		})
	}
}

func TestACardCanBeAskedNow(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.plug(in(0, "9000"), in(1, ""))
		if _, err := w.AskBalance(w.t.Context(), "nobody"); gateway.KindOf(err) != gateway.KindNotFound {
			t.Errorf("a card that was never seen: %v", err)
		}
		if _, err := w.AskBalance(w.t.Context(), "channel:bank/1"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a card of no operator: %v", err)
		}
		first := make(chan error, 1)
		go func() {
			_, err := w.AskBalance(w.t.Context(), "9000") // and the network says nothing
			first <- err
		}()
		synctest.Wait()
		if _, err := w.AskBalance(w.t.Context(), "9000"); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("a card that is being asked: %v", err)
		}
		began := time.Now()
		if err := <-first; gateway.KindOf(err) != gateway.KindUnavailable || time.Since(began) != 2*time.Minute {
			t.Errorf("without an answer: %v after %v", err, time.Since(began))
		}
		w.bank.answers(saldo("1.234,50"))
		c, err := w.AskBalance(w.t.Context(), "9000")
		if err != nil || c.Balance.Answer.Amount != 1234.5 || w.store.stored(t, "9000").Balance.Answer.Amount != 1234.5 {
			t.Errorf("%+v, %v", c.Balance, err)
		}
		w.plug()
		if _, err := w.AskBalance(w.t.Context(), "9000"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("a card in no slot: %v", err)
		}
	})
}

func TestAnAnswerIsNotTheNextCards(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		w.bank.answers(func(string, string) (string, error) {
			w.bank.set(in(0, "9001")) // swapped while the network thinks
			return "Saldo: $ 150", nil
		})
		w.plug(in(0, "9000"))
		if _, err := w.AskBalance(w.t.Context(), "9000"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("the answer is taken: %v", err)
		}
		for _, c := range w.Cards() {
			if c.Balance.Answer != nil {
				t.Errorf("%s has the balance %+v", c.ID, c.Balance.Answer)
			}
		}
	})
}

func TestAFewCardsAreAskedAtOnce(t *testing.T) {
	inWorld(t, Options{Site: antel()}, func(w *world) {
		var all []gateway.Channel
		for i := range 31 {
			all = append(all, in(i, fmt.Sprint("90", i)))
		}
		w.plug(all...) // none of them answers: each question takes two minutes
		w.pass(11 * time.Minute)
		if n := w.bank.asks(); n < 12 || n > 4*11 {
			t.Errorf("%d questions in eleven minutes", n)
		}
		w.pass(20 * time.Minute)
		if n := w.bank.asks(); n < 31 {
			t.Errorf("%d questions in half an hour", n)
		}
	})
}
