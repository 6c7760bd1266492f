package dinstar

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"strconv"

	"fieldpost/gateway"
)

// fullAnswer is from how many bytes on an answer may have been cut: many a gateway has
// room for 8 KB of its inbox, and some firmware for less.
const fullAnswer = 4 << 10

// maxDrain bounds how many pages of unread messages are asked for in a row.
const maxDrain = 64

// allPorts asks for the messages of each port.
const allPorts = -1

// listing is a page of the inbox.
type listing struct {
	rows     []message // with an id after the mark, in order
	nameless []message // without one
	full     bool      // there may be more that it does not show
}

// page gives what is in the inbox after an id. It asks with flag=all: unread would
// mark it as read, and an answer that is lost would lose it.
func (s *site) page(ctx context.Context, after int64) (listing, error) {
	flag := "all"
	if s.inbox.noAll {
		flag = "read"
		if _, err := s.drain(ctx, after); err != nil {
			return listing{}, err
		}
	}
	got, err := s.list(ctx, flag, after, allPorts)
	if gateway.KindOf(err) == gateway.KindInvalid && !s.inbox.noAll {
		s.log.Info("the gateway's inbox knows no flag=all: what is unread is marked as read, and then read")
		s.inbox.noAll = true
		return s.page(ctx, after)
	}
	return got, err
}

// list asks for one page.
func (s *site) list(ctx context.Context, flag string, after int64, port int) (listing, error) {
	q := url.Values{"flag": {flag}, "incoming_sms_id": {strconv.FormatInt(after, 10)}}
	if port != allPorts {
		q.Set("port", strconv.Itoa(port))
	}
	a, err := s.api.get(ctx, "query_incoming_sms", q)
	if err != nil {
		return listing{}, err
	}
	s.learn(a)
	got := listing{full: a.size >= fullAnswer}
	for _, m := range a.SMS {
		switch {
		case !m.ID.ok || m.ID.n <= 0 || m.ID.n > math.MaxInt32: // no id that a gateway gives
			got.nameless = append(got.nameless, m)
		case m.ID.n > after:
			got.rows = append(got.rows, m)
		}
	}
	slices.SortFunc(got.rows, func(x, y message) int { return cmp.Compare(x.ID.n, y.ID.n) })
	return got, nil
}

// drain marks everything that is unread as read, and gives it. What an answer that is
// lost was about is read by then, and can still be asked for as such.
func (s *site) drain(ctx context.Context, after int64) (rows []message, err error) {
	for range maxDrain {
		got, err := s.list(ctx, "unread", after, allPorts)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, got.rows...); len(got.rows) == 0 {
			break
		}
	}
	return rows, nil
}

// holed says that older messages after the mark may be missing: some firmware fills its
// page with the newest ones.
func (l listing) holed(mark int64) bool {
	return l.full && len(l.rows) > 0 && l.rows[0].ID.n > mark+1
}

// fill makes sure that a page lacks no older messages. Where there are newer ones that it
// does not show, asked again, it is its newer end that is cut, and nothing is missing.
func (s *site) fill(ctx context.Context, mark int64, page listing) (listing, error) {
	newer, err := s.page(ctx, page.top())
	if err != nil {
		return listing{}, err
	}
	if len(newer.rows) > 0 {
		top := page.top()
		if page, err = s.page(ctx, mark); err != nil {
			return listing{}, err
		}
		if s.inbox.whole = len(page.rows) > 0 && page.top() == top; s.inbox.whole || !page.holed(mark) {
			return page, nil
		}
	}
	page.rows, err = s.refill(ctx, mark, page.rows)
	return page, err
}

// top is the id of the newest row; there is one.
func (l listing) top() int64 { return l.rows[len(l.rows)-1].ID.n }

// refill brings what a page had no room for: port by port, and what is still missing
// as unread. Ids that are nowhere were skipped, or deleted in the gateway.
func (s *site) refill(ctx context.Context, mark int64, page []message) ([]message, error) {
	have := map[int64]message{}
	keep := func(rows []message) {
		for _, m := range rows {
			have[m.ID.n] = m
		}
	}
	keep(page)
	for _, port := range s.known() {
		flag := "all"
		if s.inbox.noAll {
			flag = "read"
		}
		got, err := s.list(ctx, flag, mark, port)
		if err != nil && !noSuch(err) {
			return nil, err
		}
		keep(got.rows)
	}
	if top := page[len(page)-1].ID.n; int64(len(have)) < top-mark {
		rows, err := s.drain(ctx, mark)
		if err != nil {
			return nil, err
		}
		keep(rows)
	}
	all := make([]message, 0, len(have))
	for _, m := range have {
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y message) int { return cmp.Compare(x.ID.n, y.ID.n) })
	s.log.Debug("the inbox had more than a page shows", slog.Int("page", len(page)), slog.Int("all", len(all)))
	return all, nil
}
