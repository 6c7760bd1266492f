package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem"
	"fieldpost/modem/sim"
	"fieldpost/spool"
)

const (
	customer   = "+59898344484"
	replyStop  = "You get no more messages from us."
	replyStart = "You get our messages again."
)

func replies(more string) string {
	return fmt.Sprintf("[opt_out]\nreply_stop = %q\nreply_start = %q\n%s", replyStop, replyStart, more)
}

// hears delivers a customer's message to a modem, and waits until it is stored.
func (h *house) hears(port int, text string) client.Inbound {
	h.t.Helper()
	before := len(h.inbox())
	must(h.t, h.bank.Network.Deliver(sim.Incoming{From: customer, To: h.bank.Modems[port].Card().ICCID(), Text: text}))
	var got client.Inbound
	eventually(h.t, fmt.Sprintf("%q is stored", text), func() bool {
		page, err := h.Inbound(h.t.Context(), client.List{})
		must(h.t, err)
		if len(page.Items) == before {
			return false
		}
		got = page.Items[0]
		return true
	})
	return got
}

// confirmed waits until a text is so often on the air, and holds it to no more.
func (h *house) confirmed(text string, n int) {
	h.t.Helper()
	copies := func() int { return h.bank.Network.Copies()[sim.Copy{To: customer, Text: text}] }
	eventually(h.t, fmt.Sprintf("%q is %d times on the air", text, n), func() bool { return copies() >= n })
	if got := copies(); got != n {
		h.t.Errorf("%q is %d times on the air, want %d", text, got, n)
	}
}

func TestSTOPBlocksWhatIsQueuedAndIsConfirmedOnceOnThePortThatItCameTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{modems: 3, sections: replies("")})
	h.ready(3)
	h.dialer("test1") // not started, so that its row waits; its DNCR flag is off
	waiting := h.submit(client.NewMessage{To: "098344484", Text: "an offer", Campaign: "test1"}).ID
	in := h.hears(2, "Stop. Thank you")
	if in.Wish != "stop" {
		t.Errorf("the message is %+v", in)
	}
	h.confirmed(replyStop, 1)
	_, err := h.StartDialer(t.Context(), "test1")
	must(t, err)
	h.becomes(waiting, "blocked")
	list, err := h.Blacklist(t.Context(), client.BlacklistQuery{})
	must(t, err)
	if len(list.Items) != 1 || !list.Items[0].OptOut || list.Items[0].Campaign != "" || list.Items[0].Source != "sms:"+in.ID {
		t.Errorf("the blacklist is %+v", list.Items)
	}
	h.hears(0, "STOP") // heard already
	h.hears(1, "START")
	h.confirmed(replyStart, 1)
	h.confirmed(replyStop, 1)
	for _, e := range h.bank.Network.Entries() {
		if want := map[string]int{replyStop: 2, replyStart: 1}[e.Text]; e.SIM != h.bank.Modems[want].Card().ICCID() {
			t.Errorf("%q left over SIM %s, want the one that the customer wrote to", e.Text, e.SIM)
		}
	}
	after := h.submit(client.NewMessage{To: "098344484", Text: "another offer", Campaign: "test1"}).ID
	h.becomes(after, "sent")
}

// The daemon dies between the commit of a STOP and its confirmation.
func TestAWishThatWasStoredBeforeACrashIsConfirmedOnceAfterIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: replies("")})
	h.ready(1)
	h.stop()
	s, err := spool.Open(spool.Options{Path: h.spoolPath(), Judge: func(string) gateway.Wish { return gateway.WishStop }})
	must(t, err)
	_, _, err = s.Inbound(t.Context(), "bank/0", "sim", modem.Part{From: customer, Text: "STOP", SentAt: time.Now(), Raw: "AA"})
	must(t, err)
	must(t, s.Close())
	for range 2 {
		h.start()
		h.confirmed(replyStop, 1)
		page, err := h.Messages(t.Context(), client.MessageQuery{})
		must(t, err)
		if len(page.Items) != 1 || page.Items[0].Campaign != "@bank" || page.Items[0].Source != "0" {
			t.Errorf("messages %+v", page.Items)
		}
		h.becomes(page.Items[0].ID, "sent")
		h.stop()
	}
}

func TestANearMissWaitsForAPersonWhoseWordIsOnRecord(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: replies("")})
	h.ready(1)
	near := h.hears(0, "please stop sending me this")
	page, err := h.InboundWithWish(t.Context(), "near", client.List{})
	must(t, err)
	if near.Wish != "near" || len(page.Items) != 1 || page.Items[0].ID != near.ID {
		t.Fatalf("to review: %+v", page.Items)
	}
	got, err := h.DecideOptOut(t.Context(), near.ID, "stop")
	must(t, err)
	if got.Wish != "stop" || got.WishBy == "" {
		t.Errorf("decided: %+v", got)
	}
	h.confirmed(replyStop, 1)
	list, err := h.Blacklist(t.Context(), client.BlacklistQuery{})
	must(t, err)
	if len(list.Items) != 1 || !strings.HasPrefix(list.Items[0].Source, "sms:"+near.ID+" by ") {
		t.Errorf("the blacklist is %+v", list.Items)
	}
	if _, err := h.DecideOptOut(t.Context(), near.ID, "none"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("deciding otherwise: %v", err)
	}
}

// What the words mean together is only known when they are put together.
func TestWordsThatContradictEachOtherAreAFaultOfTheConfiguration(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{sections: replies(`start_words = "BAJA"`)})
	_, err := h.build()
	var fault *config.Error
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "opt_out.start_words: \"BAJA\" means the opposite") {
		t.Errorf("the daemon starts, or says %v", err)
	}
}

func TestASiteThatDoesNotWantItHearsNoWish(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: replies("enabled = false")})
	h.ready(1)
	if in := h.hears(0, "STOP"); in.Wish != "" {
		t.Errorf("the message is %+v", in)
	}
	if list, err := h.Blacklist(t.Context(), client.BlacklistQuery{}); err != nil || len(list.Items) != 0 {
		t.Errorf("the blacklist is %+v, %v", list.Items, err)
	}
}
