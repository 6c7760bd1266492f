package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/sims"
	"fieldpost/spool"
)

type fakeStore struct{ counters map[string]gateway.Counters }

func (fakeStore) Stats() spool.Stats { return spool.Stats{BytesWritten: 4096, Syncs: 6, Commits: 3} }

func (f fakeStore) AllCounters() (map[string]gateway.Counters, error) { return f.counters, nil }

func (fakeStore) BlacklistSize() uint64 { return 7 }

func (fakeStore) Tail() (uint64, <-chan struct{}) { return 41, nil }

type fakeBank []gateway.Channel

func (b fakeBank) Channels() []gateway.Channel { return b }

type fakeSIMs []sims.Card

func (f fakeSIMs) Cards() []sims.Card { return f }

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func open(t *testing.T, bank fakeBank) *Metrics {
	t.Helper()
	a := gateway.Counters{Uploaded: 5, Deleted: 1}
	a.ByStatus[gateway.StatusQueued], a.ByStatus[gateway.StatusSent] = 3, 1
	b := gateway.Counters{Uploaded: 2}
	b.ByStatus[gateway.StatusHeld], b.ByStatus[gateway.StatusUnknown] = 1, 1
	left := uint32(170)
	cards := fakeSIMs{
		{ID: "8959001", Channel: "modems/0", Hold: &sims.Hold{Why: "lent"}, Health: sims.Health{Known: true, Score: 60},
			Balance: sims.Balance{Answer: &sims.Answer{Read: true, Amount: -2.5}}, Left: sims.Left{Segments: &left}},
		{ID: "8959002", Channel: "modems/1", Balance: sims.Balance{Answer: &sims.Answer{Text: "no service"}}},
		{ID: "8959003", Balance: sims.Balance{Answer: &sims.Answer{Read: true, Amount: 9}}},
	}
	m, err := New(Options{
		Store: fakeStore{map[string]gateway.Counters{"alerts": a, "bulk": b}}, Channels: bank, Devices: bank, SIMs: cards,
		Classes: []string{"send", "read", "other"}, Intake: []string{"send"}, Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wants(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
}

func TestAScrapeShowsTheSpoolAndTheChannels(t *testing.T) {
	m := open(t, fakeBank{
		{ID: "modems/0", State: gateway.ChannelReady, Signal: 21, Operator: "Telenor", Registration: gateway.RegHome,
			Stored: 3, Storage: 20, ClockAt: time.Unix(1, 0), Ahead: 90 * time.Second},
		{ID: "modems/1", State: gateway.ChannelAbsent, Signal: gateway.SignalUnknown},
	})
	got := scrape(t, m)
	wants(t, got,
		`fieldpost_messages{status="queued"} 3`, `fieldpost_messages{status="unknown"} 1`, `fieldpost_messages{status="failed"} 0`,
		`fieldpost_backlog 4`, `fieldpost_uploaded_total 7`, `fieldpost_deleted_total 1`,
		`fieldpost_store_bytes_written_total 4096`, `fieldpost_store_fsync_total 6`, `fieldpost_blacklist_entries 7`,
		`fieldpost_channels{state="ready"} 1`, `fieldpost_channels{state="absent"} 1`, `fieldpost_channels{state="fault"} 0`,
		`fieldpost_channel_ready{channel="modems/0"} 1`, `fieldpost_channel_signal_dbm{channel="modems/0"} -71`,
		`fieldpost_channel_memory_messages{channel="modems/0"} 3`, `fieldpost_channel_memory_places{channel="modems/0"} 20`,
		`fieldpost_channel_clock_ahead_seconds{channel="modems/0"} 90`,
		`fieldpost_build_info{version="1.2.3"} 1`)
	if strings.Contains(got, "alerts") || strings.Contains(got, `signal_dbm{channel="modems/1"}`) {
		t.Error("a campaign is a label, or a signal that nobody knows is shown")
	}
}

func TestCardsAreShownByTheirChannel(t *testing.T) {
	got := scrape(t, open(t, nil))
	wants(t, got, `fieldpost_sim_held{channel="modems/0"} 1`, `fieldpost_sim_held{channel="modems/1"} 0`, `fieldpost_sim_health{channel="modems/0"} 60`,
		`fieldpost_sim_balance{channel="modems/0"} -2.5`, `fieldpost_sim_quota_left{channel="modems/0"} 170`)
	for _, part := range []string{"8959", `sim_balance{channel="modems/1"}`, `sim_health{channel="modems/1"}`, "sim_recipients_left{", "lent"} {
		if strings.Contains(got, part) {
			t.Errorf("it shows %q", part)
		}
	}
}

// An operator's name that is no UTF-8 must not end the process.
func TestALabelOfADeviceIsMadeValidUTF8(t *testing.T) {
	m := open(t, fakeBank{{ID: "modems/0", State: gateway.ChannelReady, Operator: "T\xe9l\xe9com", Model: strings.Repeat("x", 500)}})
	wants(t, scrape(t, m), `fieldpost_channel_info{channel="modems/0",model="`+strings.Repeat("x", maxLabel)+`",operator="T?l?com",registration="idle"} 1`)
}

// Two channels that look alike would make every scrape fail.
func TestChannelsOfTheLongestNameStayApart(t *testing.T) {
	long := strings.Repeat("p", gateway.MaxName)
	m := open(t, fakeBank{{ID: gateway.ChannelID(long, 30)}, {ID: gateway.ChannelID(long, 31)}})
	wants(t, scrape(t, m), `fieldpost_channel_ready{channel="`+long+`/30"} 0`, `fieldpost_channel_ready{channel="`+long+`/31"} 0`)
}

func TestRequestsAreCountedByClosedClasses(t *testing.T) {
	m := open(t, nil)
	m.Observe("send", 200, 3*time.Millisecond)
	m.Observe("send", 429, time.Millisecond)
	m.Observe("read", 200, time.Millisecond)
	m.Observe("/made/up/by/a/caller", 404, time.Millisecond)
	m.Outcome(gateway.StatusFailed, gateway.KindRefused)
	m.Outcome(gateway.NumStatus, gateway.KindRefused)
	got := scrape(t, m)
	wants(t, got,
		`fieldpost_http_requests_total{class="send",code="2xx"} 1`, `fieldpost_http_requests_total{class="send",code="4xx"} 1`,
		`fieldpost_http_requests_total{class="other",code="4xx"} 1`, `fieldpost_http_request_seconds_count{class="read"} 1`,
		`fieldpost_intake_seconds_count 1`, `fieldpost_outcomes_total{kind="refused",status="failed"} 1`)
	if strings.Contains(got, "/made/up") {
		t.Error("a caller makes labels")
	}
}

func TestTwoRegistriesDoNotMeet(t *testing.T) {
	a, b := prometheus.NewRegistry(), prometheus.NewRegistry()
	for _, r := range []*prometheus.Registry{a, b} {
		if _, err := New(Options{Registry: r, Store: fakeStore{}, Channels: fakeBank{}, SIMs: fakeSIMs{}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := New(Options{Registry: a, Store: fakeStore{}, Channels: fakeBank{}, SIMs: fakeSIMs{}}); err == nil {
		t.Error("one registry was used twice")
	}
}
