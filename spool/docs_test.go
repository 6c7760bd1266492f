package spool

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestDocIsReplacedOnlyByWhoSawIt(t *testing.T) {
	s, c := open(t)
	d, err := s.PutDoc(bg, Doc{Kind: "campaign", Name: "test1", Body: []byte(`{"a":1}`)})
	must(t, err)
	if d.Revision != 1 || !d.Changed.Equal(c.now()) {
		t.Fatalf("new doc %+v", d)
	}
	c.add(time.Hour)
	for _, revision := range []uint64{0, 2} {
		_, err := s.PutDoc(bg, Doc{Kind: "campaign", Name: "test1", Revision: revision, Body: []byte(`{"a":2}`)})
		if gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("put over revision %d: %v", revision, err)
		}
	}
	_, err = s.PutDoc(bg, Doc{Kind: "campaign", Name: "none", Revision: 1})
	if gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("put over nothing: %v", err)
	}
	d.Body = []byte(`{"a":2}`)
	d, err = s.PutDoc(bg, d)
	if err != nil || d.Revision != 2 {
		t.Fatalf("second put %+v, %v", d, err)
	}
	s = reopen(t, s)
	got, err := s.Doc("campaign", "test1")
	if err != nil || got.Revision != 2 || string(got.Body) != `{"a":2}` || !got.Changed.Equal(c.now()) {
		t.Errorf("stored %+v, %v", got, err)
	}
	if ev, err := s.Events(0, 10); err != nil || len(ev) != 0 {
		t.Errorf("a definition told of itself: %v, %v", ev, err)
	}
}

func TestDocsOfAKindByName(t *testing.T) {
	s, _ := open(t)
	for _, name := range []string{"b", "a", "c"} {
		_, err := s.PutDoc(bg, Doc{Kind: "dialer", Name: name})
		must(t, err)
	}
	_, err := s.PutDoc(bg, Doc{Kind: "dialers", Name: "x"})
	must(t, err)
	ds, err := s.Docs("dialer")
	if err != nil || len(ds) != 3 || ds[0].Name != "a" || ds[2].Name != "c" {
		t.Errorf("docs %+v, %v", ds, err)
	}
	must(t, s.DeleteDoc(bg, "dialer", "b"))
	if err := s.DeleteDoc(bg, "dialer", "b"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := s.Doc("dialer", "b"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("read after its end: %v", err)
	}
}

func TestBadDocsAreRefused(t *testing.T) {
	s, _ := open(t)
	for _, d := range []Doc{
		{Name: "a"}, {Kind: "a"}, {Kind: "a\x00b", Name: "c"}, {Kind: "a", Name: "b\x00"},
		{Kind: "a", Name: strings.Repeat("n", 256)}, {Kind: "a", Name: "b", Body: make([]byte, 64<<10+1)},
	} {
		if _, err := s.PutDoc(bg, d); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("kind %q, name of %d bytes: %v", d.Kind, len(d.Name), err)
		}
	}
	_, err := s.PutDoc(bg, Doc{Kind: "a", Name: "b", Body: make([]byte, 64<<10)})
	must(t, err)
}

func TestUploadKeepsItsRefusedLines(t *testing.T) {
	s, c := open(t)
	u := Upload{ID: "up-1", Name: "base.csv", State: "loading", Kind: "base"}
	for i := range MaxBadLines {
		u.Bad = append(u.Bad, BadLine{Line: i + 2, Reason: "no number"})
		if i%100 == 99 {
			u.Line, u.Rejected = i+2, i+1
			must(t, s.PutUpload(bg, u))
		}
	}
	u.Bad = append(u.Bad, BadLine{})
	if err := s.PutUpload(bg, u); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("one line too many: %v", err)
	}
	s = reopen(t, s)
	got, err := s.Upload("up-1")
	if err != nil || len(got.Bad) != MaxBadLines || got.Bad[999] != (BadLine{1001, "no number"}) || !got.Created.Equal(c.now()) {
		t.Errorf("%d refused lines, created %v, %v", len(got.Bad), got.Created, err)
	}
	if got.Rejected != MaxBadLines || got.State != "loading" {
		t.Errorf("upload %+v", got.Rejected)
	}
	if _, err := s.Upload("up-2"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("no upload: %v", err)
	}
}

