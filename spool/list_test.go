package spool

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// pages reads all the pages of a query.
func pages(t interface{ Fatal(...any) }, s *Spool, q Query) []uint64 {
	var idms []uint64
	for {
		p, err := s.List(q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Messages {
			idms = append(idms, p.Messages[i].IDM)
		}
		if q.Cursor = p.Next; p.Next == "" {
			return idms
		}
	}
}

// mixed fills a spool with rows of every kind and gives them as they stand.
func mixed(t *testing.T, s *Spool, c *clock) []gateway.Message {
	t.Helper()
	for i := range 200 {
		m := text([]string{"one", "two", "three"}[i%3], "+59899123456")
		m.Priority = uint16(i * 7919) // more priorities than are merged
		if i%2 == 0 {
			m.Upload = "base"
		}
		switch i % 7 {
		case 0:
			m.Status = gateway.StatusHeld
		case 1:
			m.Status = gateway.StatusInvalid
		case 2:
			m.NotBefore = c.now().Add(time.Duration(i*7919%500) * time.Minute)
		}
		idm := add(t, s, m)
		switch i % 7 {
		case 3:
			send(t, s, intent(idm, 1), Outcome{})
		case 4:
			if i%5 == 0 {
				step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
			}
		}
	}
	var all []gateway.Message
	for idm := uint64(1); idm <= 200; idm++ {
		all = append(all, get(t, s, idm))
	}
	return all
}

func TestListGivesEachMatchOnceInOrder(t *testing.T) {
	s, c := open(t)
	all := mixed(t, s, c)
	rapid.Check(t, func(t *rapid.T) {
		q := Query{
			Campaign: rapid.SampledFrom([]string{"", "", "one", "two", "none"}).Draw(t, "campaign"),
			Upload:   rapid.SampledFrom([]string{"", "base", "x"}).Draw(t, "upload"),
			Statuses: rapid.SliceOfNDistinct(rapid.SampledFrom(gateway.Statuses()), 0, 4, rapid.ID).Draw(t, "statuses"),
			Oldest:   rapid.Bool().Draw(t, "oldest"),
			Limit:    rapid.SampledFrom([]int{1, 7, 100, 1000}).Draw(t, "limit"),
		}
		var want []uint64
		for i := range all {
			m := &all[i]
			if (q.Campaign == "" || m.Campaign == q.Campaign) && (q.Upload == "" || m.Upload == q.Upload) &&
				(len(q.Statuses) == 0 || slices.Contains(q.Statuses, m.Status)) {
				want = append(want, m.IDM)
			}
		}
		if !q.Oldest {
			slices.Reverse(want)
		}
		if got := pages(t, s, q); !slices.Equal(got, want) {
			t.Fatalf("%+v gave %v, want %v", q, got, want)
		}
	})
}

func TestAPageOfARareUploadIsBounded(t *testing.T) {
	s, _ := open(t)
	m := text("bulk", "+59899123456")
	m.Upload = "rare"
	rare := add(t, s, m)
	fill(t, s, "bulk", maxScan+5)
	p, err := s.List(Query{Campaign: "bulk", Upload: "rare"})
	if err != nil || len(p.Messages) != 0 || p.Next == "" {
		t.Fatalf("the first page has %d rows and next %q: %v", len(p.Messages), p.Next, err)
	}
	if got := pages(t, s, Query{Campaign: "bulk", Upload: "rare"}); !slices.Equal(got, []uint64{rare}) {
		t.Errorf("found %v", got)
	}
}

func TestListRefusesWhatNoPageGave(t *testing.T) {
	s, _ := open(t)
	for _, q := range []Query{{Limit: 1001}, {Limit: -1}, {Cursor: "x"}, {Cursor: "0"}, {Cursor: "-1"}} {
		if _, err := s.List(q); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestCountersOfAllCampaigns(t *testing.T) {
	s, _ := open(t)
	add(t, s, text("one", "+59899123456"))
	add(t, s, text("two", "+59899123456"))
	if err := s.Cancel(context.Background(), 2, ""); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	all, err := s.AllCounters()
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	one, two := all["one"], all["two"]
	if one.NotProcessed() != 1 || two.Other() != 1 || counters(t, s, "none") != (gateway.Counters{}) {
		t.Errorf("%+v", all)
	}
}
