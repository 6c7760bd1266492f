package dinstar

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// How far back reports are asked for. Their time may be that of the send.
const (
	nearReports = 15 * time.Minute
	farReports  = 24 * time.Hour
	farEvery    = 50 // looks
)

// reports asks for delivery reports and hands on those that are new.
func (s *site) reports(ctx context.Context) bool {
	if s.away() {
		return false
	}
	a, err := s.api.post(ctx, s.o.Times.Query, "query_sms_deliver_status", s.since())
	if err != nil {
		s.came.err = err
		return false
	}
	news := false
	for _, x := range a.Results {
		key := fmt.Sprint(x.Port.n, x.IMSI, x.Number, x.Ref.n, x.StatusCode.n, x.Time)
		r, ok := s.reportOf(x)
		if !ok || s.seen.has(key) {
			continue
		}
		if err := s.host.Report(ctx, r); err != nil {
			return false // and again, until it is stored
		}
		s.seen.add(key)
		news = true
	}
	s.came = glance{well: true, news: news}
	return false
}

// since is the body of the question. Where the gateway's clock is not known, it asks
// for everything.
func (s *site) since() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.clock.known {
		return map[string]string{}
	}
	back := nearReports
	if s.seen.looks++; s.seen.looks%farEvery == 1 {
		back = farReports
	}
	return map[string]string{"time_after": s.clock.theirs(time.Now().Add(-back))}
}

// distrustClock forgets what is known of the clock of a gateway that may have started again: it
// may say 1970 now, and has no reports of after the time that it had. The next outcome tells it.
func (s *site) distrustClock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.known = false
}

// reportOf reads a row. Without its clock its time is left open, so that it is matched
// by SIM, reference and number alone.
func (s *site) reportOf(x result) (gateway.StatusReport, bool) {
	st, ok := x.StatusCode.octet()
	mr, hasMR := x.Ref.octet()
	number := x.Number.short()
	if !ok || !hasMR || !x.Port.ok || number == "" || number != x.Number.word() || x.IMSI.short() != x.IMSI.word() {
		return gateway.StatusReport{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := gateway.StatusReport{
		Channel: gateway.ChannelID(s.o.Provider, int(x.Port.n)), SIM: s.simKey(x),
		MR: mr, Recipient: gateway.Address(number), ST: st, DischargedAt: s.o.Now(),
	}
	if at, ok := s.clock.ours(x.Time); ok && plausible(at, s.o.Now()) { // its clock may have been set since
		r.SentAt, r.DischargedAt = at, at
	}
	return r, true
}

// deliveryOf is the report of a message that query_sms_result calls DELIVERED.
func (s *site) deliveryOf(x result, w *awaited, r modem.Receipt) gateway.StatusReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	x.Port = num{int64(w.port), true}
	return gateway.StatusReport{
		Channel: gateway.ChannelID(s.o.Provider, w.port), SIM: s.simKey(x),
		MR: r.MR, Recipient: w.to, SentAt: now, DischargedAt: now,
	}
}

// simKey names the SIM of a row: that of its port, or the port that has the SIM
// now. site.mu is held.
func (s *site) simKey(x result) string {
	imsi := x.IMSI.word()
	if p := s.ports[int(x.Port.n)]; p != nil && (imsi == "" || imsi == p.channel.IMSI) {
		return s.keyOf(p)
	}
	for _, p := range s.ports {
		if imsi != "" && p.channel.IMSI == imsi {
			return s.keyOf(p)
		}
	}
	c := gateway.Channel{ID: gateway.ChannelID(s.o.Provider, int(x.Port.n)), IMSI: imsi}
	return c.SIMKey()
}

func (s *site) keyOf(p *port) string {
	c := p.channel
	c.ID = gateway.ChannelID(s.o.Provider, c.Port)
	return c.SIMKey()
}

// maxRecent bounds what is remembered of reports.
const maxRecent = 8192

// recent remembers the newest keys: at least maxRecent, at most twice that.
type recent struct {
	looks    int
	now, old map[string]struct{}
}

func (r *recent) has(key string) bool {
	_, now := r.now[key]
	_, old := r.old[key]
	return now || old
}

func (r *recent) add(key string) {
	if r.now == nil || len(r.now) >= maxRecent {
		r.now, r.old = map[string]struct{}{}, r.now
	}
	r.now[key] = struct{}{}
}
