package spool

import (
	"sync"
	"testing"
)

// TestEditsAndLookUpsGoOnDuringAnImport lists, unlists and looks up while a list
// is sorted, written and swapped in.
func TestEditsAndLookUpsGoOnDuringAnImport(t *testing.T) {
	s, _ := open(t)
	must(t, s.Blacklist(bg, Listed{Number: number(-1), OptOut: true}))
	for n := range 100 {
		must(t, s.Blacklist(bg, Listed{Number: number(n)}))
	}
	const size = 60_000
	reading := make(chan struct{}) // closed when the import has read some
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		<-reading
		for n := range 100 {
			if err := s.Unlist(bg, number(n), "", "ana"); err != nil {
				t.Error(err)
			}
			if err := s.Blacklist(bg, Listed{Number: number(size + n)}); err != nil {
				t.Error(err)
			}
			if _, optOut, err := s.Listed(number(-1), "camp"); err != nil || !optOut {
				t.Errorf("an opt-out was away for a moment: %t, %v", optOut, err)
			}
		}
	})
	n, err := s.importBlacklist(bg, listOf(numbers(100, size-100)...), func(int) { once.Do(func() { close(reading) }) },
		importSizes{small: 100, chunk: 10_000})
	if err != nil || n != size-100 {
		t.Fatalf("imported %d, %v", n, err)
	}
	wg.Wait()
	wantListed(t, s, number(50), "", false, false)
	wantListed(t, s, number(size+50), "", true, false)
	if got := s.BlacklistSize(); got != size+1 {
		t.Errorf("size %d, want %d", got, size+1)
	}
	if _, err := s.ImportBlacklist(bg, listOf(numbers(0, 10)...), nil); err != nil { // the token was given back
		t.Error(err)
	}
}
