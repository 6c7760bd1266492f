package spool

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// openJudging opens a spool whose site knows three words.
func openJudging(t testing.TB) (*Spool, *clock) {
	t.Helper()
	s, c := open(t)
	s.o.Judge = func(text string) gateway.Wish {
		switch text {
		case "STOP":
			return gateway.WishStop
		case "START":
			return gateway.WishStart
		case "STOP it":
			return gateway.WishNear
		}
		return gateway.WishNone
	}
	return s, c
}

// says brings one message in from a sender.
func says(t testing.TB, s *Spool, c *clock, sender, words string) gateway.Inbound {
	t.Helper()
	c.add(time.Second)
	in, ok := take(t, s, modem.Part{From: sender, Text: words, SentAt: c.now(), Raw: words + c.now().String()})
	if !ok {
		t.Fatalf("%q is not delivered", words)
	}
	return in
}

func optedOut(t testing.TB, s *Spool) (bool, Listed) {
	t.Helper()
	_, out, err := s.Listed(from, "camp")
	must(t, err)
	list, _, err := s.ListBlacklist(from, "", 10)
	must(t, err)
	if len(list) == 0 {
		return out, Listed{}
	}
	return out, list[0]
}

func unreplied(t testing.TB, s *Spool) []gateway.Inbound {
	t.Helper()
	all, err := s.Unreplied(10)
	must(t, err)
	return all
}

func wishes(t testing.TB, s *Spool, w gateway.Wish) []gateway.Inbound {
	t.Helper()
	all, next, err := s.ListWishes(w, "", 10)
	if err != nil || next != "" {
		t.Fatal(err, next)
	}
	return all
}

func blacklistEvents(t testing.TB, s *Spool) (all []gateway.BlacklistEvent) {
	t.Helper()
	ev, err := s.Events(0, 1000)
	must(t, err)
	for _, e := range ev {
		if e.Kind == gateway.EventBlacklist {
			var b gateway.BlacklistEvent
			must(t, json.Unmarshal(e.Body, &b))
			all = append(all, b)
		}
	}
	return all
}

func TestStopListsItsSenderWithTheMessageThatProvesIt(t *testing.T) {
	s, c := openJudging(t)
	in := says(t, s, c, from, "STOP")
	out, l := optedOut(t, s)
	if !out || l.Campaign != "" || !l.OptOut || l.Source != fmt.Sprint("sms:", in.Seq) || !l.At.Equal(c.now().Truncate(time.Millisecond)) {
		t.Errorf("opted out %t: %+v", out, l)
	}
	if in.Wish != gateway.WishStop || inbox(t, s)[0].Wish != gateway.WishStop {
		t.Errorf("the message says %s", in.Wish)
	}
	ev := blacklistEvents(t, s)
	if len(ev) != 1 || !ev[0].Listed || !ev[0].OptOut || ev[0].Source != l.Source || inboundEvents(t, s)[0].Wish != "stop" {
		t.Errorf("events %+v, %+v", ev, inboundEvents(t, s))
	}
	if got := unreplied(t, s); len(got) != 1 || got[0].Seq != in.Seq {
		t.Errorf("to confirm: %+v", got)
	}
	// The same words again change nothing, and the first message stays the proof.
	says(t, s, c, from, "STOP")
	if _, again := optedOut(t, s); again != l || len(blacklistEvents(t, s)) != 1 || len(unreplied(t, s)) != 1 {
		t.Errorf("after a second stop: %+v, %+v", again, unreplied(t, s))
	}
	must(t, s.Replied(bg, in.Seq))
	if got := unreplied(t, reopen(t, s)); len(got) != 0 {
		t.Errorf("to confirm: %+v", got)
	}
}

func TestStartTakesTheOptOutOff(t *testing.T) {
	s, c := openJudging(t)
	must(t, s.Blacklist(bg, Listed{Number: from, Campaign: "camp", Source: "ana"}))
	says(t, s, c, from, "START") // there is none: nothing to do, nothing to confirm
	if len(unreplied(t, s)) != 0 {
		t.Error("a start that changed nothing is confirmed")
	}
	says(t, s, c, from, "STOP")
	in := says(t, s, c, from, "START")
	listed, out, err := s.Listed(from, "camp")
	if err != nil || !listed || out {
		t.Errorf("listed %t, opted out %t, %v: only the opt-out goes", listed, out, err)
	}
	if got := unreplied(t, s); len(got) != 2 || got[1].Seq != in.Seq || got[1].Wish != gateway.WishStart {
		t.Errorf("to confirm: %+v", got)
	}
	ev := blacklistEvents(t, s)
	if last := ev[len(ev)-1]; last.Listed || !last.OptOut {
		t.Errorf("last event %+v", last)
	}
}

