package spool

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway"
)

var bg = context.Background()

// openQuick is open without the syncs, for properties that make many files.
func openQuick(t testing.TB) (*Spool, *clock) {
	t.Helper()
	s, c := open(t)
	s.db.NoSync = true
	return s, c
}

func number(n int) gateway.Address { return gateway.Unpack(59899000000 + uint64(n)) }

// listOf gives entries one by one, as an import reads them.
func listOf(ls ...Listed) func() (Listed, error) {
	return func() (Listed, error) {
		if len(ls) == 0 {
			return Listed{}, io.EOF
		}
		l := ls[0]
		ls = ls[1:]
		return l, nil
	}
}

func numbers(from, n int) []Listed {
	var ls []Listed
	for i := range n {
		ls = append(ls, Listed{Number: number(from + i), Source: "list.csv"})
	}
	return ls
}

// packed makes every import a packed list, sorted in small runs.
var packedSizes = importSizes{small: 0, chunk: 300}

func importPacked(t testing.TB, s *Spool, ls ...Listed) {
	t.Helper()
	if n, err := s.importBlacklist(bg, listOf(ls...), nil, packedSizes); err != nil || n != len(ls) {
		t.Fatalf("imported %d, %v", n, err)
	}
}

func wantListed(t testing.TB, s *Spool, to gateway.Address, campaign string, listed, optOut bool) {
	t.Helper()
	l, o, err := s.Listed(to, campaign)
	if err != nil || l != listed || o != optOut {
		t.Errorf("%s for %q: listed %t, opted out %t, %v; want %t, %t", to, campaign, l, o, err, listed, optOut)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestP57ListedForOneCampaignOrForAll(t *testing.T) {
	s, _ := open(t)
	must(t, s.Blacklist(bg, Listed{Number: number(1), Campaign: "test1", Source: "ana"}))
	must(t, s.Blacklist(bg, Listed{Number: number(2), Source: "ana"}))
	must(t, s.Blacklist(bg, Listed{Number: "2020", Source: "ana"}))
	wantListed(t, s, number(1), "test1", true, false)
	wantListed(t, s, number(1), "test2", false, false)
	wantListed(t, s, number(1), "", false, false)
	wantListed(t, s, number(2), "test1", true, false)
	wantListed(t, s, number(2), "never seen", true, false)
	wantListed(t, s, "2020", "test1", true, false)
	wantListed(t, s, "202", "test1", false, false)
	wantListed(t, s, "BANK", "test1", false, false)
	if n := s.BlacklistSize(); n != 3 {
		t.Errorf("size %d", n)
	}
	must(t, s.Blacklist(bg, Listed{Number: number(2), Source: "eva"})) // again: who listed it changes
	got, _, err := s.ListBlacklist(string(number(2)), "", 0)
	if err != nil || len(got) != 1 || got[0].Source != "eva" || got[0].At.IsZero() {
		t.Errorf("listed %+v, %v", got, err)
	}
	ev, err := s.Events(0, 10)
	if err != nil || len(ev) != 3 || ev[0].Kind != gateway.EventBlacklist || !strings.Contains(string(ev[0].Body), `"campaign":"test1"`) {
		t.Errorf("events %v, %v", ev, err)
	}
}

func TestP144ImportListsForItsCampaign(t *testing.T) {
	for name, sizes := range map[string]importSizes{"overlay": {small: 100, chunk: 100}, "packed": packedSizes} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t)
			var told []int
			n, err := s.importBlacklist(bg, listOf(
				Listed{Number: number(1), Campaign: "test1"}, Listed{Number: number(2)}, Listed{Number: number(2)},
			), func(n int) { told = append(told, n) }, sizes)
			if err != nil || n != 3 || !slices.Equal(told, []int{3}) {
				t.Fatalf("imported %d, %v, told %v", n, err, told)
			}
			wantListed(t, s, number(1), "test1", true, false)
			wantListed(t, s, number(1), "test2", false, false)
			wantListed(t, s, number(2), "test2", true, false)
			if n := s.BlacklistSize(); n != 2 {
				t.Errorf("size %d", n)
			}
			s = reopen(t, s)
			wantListed(t, s, number(1), "test1", true, false)
		})
	}
}

