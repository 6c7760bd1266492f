package dinstar

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// maxAsked is how many user ids one question may name.
const maxAsked = 32

// awaited is a message whose outcome is open. What is not set once is under site.mu.
type awaited struct {
	userID   uint32
	port     int
	to       gateway.Address
	report   bool
	segments int
	began    time.Time // when it was to be handed over, by our clock
	told     chan told // takes one

	posted time.Time // when send_sms returned: it may be asked for; zero = it has not
	done   bool      // its outcome was told
	doubt  error     // why it is not sure that the gateway has it; nil = it said so
	task   num       // of the gateway
	due    time.Time // not asked before
	seen   time.Time // when it was last found open; zero = it was not asked for
	absent time.Time // since when the gateway, asked, does not know it; zero = it does
}

// told is the gateway's word on a message.
type told struct {
	fate fate
	row  result
	err  error
}

// unknown says that a message is in doubt, and why.
func (w *awaited) unknown(why string) error {
	e := &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: why}
	if w.doubt != nil {
		e.Text, e.Err = why+"; "+w.doubt.Error(), w.doubt
	}
	return e
}

// open says that it is to be asked for. site.mu is held.
func (w *awaited) open() bool { return !w.posted.IsZero() && !w.done }

// tell ends the wait for its outcome. site.mu is held.
func (w *awaited) tell(v told) {
	w.done = true
	w.told <- v
}

// begin takes a port for one message.
func (s *site) begin(n int, m modem.Submission) (*awaited, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[n]
	switch {
	case p == nil:
		return nil, gateway.Errorf(gateway.KindUnavailable, "the gateway has no port %d", n)
	case p.channel.State != gateway.ChannelReady:
		return nil, gateway.Errorf(gateway.KindUnavailable, "port %d is %s: %s", n, p.channel.State, p.channel.Reason)
	case p.sending || s.open[m.UserID] != nil:
		return nil, gateway.Errorf(gateway.KindInternal, "two sends at a time on port %d", n)
	}
	p.sending = true
	w := &awaited{
		userID: m.UserID, port: n, to: m.To, report: m.Report || s.o.Report, segments: max(1, m.Segments),
		began: time.Now(), told: make(chan told, 1),
	}
	s.open[m.UserID] = w
	return w, nil
}

// finish gives the port back.
func (s *site) finish(w *awaited) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, w.userID)
	s.ports[w.port].sending = false
}

// await has the keeper ask for a message: after as long as the port usually takes.
func (s *site) await(w *awaited, task num, doubt error) {
	s.mu.Lock()
	w.posted, w.task, w.doubt = time.Now(), task, doubt
	w.due = w.posted
	if doubt == nil {
		w.due = w.posted.Add(s.ports[w.port].pace.first(w.segments))
	}
	s.mu.Unlock()
	s.nudge()
}

// outcomesDue says when outcomes are to be asked for, if any is awaited.
func (s *site) outcomesDue() (due time.Time, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.open {
		if w.open() && (!some || w.due.Before(due)) {
			due, some = w.due, true
		}
	}
	if soonest := s.asked.Add(s.gap); due.Before(soonest) {
		due = soonest
	}
	return due, some
}

// outcomes asks for every message that is open, and tells who waits.
func (s *site) outcomes(ctx context.Context) {
	ids := s.posted()
	for some := range slices.Chunk(ids, maxAsked) {
		rows, took, err := s.rowsOf(ctx, some)
		s.asked = time.Now()
		// Half of the gateway's time is left to everything else.
		s.gap = max(s.o.Every.Result, took)
		if err != nil {
			if ctx.Err() == nil {
				s.gap = s.o.Every.Retry
				s.log.Debug("outcomes cannot be asked for", slog.Any("error", err))
			}
			return
		}
		s.judge(some, rows)
	}
}

// rowsOf asks for some messages, and one by one where the gateway refuses them all for the sake
// of one that it does not know. took is the gateway's time for a question.
func (s *site) rowsOf(ctx context.Context, ids []uint32) (rows []result, took time.Duration, err error) {
	a, err := s.ask(ctx, ids)
	switch {
	case !noSuch(err):
		return a.Results, a.took, err
	case len(ids) == 1:
		return nil, a.took, nil // it knows none
	}
	for _, id := range ids {
		one, t, err := s.rowsOf(ctx, []uint32{id})
		if err != nil {
			return nil, t, err
		}
		rows, took = append(rows, one...), max(took, t)
	}
	return rows, took, nil
}

// posted gives the messages that may be asked for.
func (s *site) posted() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []uint32
	for id, w := range s.open {
		if w.open() {
			ids = append(ids, id)
		}
	}
	return ids
}

// ask asks query_sms_result.
func (s *site) ask(ctx context.Context, ids []uint32) (answer, error) {
	body := struct {
		UserIDs []uint32 `json:"user_id"`
	}{ids}
	a, err := s.api.post(ctx, s.o.Times.Query, "query_sms_result", body)
	if err == nil {
		s.learn(a)
	}
	return a, err
}

// judge gives each awaited message its row.
func (s *site) judge(ids []uint32, rows []result) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		w := s.open[id]
		if w == nil || w.done {
			continue
		}
		p := s.ports[w.port]
		w.due = now.Add(p.pace.next(w.segments, now.Sub(w.posted), s.gap, s.o.Every.Retry))
		row, found := w.pick(rows)
		if !found {
			s.miss(w, now)
			continue
		}
		w.absent = time.Time{}
		if f, done, err := verdictOf(row); done {
			s.clock.learn(row.Time, w.began)
			p.pace.learn(w.segments, w.openFor(), now.Sub(w.posted))
			w.tell(told{fate: f, row: row, err: err})
		}
		w.seen = now
	}
}

// openFor says how long after it was handed over a message was last found open.
func (w *awaited) openFor() time.Duration {
	if w.seen.IsZero() {
		return 0
	}
	return w.seen.Sub(w.posted)
}

// miss notes that the gateway does not know a message. That is normal for a moment,
// and never proves that it did not go out.
func (s *site) miss(w *awaited, now time.Time) {
	switch {
	case w.absent.IsZero():
		w.absent = now
	case now.Sub(w.absent) >= s.o.Times.Doubt:
		w.tell(told{err: w.unknown("the gateway does not know the message")})
	}
}

// pick gives the message's row. An id is compared with its number and port: another
// program may have used it too.
func (w *awaited) pick(rows []result) (newest result, found bool) {
	for _, x := range rows {
		if !x.UserID.ok || x.UserID.n != int64(w.userID) || x.Port.ok && x.Port.n != int64(w.port) {
			continue
		}
		if w.to != "" && x.Number.word() != "" && !modem.SameNumber(string(w.to), x.Number.word()) {
			continue
		}
		if !found || x.Time.word() > newest.Time.word() {
			newest, found = x, true
		}
	}
	return newest, found
}