// A stop that is read from the SIM again after a start must not win over it.
func TestATPDUThatComesTwiceIsOneWish(t *testing.T) {
	s, c := openJudging(t)
	p := modem.Part{From: from, Text: "STOP", SentAt: c.now(), Raw: "AA"}
	take(t, s, p)
	says(t, s, c, from, "START")
	take(t, s, p)
	if out, _ := optedOut(t, s); out {
		t.Error("the same TPDU opted out twice")
	}
}

func TestWhatIsNotWholeIsNoWish(t *testing.T) {
	s, c := openJudging(t)
	take(t, s, modem.Part{From: from, Text: "STOP", Raw: "BAD", Undecoded: "reserved"})
	ps := gsm("STOP", 2, 9, c.now())
	take(t, s, ps[0])
	c.add(time.Hour)
	_, err := s.FlushParts(bg, c.now())
	must(t, err)
	if out, _ := optedOut(t, s); out || len(wishes(t, s, gateway.WishStop)) != 0 {
		t.Fatal("half a message is a wish")
	}
	in, _ := take(t, s, ps[1])
	if out, _ := optedOut(t, s); !out || in.Wish != gateway.WishStop {
		t.Errorf("the whole message is none: %+v", in)
	}
}

func TestASenderThatCannotBeListedIsForAPerson(t *testing.T) {
	s, c := openJudging(t)
	for sender, want := range map[string][2]gateway.Wish{
		"Telenor": {gateway.WishNear, gateway.WishNone}, "1234": {gateway.WishNear, gateway.WishNone}, from: {gateway.WishStop, gateway.WishNear},
	} {
		for i, words := range []string{"STOP", "STOP it"} {
			if in := says(t, s, c, sender, words); in.Wish != want[i] {
				t.Errorf("%q from %s is %s, want %s", words, sender, in.Wish, want[i])
			}
		}
	}
	if s.BlacklistSize() != 1 {
		t.Errorf("%d numbers are listed", s.BlacklistSize())
	}
	for _, in := range wishes(t, s, gateway.WishNear) {
		if in.From == from {
			continue
		}
		if _, err := s.Decide(bg, in.Seq, gateway.WishStop, "ana"); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("listing %s: %v", in.From, err)
		}
	}
}

func TestAPersonDecidesANearMiss(t *testing.T) {
	s, c := openJudging(t)
	near, other := says(t, s, c, from, "STOP it"), says(t, s, c, from+"7", "STOP it")
	plain := says(t, s, c, from+"8", "leave me in peace")
	if got := wishes(t, s, gateway.WishNear); len(got) != 2 || got[0].Seq != other.Seq {
		t.Fatalf("to review: %+v", got)
	}
	in, err := s.Decide(bg, near.Seq, gateway.WishStop, "ana")
	must(t, err)
	out, l := optedOut(t, s)
	if !out || l.Source != fmt.Sprintf("sms:%d by ana", near.Seq) || in.Wish != gateway.WishStop || in.WishBy != "ana" {
		t.Errorf("opted out %t, %+v; %+v", out, l, in)
	}
	if _, err := s.Decide(bg, near.Seq, gateway.WishStop, "ben"); err != nil {
		t.Errorf("the same decision again: %v", err)
	}
	if _, err := s.Decide(bg, near.Seq, gateway.WishNone, "ben"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("another decision: %v", err)
	}
	_, err = s.Decide(bg, other.Seq, gateway.WishNone, "ana")
	must(t, err)
	_, err = s.Decide(bg, plain.Seq, gateway.WishStop, "ana") // words that no list has
	must(t, err)
	if got := wishes(t, s, gateway.WishNear); len(got) != 0 {
		t.Errorf("to review: %+v", got)
	}
	if got := unreplied(t, s); len(got) != 2 {
		t.Errorf("to confirm: %+v", got)
	}
	ev := inboundEvents(t, s)
	if last := ev[len(ev)-1]; !last.Corrected || last.Wish != "stop" {
		t.Errorf("last event %+v", last)
	}
	if _, err := s.Decide(bg, 99, gateway.WishStop, "ana"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("of no message: %v", err)
	}
	if _, err := s.Decide(bg, near.Seq, gateway.WishNear, "ana"); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("as near: %v", err)
	}
	long := says(t, s, c, from+"9", "STOP it")
	if _, err := s.Decide(bg, long.Seq, gateway.WishStop, strings.Repeat("é", 300)); err != nil {
		t.Errorf("by a long name: %v", err)
	}
}

