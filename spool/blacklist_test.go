package spool

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

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

func TestImportIsAllOrNothing(t *testing.T) {
	s, _ := open(t)
	importPacked(t, s, numbers(0, 1500)...)
	ls := numbers(5000, 3000)
	broken := errors.New("the line is cut")
	n := 0
	cut := func() (Listed, error) {
		if n++; n == 2500 {
			return Listed{}, broken
		}
		return ls[n], nil
	}
	for _, sizes := range []importSizes{packedSizes, {small: 20_000, chunk: 20_000}} {
		n = 0
		if _, err := s.importBlacklist(bg, cut, nil, sizes); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	}
	ctx, cancel := context.WithCancel(bg)
	_, err := s.importBlacklist(ctx, listOf(ls...), func(int) { cancel() }, packedSizes)
	if gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("ended import: %v", err)
	}
	wantListed(t, s, number(5001), "", false, false)
	wantListed(t, s, number(1), "", true, false)
	if n := s.BlacklistSize(); n != 1500 {
		t.Errorf("size %d", n)
	}
	wantGenerations(t, s, 1)
}

// wantGenerations proves that no packed list is left over.
func wantGenerations(t testing.TB, s *Spool, want int) {
	t.Helper()
	n := 0
	must(t, s.view(func(b *bbolt.Tx) error {
		return b.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if strings.HasPrefix(string(name), string(bucketBlocks)) {
				n++
			}
			return nil
		})
	}))
	if n != want {
		t.Errorf("%d packed lists are in the file, want %d", n, want)
	}
}

