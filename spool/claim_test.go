package spool

import (
	"testing"

	"fieldpost/gateway"
)

// crowd queues n rows to one number, all of one priority.
func crowd(t testing.TB, s *Spool, n int, to string) {
	t.Helper()
	must(t, s.updateRows(bg, n, func(t *tx) error {
		for range n {
			m := text("camp", to)
			if err := t.insert(&m); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestAClaimGoesOnWhereAnotherStopped(t *testing.T) {
	s, _ := open(t)
	crowd(t, s, 5000, string(to1))
	other := add(t, s, text("camp", string(to2)))
	urgent := text("camp", string(to1))
	urgent.Priority = gateway.PrioritySingle
	add(t, s, urgent)
	seen := 0
	c := Claim{Campaign: "camp", Limit: 50, Skip: func(m *gateway.Message) bool { seen++; return m.To == to1 }}
	for call := 1; ; call++ {
		seen = 0
		got, err := s.Claim(c)
		if err != nil || seen > MaxSkip || !c.After.Before(got.Next) {
			t.Fatalf("call %d saw %d rows, from %v to %v (%v)", call, seen, c.After, got.Next, err)
		}
		c.After = got.Next
		if got.More {
			continue
		}
		if call != 6 || len(got.Messages) != 1 || got.Messages[0].IDM != other {
			t.Errorf("after %d calls: %+v", call, got.Messages)
		}
		break
	}
	if got, err := s.Claim(c); err != nil || len(got.Messages) != 0 || got.More || got.Next != c.After {
		t.Errorf("behind the last: %+v (%v)", got, err)
	}
	late := add(t, s, text("camp", string(to2)))
	if got, err := s.Claim(c); err != nil || len(got.Messages) != 1 || got.Messages[0].IDM != late {
		t.Errorf("a row that came since: %+v (%v)", got.Messages, err)
	}
}

func TestAClaimBehindAPlacePassesOverNoRow(t *testing.T) {
	s, _ := open(t)
	var want []uint64
	for i := range 40 {
		m := text("camp", string(to1))
		m.Priority = uint16(i / 10)
		want = append(want, add(t, s, m))
	}
	c := Claim{Campaign: "camp", Limit: 7}
	for len(want) > 0 {
		got, err := s.Claim(c)
		must(t, err)
		for _, m := range got.Messages {
			if m.IDM != want[0] {
				t.Fatalf("claimed %d, want %d", m.IDM, want[0])
			}
			want = want[1:]
		}
		if c.After = got.Next; got.More != (len(want) > 0) {
			t.Fatalf("%d rows are left, more: %t", len(want), got.More)
		}
	}
}

func TestRowsAtADeviceBehindTheLastOneAreNoMore(t *testing.T) {
	s, _ := open(t)
	step(t, s, Step{Intents: []Intent{intent(add(t, s, text("camp", string(to1))), 1)}})
	first := text("camp", string(to2))
	first.Priority = gateway.PrioritySingle
	want := add(t, s, first)
	got := claim(t, s, "camp", 1)
	if len(got.Messages) != 1 || got.Messages[0].IDM != want || got.More || got.Next.IDM != want {
		t.Errorf("claimed %+v", got)
	}
}
