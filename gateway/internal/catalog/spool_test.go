package catalog

import (
	"path/filepath"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestDefinitionsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	s := must[*spool.Spool](t)(spool.Open(spool.Options{Path: path}))
	c := open(t, s)
	must[Provider](t)(c.PutProvider(t.Context(), bank()))
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	if err := c.Start(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	refusedPut := dialer("a")
	_, err := c.PutDialer(t.Context(), refusedPut)
	refused(t, err, gateway.KindConflict, "name")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = must[*spool.Spool](t)(spool.Open(spool.Options{Path: path}))
	defer s.Close()
	c = open(t, s)
	l := must[Lane](t)(c.Lane("a"))
	if !l.Started || !l.Enabled || !l.Dialer {
		t.Errorf("lane is %+v", l)
	}
	if p := must[Provider](t)(c.Provider("bank")); string(p.Ports[0].PIN) != "4321" {
		t.Error("the PIN is lost")
	}
	if err := c.DeleteDialer(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if events := must[[]gateway.Event](t)(s.Events(0, 100)); len(events) != 5 {
		t.Errorf("%d events, want 5: created three times, started, deleted", len(events))
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADialersCampaignMayGoWhileItsRowsWait(t *testing.T) {
	s := must[*spool.Spool](t)(spool.Open(spool.Options{Path: filepath.Join(t.TempDir(), "spool.db")}))
	defer s.Close()
	c := open(t, s)
	must[Campaign](t)(c.PutCampaign(t.Context(), campaign("a")))
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	submit := func() error {
		_, err := s.Add(t.Context(), gateway.Message{Campaign: "a", To: "+59899123456", Text: "Hi", Segments: 1, Status: gateway.StatusQueued}, spool.Idempotency{})
		return err
	}
	if err := submit(); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteCampaign(t.Context(), "a"); err != nil {
		t.Errorf("its dialer sends them: %v", err)
	}
	if err := submit(); err != nil {
		t.Errorf("the dialer takes rows: %v", err)
	}
	refused(t, c.DeleteDialer(t.Context(), "a"), gateway.KindConflict, "")
	must[int](t)(s.DeleteUnprocessed(t.Context(), "a"))
	if err := c.DeleteDialer(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	refused(t, submit(), gateway.KindInvalid, "campaign")
	must[Dialer](t)(c.PutDialer(t.Context(), dialer("a")))
	if err := submit(); err != nil {
		t.Errorf("it is there again: %v", err)
	}
}

func TestAProviderStaysWhileConfirmationsWaitInItsOwnLane(t *testing.T) {
	s := must[*spool.Spool](t)(spool.Open(spool.Options{Path: filepath.Join(t.TempDir(), "spool.db")}))
	defer s.Close()
	c := open(t, s)
	must[Provider](t)(c.PutProvider(t.Context(), bank()))
	confirm := gateway.Message{Campaign: OwnLane("bank"), To: "+59899123456", Text: "Baja", Segments: 1, Status: gateway.StatusQueued}
	must[spool.Added](t)(s.Add(t.Context(), confirm, spool.Idempotency{}))
	err := c.DeleteProvider(t.Context(), "bank")
	refused(t, err, gateway.KindConflict, "")
	if !strings.Contains(err.Error(), "confirmations of opt-outs wait for provider bank") {
		t.Error(err)
	}
	must[int](t)(s.DeleteUnprocessed(t.Context(), OwnLane("bank")))
	if err := c.DeleteProvider(t.Context(), "bank"); err != nil {
		t.Error(err)
	}
	must[Provider](t)(c.PutProvider(t.Context(), bank()))
	if _, err := s.Add(t.Context(), confirm, spool.Idempotency{}); err != nil {
		t.Errorf("it is there again, and its lane takes nothing: %v", err)
	}
}