// startRebuild begins a packed list and writes it, and leaves the swap to the test.
func startRebuild(t rapid.TB, s *Spool, ls []Listed) *rebuild {
	im := &blackImport{s: s, sorter: newSorter(sortDir(s.o.Path), 300), lanes: map[string]uint32{}}
	if err := im.read(bg, listOf(ls...), nil); err != nil {
		t.Fatal(err)
	}
	sorted, err := im.sorter.sorted()
	if err != nil {
		t.Fatal(err)
	}
	b := &rebuild{im: im}
	if err := s.update(bg, b.begin); err != nil {
		t.Fatal(err)
	}
	all, err := b.entries(sorted)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.write(bg, all); err != nil {
		t.Fatal(err)
	}
	if err := im.sorter.close(); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEditsDuringARebuildSurviveTheSwap(t *testing.T) {
	s, _ := open(t)
	importPacked(t, s, numbers(0, 2000)...)
	must(t, s.Unlist(bg, number(3), "", "ana")) // before: the list brings it back
	b := startRebuild(t, s, numbers(1000, 2000))
	must(t, s.Unlist(bg, number(1), "", "ana"))            // in the old list
	must(t, s.Unlist(bg, number(1500), "", "ana"))         // in both
	must(t, s.Blacklist(bg, Listed{Number: number(9000)})) // in none
	must(t, s.Blacklist(bg, Listed{Number: number(2500)})) // in the new list
	must(t, s.Unlist(bg, number(2500), "", "ana"))         // and away again
	must(t, s.Blacklist(bg, Listed{Number: number(3)}))    // unlisted before
	must(t, s.Blacklist(bg, Listed{Number: number(5), OptOut: true}))
	must(t, s.update(bg, b.swap))
	for n, want := range map[int]bool{0: true, 1: false, 3: true, 1500: false, 2500: false, 2501: true, 9000: true} {
		wantListed(t, s, number(n), "", want, false)
	}
	wantListed(t, s, number(5), "", true, true)
	must(t, s.Check(bg))
	must(t, s.tidyBlacklist(bg))
	must(t, s.Check(bg))
	wantListed(t, s, number(1500), "", false, false)
	if n := s.BlacklistSize(); n != 3000-3+1+1 {
		t.Errorf("size %d", n)
	}
	wantGenerations(t, s, 1)
}

func TestInterruptedRebuildLeavesTheOldList(t *testing.T) {
	s, _ := open(t)
	importPacked(t, s, numbers(0, 2000)...)
	startRebuild(t, s, numbers(2000, 2000))
	must(t, s.Unlist(bg, number(7), "", "ana"))
	s = reopen(t, s)
	wantGenerations(t, s, 1)
	wantListed(t, s, number(1), "", true, false)
	wantListed(t, s, number(7), "", false, false)
	wantListed(t, s, number(2001), "", false, false)
	importPacked(t, s, numbers(2000, 2000)...)
	wantListed(t, s, number(2001), "", true, false)
	wantListed(t, s, number(7), "", false, false)
	if n := s.BlacklistSize(); n != 3999 {
		t.Errorf("size %d", n)
	}
}

func TestSwapThatWasNotTidiedIsTidiedAtOpen(t *testing.T) {
	s, _ := open(t)
	importPacked(t, s, numbers(0, 200_000)...)
	b := startRebuild(t, s, numbers(200_000, 10))
	must(t, s.update(bg, b.swap))
	wantGenerations(t, s, 2)
	s = reopen(t, s)
	wantGenerations(t, s, 1)
	wantListed(t, s, number(199_999), "", true, false)
	if n := s.BlacklistSize(); n != 200_010 {
		t.Errorf("size %d", n)
	}
}

func TestImportsOfAnOverlayAreTakenIntoThePackedList(t *testing.T) {
	s, _ := open(t)
	must(t, s.Blacklist(bg, Listed{Number: number(1), Source: "ana"}))
	_, err := s.ImportBlacklist(bg, listOf(numbers(10, 100)...), nil)
	must(t, err)
	importPacked(t, s, numbers(1000, 1000)...)
	must(t, s.view(func(b *bbolt.Tx) error {
		if n := countKeys(b.Bucket(bucketListed)); n != 1 {
			t.Errorf("%d entries lie over the packed list, want the one that a person made", n)
		}
		return nil
	}))
	wantListed(t, s, number(50), "", true, false)
	got, _, err := s.ListBlacklist(string(number(1)), "", 0)
	if err != nil || len(got) != 1 || got[0].Source != "ana" {
		t.Errorf("listed %+v, %v", got, err)
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

// TestBlacklistIsASet holds the list, with its imports and what happens during
// them, against a map.
func TestBlacklistIsASet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, _ := openQuick(t)
		defer shut(t, s)
		type entry struct {
			number, campaign int
			optOut           bool
		}
		campaigns := []string{"", "a", "b"}
		model := map[entry]bool{}
		var running *rebuild
		var arriving map[entry]bool
		gen := rapid.Custom(func(r *rapid.T) entry {
			return entry{rapid.IntRange(0, 30).Draw(r, "n"), rapid.IntRange(0, 2).Draw(r, "c"), rapid.Bool().Draw(r, "o")}
		})
		many := func(r *rapid.T) ([]Listed, map[entry]bool) {
			es := rapid.SliceOfN(gen, 1, 60).Draw(r, "list")
			set := map[entry]bool{}
			var ls []Listed
			for _, e := range es {
				set[e] = true
				ls = append(ls, Listed{Number: number(e.number), Campaign: campaigns[e.campaign], OptOut: e.optOut})
			}
			return ls, set
		}
		swap := func() {
			must(t, s.update(bg, running.swap))
			running = nil
			maps.Copy(model, arriving)
		}
		r.Repeat(map[string]func(*rapid.T){
			"list": func(r *rapid.T) {
				e := gen.Draw(r, "e")
				must(t, s.Blacklist(bg, Listed{Number: number(e.number), Campaign: campaigns[e.campaign], OptOut: e.optOut}))
				model[e] = true
				delete(arriving, e)
			},
			"unlist": func(r *rapid.T) {
				e := gen.Draw(r, "e")
				away := s.Unlist
				if e.optOut {
					away = s.OptIn
				}
				if err := away(bg, number(e.number), campaigns[e.campaign], "ana"); (err == nil) != model[e] {
					r.Fatalf("unlist %+v: %v, listed %t", e, err, model[e])
				} else if err == nil {
					delete(arriving, e) // what was edited meanwhile is not brought back
				}
				delete(model, e)
			},
			"import": func(r *rapid.T) {
				if running != nil {
					return
				}
				ls, set := many(r)
				_, err := s.importBlacklist(bg, listOf(ls...), nil, importSizes{small: rapid.SampledFrom([]int{0, 1000}).Draw(r, "small"), chunk: 1000})
				must(t, err)
				maps.Copy(model, set)
			},
			"begin": func(r *rapid.T) {
				if running == nil {
					must(t, s.tidyBlacklist(bg))
					var ls []Listed
					ls, arriving = many(r)
					running = startRebuild(r, s, ls)
				}
			},
			"swap": func(r *rapid.T) {
				if running != nil {
					swap()
				}
			},
			"abort": func(r *rapid.T) {
				if running != nil {
					must(t, s.tidyBlacklist(bg))
					running, arriving = nil, nil
				}
			},
			"": func(r *rapid.T) {
				if got := s.BlacklistSize(); got != uint64(len(model)) {
					r.Fatalf("size %d, want %d", got, len(model))
				}
				n, c := rapid.IntRange(0, 30).Draw(r, "n"), rapid.IntRange(0, 2).Draw(r, "c")
				opt := model[entry{n, 0, true}] || model[entry{n, c, true}]
				want := opt || model[entry{n, 0, false}] || model[entry{n, c, false}]
				l, o, err := s.Listed(number(n), campaigns[c])
				if err != nil || l != want || o != opt {
					r.Fatalf("%d for %q: %t %t %v, want %t %t", n, campaigns[c], l, o, err, want, opt)
				}
			},
		})
		got, _, err := s.ListBlacklist("", "", 1000)
		must(t, err)
		if len(got) != len(model) {
			r.Fatalf("listed %d, want %d", len(got), len(model))
		}
	})
}

