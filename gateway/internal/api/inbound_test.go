package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem"
)

func TestReceivedMessagesAreListedNewestFirst(t *testing.T) {
	r := newRig(t)
	at := time.Date(2030, 1, 2, 7, 0, 0, 0, time.UTC)
	for i := range 5 {
		_, _, err := r.spool.Inbound(t.Context(), "modems/0", "8959801", modem.Part{
			From: "+59898344484", Text: fmt.Sprint("answer ", i), SentAt: at.Add(time.Duration(i) * time.Minute), Raw: fmt.Sprint("0", i)})
		must(t, err)
	}
	_, _, err := r.spool.Inbound(t.Context(), "modems/0", "8959801", modem.Part{Undecoded: "cut short", Raw: "FFFF", SentAt: at.Add(time.Hour)})
	must(t, err)
	var got []string
	for cursor := ""; ; {
		var p client.Page[client.Inbound]
		r.json(call{method: "GET", path: root + "/inbound?limit=2&cursor=" + cursor}, &p)
		for _, m := range p.Items {
			got = append(got, m.Text)
			if m.Undecoded != "" && (len(m.Raw) != 1 || m.Raw[0] != "FFFF") {
				t.Errorf("what could not be read is lost: %+v", m)
			}
			if m.Channel != "modems/0" || m.Received.IsZero() || m.Undecoded == "" && m.From != "+59898344484" {
				t.Errorf("got %+v", m)
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if want := ",answer 4,answer 3,answer 2,answer 1,answer 0"; strings.Join(got, ",") != want {
		t.Errorf("got %q", got)
	}
	if p := r.problem(call{method: "GET", path: root + "/inbound", from: stranger}); p.Status != 401 {
		t.Errorf("a stranger reads: %+v", p)
	}
}

func TestAHeldBaseWaitsForItsRelease(t *testing.T) {
	r := newRig(t)
	c := r.listen()
	up, err := c.UploadBase(t.Context(), "test1", client.File{Reader: strings.NewReader("test1;098344484;Hi;1\r\ntest1;098344485;Hi;1\r\n"), Held: true})
	must(t, err)
	for up.State == "loading" {
		up, err = c.Upload(t.Context(), up.Upload)
		must(t, err)
	}
	held := func() int {
		p, err := c.Messages(t.Context(), client.MessageQuery{Campaign: "test1", Statuses: []string{"held"}})
		must(t, err)
		return len(p.Items)
	}
	if !up.Held || held() != 2 {
		t.Errorf("%d rows are held of %+v", held(), up)
	}
	for _, want := range []int{2, 0} {
		var got client.Released
		r.json(call{method: "POST", path: root + "/dialers/test1/release", token: r.token("campaigns")}, &got)
		if got.Released != want {
			t.Errorf("released %+v; want %d", got, want)
		}
	}
	if held() != 0 {
		t.Errorf("%d rows are still held", held())
	}
}

func TestABadWordForHeldAndAnUnknownCampaignAreRefused(t *testing.T) {
	r := newRig(t)
	p := r.problem(call{method: "POST", path: root + "/dialers/test1/bases?held=yes", kind: "text/csv", body: "x"})
	if p.Status != 422 || p.Field != "held" {
		t.Errorf("got %+v", p)
	}
	if p := r.problem(call{method: "POST", path: root + "/campaigns/nobody/release", token: r.token("campaigns")}); p.Status != 404 {
		t.Errorf("got %+v", p)
	}
	if p := r.problem(call{method: "POST", path: root + "/blacklist/bases?held=true", kind: "text/csv", body: "x", token: r.token("blacklist")}); p.Status != 422 || p.Field != "held" {
		t.Errorf("a blacklist that is held: %+v", p)
	}
}
