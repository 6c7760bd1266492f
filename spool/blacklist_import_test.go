package spool

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"fieldpost/gateway"
)

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
