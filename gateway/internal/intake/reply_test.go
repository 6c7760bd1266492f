package intake

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestAReplyIsOneMessageWhateverItsTextIsTheSecondTime(t *testing.T) {
	d := open(t, t.TempDir(), nil)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	r := Reply{Lane: "@bank", Port: "3", To: "+59899123456", Text: "No more messages.", Until: until, Scope: "opt-out", Key: "7"}
	first, err := d.Reply(t.Context(), r)
	if err != nil || first.Repeated {
		t.Fatal(first, err)
	}
	r.Text = "another text, since the configuration was changed"
	again, err := d.Reply(t.Context(), r)
	if err != nil || !again.Repeated || again.IDM != first.IDM {
		t.Errorf("%+v, %v", again, err)
	}
	m, err := d.spool.Message(first.IDM)
	if err != nil || m.Campaign != "@bank" || m.Source != "3" || m.Text != "No more messages." || m.Status != gateway.StatusQueued ||
		m.Priority != gateway.PrioritySingle || m.Policy != gateway.UnknownHold || !m.ValidUntil.Equal(until) {
		t.Errorf("message %+v, %v", m, err)
	}
	for _, bad := range []Reply{{Lane: "@bank", To: "Telenor", Text: "x"}, {Lane: "@bank", To: "+59899123456"}} {
		if _, err := d.Reply(t.Context(), bad); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestNobodyElseNamesTheLaneOfReplies(t *testing.T) {
	d := open(t, t.TempDir(), nil)
	_, err := d.Submit(t.Context(), Request{To: "099123456", Text: "x", Campaign: "@bank"})
	if gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a caller's message went into a provider's own lane: %v", err)
	}
}
