package spool

import (
	"bytes"
	"testing"
	"time"

	"fieldpost/modem"
)

// damage overwrites the rows of a bucket with what nothing can read.
func damage(t testing.TB, s *Spool, name []byte) {
	t.Helper()
	must(t, s.update(bg, func(t *tx) error {
		b := t.bucket(name)
		for _, k := range firstKeys(b, nil, 1000) {
			if err := b.Put(k, []byte("damaged")); err != nil {
				return err
			}
		}
		return nil
	}))
}

func wantQuarantined(t testing.TB, s *Spool, name []byte, want int) {
	t.Helper()
	tx, err := s.db.Begin(false)
	must(t, err)
	defer tx.Rollback()
	n := 0
	must(t, tx.Bucket(bucketQuarantine).ForEach(func(_, v []byte) error {
		if bytes.Contains(v, name) && bytes.Contains(v, []byte("damaged")) {
			n++
		}
		return nil
	}))
	if n != want {
		t.Errorf("%d rows of %s are in quarantine, want %d", n, name, want)
	}
}

func TestDamagedInboundHidesNoOther(t *testing.T) {
	s, c := open(t)
	p := modem.Part{From: from, Text: "one", SentAt: c.now(), Raw: "AA"}
	take(t, s, p)
	damage(t, s, bucketInbound)
	take(t, s, modem.Part{From: from, Text: "two", SentAt: c.now(), Raw: "BB"})
	if got := inbox(t, s); len(got) != 1 || got[0].Text != "two" {
		t.Errorf("inbox %+v", got)
	}
	wantQuarantined(t, s, bucketInbound, 1)
	if in, ok := take(t, s, p); !ok || in.Seq != 1 {
		t.Errorf("its TPDU again gives %+v, %t: the driver would keep it for ever", in, ok)
	}
}

func TestDamagedSetsHoldUpNobody(t *testing.T) {
	s, c := open(t)
	ps := gsm("abcdef", 3, 1, c.now())
	take(t, s, ps[0])
	take(t, s, gsm("abcdef", 3, 2, c.now())[0])
	damage(t, s, bucketSets)
	if _, ok := take(t, s, ps[1]); ok {
		t.Error("a segment was joined to a damaged one")
	}
	wantQuarantined(t, s, bucketSets, 1)
	c.add(time.Hour)
	if n, err := s.FlushParts(bg, c.now()); err != nil || n != 1 {
		t.Errorf("flushed %d, %v", n, err)
	}
	wantQuarantined(t, s, bucketSets, 2)
}

func TestDamagedMessageOfASetIsDeliveredAgain(t *testing.T) {
	s, c := open(t)
	ps := gsm("abcdef", 3, 1, c.now())
	take(t, s, ps[0])
	_, err := s.FlushParts(bg, c.now().Add(1))
	must(t, err)
	damage(t, s, bucketInbound)
	if in, ok := take(t, s, ps[1]); !ok || in.Text != "abcdef" || in.Seq != 2 {
		t.Errorf("inbound %+v, %t", in, ok)
	}
	wantQuarantined(t, s, bucketInbound, 1)
}

func TestDamagedReportsHoldUpNobody(t *testing.T) {
	s, c := open(t)
	must(t, s.Report(bg, report(c, 1, to1, 0)))
	must(t, s.Report(bg, report(c, 2, to1, 0)))
	damage(t, s, bucketOrphans)
	a := sendMR(t, s, to1, 1)
	must(t, s.Report(bg, report(c, 1, to1, 0)))
	if m := get(t, s, a); m.Status.String() != "delivered" {
		t.Errorf("message is %s", m.Status)
	}
	must(t, s.Report(bg, report(c, 3, to1, 0)))
	wantQuarantined(t, s, bucketOrphans, 2)
	wantUnmatched(t, s, 1, 2)
}

func TestDamagedHitHidesNoOther(t *testing.T) {
	s, _ := open(t)
	hit := func() {
		must(t, s.update(bg, func(t *tx) error { return t.hit(Hit{Number: to1}) }))
	}
	hit()
	damage(t, s, bucketHits)
	hit()
	if hits, _, err := s.Hits("", 0); err != nil || len(hits) != 1 {
		t.Errorf("hits %v, %v", hits, err)
	}
	wantQuarantined(t, s, bucketHits, 1)
}
