package spool

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

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