func TestOptOutOutlivesEverythingButOptIn(t *testing.T) {
	s, _ := open(t)
	must(t, s.Blacklist(bg, Listed{Number: number(1), OptOut: true, Source: "STOP"}))
	must(t, s.Blacklist(bg, Listed{Number: number(1), Source: "ana"}))
	must(t, s.Unlist(bg, number(1), "", "ana"))
	wantListed(t, s, number(1), "any", true, true)
	if err := s.Unlist(bg, number(1), "", "ana"); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("an opt-out was unlisted: %v", err)
	}
	importPacked(t, s, numbers(1, 1000)...)
	must(t, s.Unlist(bg, number(1), "", "ana"))
	importPacked(t, s, numbers(500, 1000)...)
	wantListed(t, s, number(1), "any", true, true)
	got, _, err := s.ListBlacklist(string(number(1)), "", 0)
	if err != nil || len(got) != 1 || !got[0].OptOut || got[0].Source != "STOP" {
		t.Errorf("listed %+v, %v", got, err)
	}
	must(t, s.OptIn(bg, number(1), "", "bea"))
	wantListed(t, s, number(1), "any", false, false)
	wantLastBlack(t, s, gateway.BlacklistEvent{Number: string(number(1)), OptOut: true, Source: "bea"})
	if err := s.OptIn(bg, number(1), "", "ana"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("opted in twice: %v", err)
	}
	if err := s.Unlist(bg, number(1), "", "ana"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("unlisted twice: %v", err)
	}
}

// wantLastBlack holds the newest event against what was done to the blacklist.
func wantLastBlack(t *testing.T, s *Spool, want gateway.BlacklistEvent) {
	t.Helper()
	last, _ := s.Tail()
	events, err := s.Events(last-1, 1)
	if err != nil || len(events) != 1 || events[0].Kind != gateway.EventBlacklist {
		t.Fatalf("the last event is %+v, %v", events, err)
	}
	var got gateway.BlacklistEvent
	must(t, json.Unmarshal(events[0].Body, &got))
	if got != want {
		t.Errorf("told %+v, want %+v", got, want)
	}
}

func TestBadEntriesAreRefused(t *testing.T) {
	s, _ := open(t)
	for _, l := range []Listed{{Number: "BANK"}, {Number: "099123456"}, {Number: number(1), Source: strings.Repeat("x", 256)}} {
		if err := s.Blacklist(bg, l); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%+v: %v", l, err)
		}
		if _, err := s.ImportBlacklist(bg, listOf(Listed{Number: number(7)}, l), nil); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%+v: %v", l, err)
		}
	}
	if err := s.Unlist(bg, "BANK", "", "ana"); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("unlist: %v", err)
	}
	if s.BlacklistSize() != 0 {
		t.Error("a refused list left entries")
	}
}

func TestListBlacklistPagesByPrefix(t *testing.T) {
	s, _ := open(t)
	ls := numbers(0, 700)
	ls = append(ls, Listed{Number: "+34600111222"}, Listed{Number: "+5491122334455"}, Listed{Number: "598"}, Listed{Number: "0598"}, Listed{Number: number(5), Campaign: "c"})
	importPacked(t, s, ls...)
	must(t, s.Unlist(bg, number(6), "", "ana"))
	must(t, s.Blacklist(bg, Listed{Number: number(700), OptOut: true, Source: "STOP"}))
	all := func(prefix string, limit int) []Listed {
		var out []Listed
		for cursor := ""; ; {
			page, next, err := s.ListBlacklist(prefix, cursor, limit)
			must(t, err)
			out = append(out, page...)
			if next == "" {
				return out
			}
			if len(page) != limit {
				t.Fatalf("a page of %d", len(page))
			}
			cursor = next
		}
	}
	for _, c := range []struct {
		prefix string
		want   int
	}{{"", 705}, {"598", 702}, {"+598", 701}, {"+", 703}, {"05", 1}, {"+34", 1}, {"59899000005", 2}, {"+7", 0}} {
		for _, limit := range []int{1, 7, 701, 1000} {
			if limit == 1 && c.want > 10 {
				continue
			}
			if got := all(c.prefix, limit); len(got) != c.want {
				t.Errorf("%q in pages of %d: %d entries, want %d", c.prefix, limit, len(got), c.want)
			}
		}
	}
	got := all("59899000005", 1)
	if got[0].Campaign != "" || got[1].Campaign != "c" || got[0].Source != importedSource {
		t.Errorf("listed %+v", got)
	}
	for _, bad := range []string{"+59a", "1234567890123456", "5 9"} {
		if _, _, err := s.ListBlacklist(bad, "", 0); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("prefix %q: %v", bad, err)
		}
	}
	if _, _, err := s.ListBlacklist("", "zz", 0); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("cursor: %v", err)
	}
	if _, _, err := s.ListBlacklist("", "", 1001); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("limit: %v", err)
	}
}