func TestTheEndOfALoadIsToldOnceInItsCommit(t *testing.T) {
	s, _ := open(t)
	u := Upload{ID: "up-1", Kind: "base", Accepted: 3}
	before := s.Stats().Commits
	for _, state := range []string{"loading", "failed", "failed", "loading", "done", "done"} {
		u.State = state
		must(t, s.PutUpload(bg, u))
	}
	if n := s.Stats().Commits - before; n != 6 {
		t.Errorf("%d commits of 6 records", n)
	}
	events, err := s.Events(0, 0)
	must(t, err)
	var told []string
	for _, e := range events {
		var body gateway.UploadEvent
		must(t, json.Unmarshal(e.Body, &body))
		if e.Kind != gateway.EventUpload || body.Upload != "up-1" || body.Accepted != 3 {
			t.Errorf("event %+v, body %+v", e, body)
		}
		told = append(told, body.State)
	}
	if !slices.Equal(told, []string{"failed", "done"}) {
		t.Errorf("told %q", told)
	}
}

func TestUploadsNewestFirst(t *testing.T) {
	s, c := open(t)
	for _, id := range []string{"c", "a", "b"} {
		must(t, s.PutUpload(bg, Upload{ID: id}))
		c.add(time.Minute)
	}
	must(t, s.PutUpload(bg, Upload{ID: "c", State: "done"})) // its time stays
	us, err := s.Uploads(2)
	if err != nil || len(us) != 2 || us[0].ID != "b" || us[1].ID != "a" {
		t.Errorf("uploads %+v, %v", us, err)
	}
	for _, id := range []string{"", "a\x00", strings.Repeat("i", 129)} {
		if err := s.PutUpload(bg, Upload{ID: id}); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("id of %d bytes: %v", len(id), err)
		}
	}
}

func TestIdempotencyKeyGivesTheFirstAnswer(t *testing.T) {
	s, c := open(t)
	m := text("camp", "+59899123456")
	key := Idempotency{Scope: "token-1", Key: "k", Body: [32]byte{1}}
	first, err := s.Add(bg, m, key)
	must(t, err)
	c.add(keepIdem)
	s = reopen(t, s)
	again, err := s.Add(bg, m, key)
	if err != nil || !again.Repeated || again.IDM != first.IDM || again.Segments != first.Segments {
		t.Errorf("again %+v, %v; first %+v", again, err, first)
	}
	other := key
	other.Body = [32]byte{2}
	if _, err := s.Add(bg, m, other); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("another body: %v", err)
	}
	other.Scope = "token-2"
	if a, err := s.Add(bg, m, other); err != nil || a.Repeated {
		t.Errorf("another caller: %+v, %v", a, err)
	}
	if a, err := s.Add(bg, m, Idempotency{}); err != nil || a.Repeated {
		t.Errorf("no key: %+v, %v", a, err)
	}
	long := Idempotency{Key: strings.Repeat("k", 256)}
	if _, err := s.Add(bg, m, long); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("long key: %v", err)
	}
	c.add(time.Millisecond)
	if a, err := s.Add(bg, m, Idempotency{Scope: "token-1", Key: "k", Body: [32]byte{3}}); err != nil || a.Repeated {
		t.Errorf("after seven days: %+v, %v", a, err)
	}
}

func TestScopeAndKeyOfTwoCallersNeverMeet(t *testing.T) {
	if string(idemHash(Idempotency{Scope: "ab", Key: "c"})) == string(idemHash(Idempotency{Scope: "a", Key: "bc"})) {
		t.Error("two callers share a key")
	}
}

func TestOldIdempotencyKeysAreRemoved(t *testing.T) {
	s, c := open(t)
	m := text("camp", "+59899123456")
	keys := func(prefix string, n int) {
		for i := range n {
			_, err := s.Add(bg, m, Idempotency{Key: prefix + string(rune('a'+i))})
			must(t, err)
		}
	}
	keys("old", 20)
	c.add(keepIdem + time.Second)
	keys("new", 5)
	tx, err := s.db.Begin(false)
	must(t, err)
	defer tx.Rollback()
	if n := countKeys(tx.Bucket(bucketIdem)); n != 5 {
		t.Errorf("%d keys are kept, want the 5 new ones", n)
	}
}
