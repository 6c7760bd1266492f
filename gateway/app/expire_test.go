package app

import (
	"testing"
	"time"

	"fieldpost/gateway/client"
)

func TestMessagesOfAStoppedDialerExpire(t *testing.T) {
	t.Parallel()
	var c clock
	c.set(time.Date(2027, 3, 5, 9, 0, 0, 0, time.UTC))
	h := newHouse(t, setup{now: c.now})
	h.dialer("test1") // not started
	soon, late := c.now().Add(time.Hour), c.now().Add(48*time.Hour)
	first := h.submit(client.NewMessage{To: "098344484", Text: "old news", Campaign: "test1", ValidUntil: &soon})
	second := h.submit(client.NewMessage{To: "098344485", Text: "news", Campaign: "test1", ValidUntil: &late})
	c.set(soon.Add(time.Minute))
	h.stop()
	h.start()
	h.becomes(first.ID, "expired")
	if m := h.message(second.ID); m.Status != "queued" {
		t.Errorf("the one that is valid still is %s", m.Status)
	}
}

func TestNothingExpiresByAClockThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	var c clock
	c.set(time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC))
	h := newHouse(t, setup{now: c.now})
	h.dialer("test1")
	soon := c.now().Add(time.Minute)
	a := h.submit(client.NewMessage{To: "098344484", Text: "news", Campaign: "test1", ValidUntil: &soon})
	c.set(soon.Add(time.Hour))
	h.app.expireNow(t.Context())
	if m := h.message(a.ID); m.Status != "queued" {
		t.Errorf("it is %s", m.Status)
	}
	c.set(time.Date(2027, 3, 5, 9, 0, 0, 0, time.UTC))
	h.app.expireNow(t.Context())
	if m := h.message(a.ID); m.Status != "expired" {
		t.Errorf("it is %s though the clock is trusted now", m.Status)
	}
}
