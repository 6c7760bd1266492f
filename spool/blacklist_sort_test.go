package spool

import (
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func genListing() *rapid.Generator[listing] {
	return rapid.Custom(func(t *rapid.T) listing {
		return listing{
			number: rapid.OneOf(rapid.Uint64Range(1, 40), rapid.Uint64()).Draw(t, "number"),
			scope:  rapid.OneOf(rapid.Uint32Range(0, 3), rapid.Uint32()).Draw(t, "scope"),
		}
	})
}

// sortedSet gives entries in order, each once.
func sortedSet(ls []listing) []listing {
	ls = slices.Clone(ls)
	slices.SortFunc(ls, listing.compare)
	return slices.Compact(ls)
}

func drain(t rapid.TB, s stream) []listing {
	var out []listing
	for {
		l, ok, err := s()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, l)
	}
}

func TestBlockGivesBackItsEntries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sortedSet(rapid.SliceOfN(genListing(), 1, 600).Draw(t, "entries"))
		if rapid.Bool().Draw(t, "uniform") {
			for i := range want {
				want[i].scope = 6
			}
			want = sortedSet(want)
		}
		scan, err := scanBlock(appendBlock(nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if got := drain(t, scan.next); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestDamagedBlockIsAnErrorAndNoPanic(t *testing.T) {
	for _, b := range [][]byte{nil, {9}, {blockUniform}, {blockUniform, 0, 0x80}, {blockMixed, 1}, {blockMixed, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1}} {
		scan, err := scanBlock(b)
		for err == nil {
			var ok bool
			if _, ok, err = scan.next(); !ok && err == nil {
				t.Errorf("block %x was read", b)
				break
			}
		}
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(appendBlock(nil, []listing{{1, 0}, {2, 0}}))
	f.Add(appendBlock(nil, []listing{{1, 0}, {1, 1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		scan, err := scanBlock(b)
		for n := 0; err == nil; n++ {
			var ok bool
			if _, ok, err = scan.next(); !ok {
				return
			}
			if n > len(b) {
				t.Fatal("more entries than bytes")
			}
		}
	})
}

func TestSorterSortsMoreThanItsMemory(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(genListing(), 0, 500).Draw(t, "entries")
		s := newSorter(dir, rapid.IntRange(1, 100).Draw(t, "chunk"))
		for _, l := range in {
			if err := s.add(l); err != nil {
				t.Fatal(err)
			}
		}
		out, err := s.sorted()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Compact(drain(t, out)), sortedSet(in); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the sort left %v, %v", left, err)
	}
}

func TestMergeAndSubtractAreSetOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []listing
		var streams []stream
		for range rapid.IntRange(0, 5).Draw(t, "streams") {
			ls := sortedSet(rapid.SliceOfN(genListing(), 0, 50).Draw(t, "entries"))
			all = append(all, ls...)
			streams = append(streams, sliceStream(ls))
		}
		less := sortedSet(rapid.SliceOfN(genListing(), 0, 50).Draw(t, "less"))
		merged, err := merge(streams...)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(sortedSet(all), func(l listing) bool { return slices.Contains(less, l) })
		if got := drain(t, subtract(merged, sliceStream(less))); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestSortWithoutRoomSaysWhere(t *testing.T) {
	s := newSorter(t.TempDir()+"/none", 1)
	if err := s.add(listing{1, 0}); err != nil {
		t.Fatal(err)
	}
	if err := s.add(listing{2, 0}); err == nil {
		t.Error("a run went nowhere")
	}
}