func TestHitsKeepTheNewest(t *testing.T) {
	s, c := open(t)
	const extra = 50
	for from := 0; from < maxHits+extra; from += 20_000 {
		must(t, s.update(bg, func(t *tx) error {
			for i := from; i < min(from+20_000, maxHits+extra); i++ {
				if err := t.hit(Hit{Number: number(i), Campaign: "c", IDM: uint64(i)}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	c.add(1)
	seen := 0
	for cursor := ""; ; {
		hits, next, err := s.Hits(cursor, 1000)
		must(t, err)
		for _, h := range hits {
			if want := uint64(maxHits + extra - 1 - seen); h.IDM != want {
				t.Fatalf("hit %d is of message %d, want %d", seen, h.IDM, want)
			}
			seen++
		}
		if cursor = next; next == "" {
			break
		}
	}
	if seen != maxHits {
		t.Errorf("%d hits, want %d", seen, maxHits)
	}
	if _, _, err := s.Hits("x", 0); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("cursor: %v", err)
	}
}

func TestP59BlockedRowIsAHit(t *testing.T) {
	s, c := open(t)
	must(t, s.Blacklist(bg, Listed{Number: number(1), OptOut: true}))
	idm := add(t, s, text("camp", string(number(1))))
	step(t, s, Step{Drops: []Drop{{IDM: idm, Status: gateway.StatusBlocked, Text: "on the blacklist"}}})
	hits, next, err := s.Hits("", 0)
	if err != nil || next != "" || len(hits) != 1 {
		t.Fatalf("hits %v, %q, %v", hits, next, err)
	}
	if want := (Hit{At: c.now(), Number: number(1), Campaign: "camp", IDM: idm, OptOut: true}); hits[0] != want {
		t.Errorf("hit %+v, want %+v", hits[0], want)
	}
	if m := get(t, s, idm); m.Status.Code() != gateway.CodeBlocked {
		t.Errorf("state %d", m.Status.Code())
	}
}
