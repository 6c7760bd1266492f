package dinstar

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// verifyEvery is how many looks at an inbox pass before its mark is looked at: the ids
// may have started again.
const verifyEvery = 12

// inbox is how far the gateway's inbox was read. The keeper owns it.
type inbox struct {
	name  string // the gateway's, which the mark belongs to
	mark  Mark   // the newest that is stored
	doubt bool   // the ids may have started again
	looks int    // since that was made sure
}

// fetch brings one page of what came in. again says that there may be more.
func (s *site) fetch(ctx context.Context) (again bool) {
	if s.away() {
		return false
	}
	if !s.openInbox(ctx) {
		return false
	}
	if s.inbox.looks++; s.inbox.doubt || s.inbox.looks > verifyEvery {
		if !s.verify(ctx) {
			return false
		}
	}
	page, err := s.page(ctx, s.inbox.mark.ID)
	if err != nil { // the look at the ports says why
		return false
	}
	return s.store(ctx, page)
}

// openInbox reads the mark of the gateway that is there.
func (s *site) openInbox(ctx context.Context) bool {
	name := s.name()
	if s.inbox.name == name {
		return true
	}
	mark, err := s.o.Marks.Mark(ctx, name)
	if err != nil {
		s.log.Warn("it is not known how far the inbox was read", slog.Any("error", err))
		return false
	}
	s.inbox = inbox{name: name, mark: mark, doubt: true}
	return true
}

// verify makes sure that the mark still stands. What is then read again is known to
// the host.
func (s *site) verify(ctx context.Context) bool {
	again, err := s.restarted(ctx)
	if err != nil {
		return false
	}
	if again {
		s.log.Info("the ids of the inbox started again: it is read from the beginning")
		s.inbox.mark = Mark{}
	}
	s.inbox.doubt, s.inbox.looks = false, 0
	return true
}

// restarted says that the ids started again: another message has the mark's, or there
// are messages and none from the mark on.
func (s *site) restarted(ctx context.Context) (bool, error) {
	mark := s.inbox.mark
	if mark.ID == 0 {
		return false, nil
	}
	last, err := s.page(ctx, mark.ID-1)
	if err != nil {
		return false, err
	}
	if len(last) > 0 {
		return last[0].ID.n == mark.ID && mark.Of != "" && markOf(last[0]).Of != mark.Of, nil
	}
	first, err := s.page(ctx, 0)
	return len(first) > 0, err
}

func markOf(m message) Mark {
	return Mark{ID: m.ID.n, Of: m.Number.word() + " " + m.Time.word()}
}

// page gives what is in the inbox after an id, in order. flag=all: unread would mark
// it as read, and an answer that is lost would lose it.
func (s *site) page(ctx context.Context, after int64) ([]message, error) {
	a, err := s.api.get(ctx, "query_incoming_sms", url.Values{
		"flag": {"all"}, "incoming_sms_id": {strconv.FormatInt(after, 10)},
	})
	if err != nil {
		return nil, err
	}
	s.learn(a)
	page := slices.DeleteFunc(a.SMS, func(m message) bool { return !m.ID.ok || m.ID.n <= after })
	if lost := len(a.SMS) - len(page); lost > 0 {
		s.log.Debug("rows of the inbox have no id after the mark", slog.Int("rows", lost))
	}
	slices.SortFunc(page, func(x, y message) int { return cmp.Compare(x.ID.n, y.ID.n) })
	return page, nil
}

// store hands a page to the host, and notes how far that went.
func (s *site) store(ctx context.Context, page []message) bool {
	name, before := s.name(), s.inbox.mark
	whole := true
	for _, m := range page {
		if err := s.host.Inbound(ctx, s.part(name, m)); err != nil {
			s.log.Warn("an inbound message waits in the gateway: it cannot be stored", slog.Any("error", err))
			whole = false
			break
		}
		s.inbox.mark = markOf(m)
	}
	if s.inbox.mark == before {
		return false
	}
	if err := s.o.Marks.SetMark(ctx, name, s.inbox.mark); err != nil {
		s.log.Warn("it is not written down how far the inbox was read", slog.Any("error", err))
	}
	return whole
}

// part is a row of the inbox as the host takes it. The gateway joined it already. Raw
// names it, as a TPDU does elsewhere: the same row again is the same message.
func (s *site) part(name string, m message) modem.Part {
	p := modem.Part{
		Port: int(m.Port.n), IMSI: m.IMSI.word(), From: m.Number.word(), SMSC: m.SMSC.word(), Text: string(m.Text),
		Raw: fmt.Sprintf("dinstar %s %d %s", name, m.ID.n, m.Time.word()),
	}
	if at, ok := stamp(m.Time, s.o.Zone); ok {
		p.SentAt = at
	}
	if c, ok := s.channel(p.Port); ok && (p.IMSI == "" || p.IMSI == c.IMSI) {
		p.ICCID, p.IMSI = c.ICCID, c.IMSI
	}
	if m.Port.n < 0 || m.Port.n > gateway.MaxPort {
		p.Port, p.Undecoded = 0, "the gateway names no port for it"
	}
	return p
}

// forgetful is a Marks that lives as long as its driver.
type forgetful struct {
	mu    sync.Mutex
	marks map[string]Mark
}

// Mark gives what was noted.
func (f *forgetful) Mark(_ context.Context, gateway string) (Mark, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.marks[gateway], nil
}

// SetMark notes it.
func (f *forgetful) SetMark(_ context.Context, gateway string, m Mark) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.marks == nil {
		f.marks = map[string]Mark{}
	}
	f.marks[gateway] = m
	return nil
}