func TestWishesComeInPages(t *testing.T) {
	s, c := openJudging(t)
	for i := range 5 {
		says(t, s, c, fmt.Sprint(from, i), "STOP it")
	}
	page, next, err := s.ListWishes(gateway.WishNear, "", 2)
	if err != nil || len(page) != 2 || page[0].Seq != 5 || next != "4" {
		t.Fatalf("first page %+v, %q, %v", page, next, err)
	}
	if page, next, err = s.ListWishes(gateway.WishNear, "2", 2); err != nil || len(page) != 1 || next != "" {
		t.Errorf("last page %+v, %q, %v", page, next, err)
	}
	if _, _, err := s.ListWishes(gateway.WishNear, "x", 2); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("cursor: %v", err)
	}
}

func TestWhoConfirmsWishesIsWoken(t *testing.T) {
	s, c := openJudging(t)
	heard := s.WatchWishes()
	says(t, s, c, from, "STOP it")
	select {
	case <-heard:
		t.Fatal("a near-miss is confirmed")
	default:
	}
	says(t, s, c, from, "STOP")
	<-heard
}

// A gateway gives the newest first, and a SIM by the places of its memory.
func TestAStartThatWasSentBeforeTheStopTakesNothingOff(t *testing.T) {
	s, c := openJudging(t)
	early := c.now()
	c.add(time.Minute)
	says(t, s, c, from, "STOP")
	in, _ := take(t, s, modem.Part{From: from, Text: "START", SentAt: early, Raw: "late"})
	if out, _ := optedOut(t, s); !out {
		t.Error("the customer's last word was stop")
	}
	if n := len(unreplied(t, s)); n != 1 || in.Wish != gateway.WishNear {
		t.Errorf("%d to confirm, %s", n, in.Wish)
	}
}

// What a person, a court or a list entered is not a customer's to take off unseen.
func TestAStartThatFindsAnotherOnesOptOutIsForAPerson(t *testing.T) {
	s, c := openJudging(t)
	must(t, s.Blacklist(bg, Listed{Number: from, OptOut: true, Source: "ana"}))
	in := says(t, s, c, from, "START")
	if out, l := optedOut(t, s); !out || l.Source != "ana" {
		t.Errorf("opted out %t: %+v", out, l)
	}
	if in.Wish != gateway.WishNear || len(wishes(t, s, gateway.WishNear)) != 1 || len(unreplied(t, s)) != 0 {
		t.Errorf("the message is %s, to confirm %d", in.Wish, len(unreplied(t, s)))
	}
	_, err := s.Decide(bg, in.Seq, gateway.WishStart, "ana")
	must(t, err)
	if out, _ := optedOut(t, s); out {
		t.Error("the person's word changes nothing")
	}
}

func TestCheckFindsAWishToConfirmThatIsNone(t *testing.T) {
	s, c := openJudging(t)
	says(t, s, c, from, "STOP")
	near := says(t, s, c, from, "STOP it")
	must(t, s.Check(bg))
	for name, spoil := range map[string]func(*tx) error{
		"to confirm": func(t *tx) error { return t.bucket(bucketUnreplied).Put(u64(near.Seq), present) },
		"listed":     func(t *tx) error { return t.bucket(bucketWishes).Put(wishKey(gateway.WishStop, near.Seq), present) },
	} {
		undo := map[string]func(*tx) error{
			"to confirm": func(t *tx) error { return t.bucket(bucketUnreplied).Delete(u64(near.Seq)) },
			"listed":     func(t *tx) error { return t.bucket(bucketWishes).Delete(wishKey(gateway.WishStop, near.Seq)) },
		}[name]
		must(t, s.update(bg, spoil))
		if s.Check(bg) == nil {
			t.Errorf("%s: a near-miss, and Check says nothing", name)
		}
		must(t, s.update(bg, undo))
	}
}
