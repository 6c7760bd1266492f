package spool

import (
	"testing"

	"fieldpost/gateway"
)

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
