package dinstar

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

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
	noAll bool   // the gateway knows no flag=all
	whole bool   // a page that is cut lacks its newer end: the next one has it
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
	if err == nil && !s.inbox.whole && page.holed(s.inbox.mark.ID) {
		page, err = s.fill(ctx, s.inbox.mark.ID, page)
	}
	if err != nil {
		s.came.err = err
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
		s.came.err = err
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
	if len(last.rows) > 0 {
		first := last.rows[0]
		return first.ID.n == mark.ID && mark.Of != "" && of(first) != mark.Of, nil
	}
	first, err := s.page(ctx, 0)
	return len(first.rows) > 0, err
}

// of tells two messages with the same id apart.
func of(m message) string { return m.Number.short() + " " + m.Time.short() }

// store hands a page to the host, and notes how far that went. again says that there
// may be more.
func (s *site) store(ctx context.Context, page listing) (again bool) {
	name, before := s.name(), s.inbox.mark
	whole := true
	for _, m := range page.rows {
		if whole = s.hand(ctx, s.part(m, identity(name, m))); !whole {
			break
		}
		s.inbox.mark.ID, s.inbox.mark.Of = m.ID.n, of(m)
	}
	again = whole && s.inbox.mark.ID != before.ID
	news := s.storeNameless(ctx, name, page)
	s.came = glance{well: whole && news >= 0, news: len(page.rows) > 0 || news > 0}
	if again || s.inbox.mark.ID != before.ID || news > 0 {
		if err := s.o.Marks.SetMark(ctx, name, s.inbox.mark); err != nil {
			s.log.Warn("it is not written down how far the inbox was read", slog.Any("error", err))
		}
	}
	return again
}

// storeNameless hands on the rows without an id that are new, and gives how many there
// were; -1 = one of them waits. The gateway tells them again each time, so those that it
// told are remembered for as long as it does.
func (s *site) storeNameless(ctx context.Context, name string, page listing) (news int) {
	known := map[string]bool{}
	for _, key := range s.inbox.mark.Nameless {
		known[key] = true
	}
	var told []string
	alike := map[string]int{}
	for _, m := range page.nameless[:min(len(page.nameless), maxNameless)] {
		key := identity(name, m)
		alike[key]++ // two messages may be alike in all that is told of them
		key = fmt.Sprintf("%s #%d", key, alike[key])
		if !known[short(key)] {
			if !s.hand(ctx, s.part(m, key)) {
				news = -1
				break
			}
			news++
		}
		told = append(told, short(key))
		delete(known, short(key))
	}
	if page.full || news < 0 || len(page.nameless) == 0 { // it may tell of the others again
		for _, key := range s.inbox.mark.Nameless {
			if known[key] {
				told = append(told, key)
			}
		}
	}
	s.inbox.mark.Nameless = told[:min(len(told), maxNameless)]
	return news
}

// hand has the host store one message.
func (s *site) hand(ctx context.Context, p modem.Part) bool {
	err := s.host.Inbound(ctx, p)
	if err != nil {
		s.log.Warn("an inbound message waits in the gateway: it cannot be stored", slog.Any("error", err))
	}
	return err == nil
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
