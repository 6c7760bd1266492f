package dinstar

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A request that this firmware never answers is asked again and again. What is awaited on
// the air, and each send_sms, goes by the same line.
func TestALookThatHangsLeavesTheGatewayToTheSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := New(Options{Provider: "rack", URL: "http://192.0.2.20"})
		must(t, err)
		s := newSite(d, nil)
		defer s.end()
		const limit = 10 * time.Second
		var busy time.Duration
		hang := func(context.Context) bool {
			<-time.After(limit)
			busy += limit
			return false
		}
		for _, c := range s.chores[1:] {
			c.do = hang
		}
		s.chores[0].do = func(context.Context) bool { return false }
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		s.keep(ctx)
		if share := float64(busy) / float64(30*time.Minute); share > 0.75 {
			t.Errorf("looks that are never answered have %.0f %% of the gateway's time", 100*share)
		}
	})
}

func TestAGatewayThatServesAndGivesNoInboxIsToldOfOnce(t *testing.T) {
	var log bytes.Buffer
	d, err := New(Options{Provider: "rack", URL: "http://192.0.2.20", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	must(t, err)
	s := newSite(d, nil)
	defer s.end()
	c := s.chores[1]
	look := func(times int, g glance) {
		for range times {
			c.do = func(context.Context) bool { s.came = g; return false }
			s.perform(t.Context(), c, time.Now())
		}
	}
	const lines = "does not give this"
	look(tellFailed-1, glance{err: errors.New("404")})
	if strings.Contains(log.String(), lines) {
		t.Errorf("one lost answer is told of: %s", &log)
	}
	look(10, glance{err: errors.New("404")})
	look(2, glance{well: true})
	if got := log.String(); strings.Count(got, lines) != 1 || strings.Count(got, "gives it again") != 1 || !strings.Contains(got, "what=inbox") {
		t.Errorf("the log says %s", got)
	}
}
