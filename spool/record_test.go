package spool

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// anyMessage draws a message with every field.
func anyMessage(t *rapid.T) *gateway.Message {
	word := rapid.StringN(0, 20, -1)
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if us := rapid.Int64Range(-1e15, 4e15).Draw(t, "us"); us%5 != 0 {
			return time.UnixMicro(us).UTC()
		}
		return time.Time{}
	})
	kind := rapid.Custom(func(t *rapid.T) gateway.Kind { return gateway.Kind(rapid.IntRange(0, 10).Draw(t, "kind")) })
	status := rapid.SampledFrom([]gateway.Status{1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	m := &gateway.Message{
		IDM: rapid.Uint64().Draw(t, "idm"), Campaign: "camp",
		To:    gateway.Address(rapid.SampledFrom([]string{"+59899123456", "+1234567", "0911", "22", "ACME", ""}).Draw(t, "to")),
		Typed: rapid.SampledFrom([]string{"+59899123456", "099 123 456", ""}).Draw(t, "typed"),
		Text:  word.Draw(t, "text"), Data: word.Draw(t, "data"), Agent: word.Draw(t, "agent"), Source: word.Draw(t, "source"),
		Upload: word.Draw(t, "upload"), Priority: rapid.Uint16().Draw(t, "priority"),
		Policy:  gateway.UnknownPolicy(rapid.IntRange(0, 1).Draw(t, "policy")),
		Created: at.Draw(t, "created"), NotBefore: at.Draw(t, "not before"), ValidUntil: at.Draw(t, "until"), Finished: at.Draw(t, "finished"),
		Status: status.Draw(t, "status"), Kind: kind.Draw(t, "kind"), Reason: word.Draw(t, "reason"),
		Encoding: gateway.Encoding(rapid.IntRange(0, 1).Draw(t, "encoding")), Segments: rapid.Uint8().Draw(t, "segments"),
		Attempts: rapid.Uint16().Draw(t, "attempts"), Channel: word.Draw(t, "channel"), IMEI: word.Draw(t, "imei"), ICCID: word.Draw(t, "iccid"),
		Omitted: rapid.Uint32().Draw(t, "omitted"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		p := gateway.Part{Status: gateway.Status(rapid.IntRange(0, 14).Draw(t, "part")), Ref: word.Draw(t, "ref"), ST: rapid.Uint8().Draw(t, "st"), At: at.Draw(t, "at")}
		if p.HasMR = rapid.Bool().Draw(t, "has"); p.HasMR {
			p.MR = rapid.Uint8().Draw(t, "mr")
		}
		m.Parts = append(m.Parts, p)
	}
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		m.History = append(m.History, gateway.Transition{
			At: at.Draw(t, "at"), Status: status.Draw(t, "to"), Channel: word.Draw(t, "on"), Kind: kind.Draw(t, "why"), Code: word.Draw(t, "code"), Text: word.Draw(t, "words"),
		})
	}
	return m
}

func camp(uint32) (string, bool) { return "camp", true }

func TestARecordKeepsEveryField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage(t)
		got, err := decodeMessage(m.IDM, encodeMessage(1, m), camp)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m, got) {
			t.Fatalf("wrote %+v\nread %+v", m, got)
		}
	})
}

func TestARecordTellsDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage(t)
		rec := encodeMessage(1, m)
		rec[rapid.IntRange(0, len(rec)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := decodeMessage(m.IDM, rec, camp); err == nil {
			t.Fatal("a flipped bit was not seen")
		}
		if _, err := decodeMessage(m.IDM+1, encodeMessage(1, m), camp); err == nil {
			t.Fatal("a record under another's key was not seen")
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(encodeMessage(1, &gateway.Message{IDM: 1, Status: gateway.StatusQueued, Text: "hi"}))
	f.Fuzz(func(t *testing.T, rec []byte) {
		// Behind a checksum that is right, so that the fields are reached.
		m, err := decodeMessage(1, seal(u64(1), rec), camp)
		if err == nil && (!stored(m.Status) || m.Campaign != "camp") {
			t.Errorf("accepted %+v", m)
		}
	})
}

// spoil overwrites a record as a worn card would.
func spoil(t *testing.T, s *Spool, bucket, k []byte) {
	t.Helper()
	err := s.update(context.Background(), func(t *tx) error {
		v := append([]byte(nil), t.bucket(bucket).Get(k)...)
		v[len(v)/2] ^= 0xFF
		return t.bucket(bucket).Put(k, v)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnUnreadableRecordGoesToQuarantineAndTheQueueGoesOn(t *testing.T) {
	for name, meet := range map[string]func(*Spool){
		"claim": func(s *Spool) { s.Claim(Claim{Campaign: "camp", Limit: 50}) },
		"peek": func(s *Spool) {
			if c, err := s.Claim(Claim{Campaign: "camp", Limit: 50, Peek: true}); err == nil && c.Due && s.Stats().Quarantined == 0 {
				s.Ready("camp", c.Damaged)
			}
		},
		"message": func(s *Spool) { s.Message(2) },
		"list":    func(s *Spool) { s.List(Query{Campaign: "camp"}) },
		"cancel":  func(s *Spool) { s.Cancel(context.Background(), 2, "ana") },
		"release": func(s *Spool) { s.Release(context.Background(), "camp") },
		"step": func(s *Spool) {
			done := make(chan Stepped, 1)
			s.Step(Step{Intents: []Intent{intent(2, 1)}}, func(r Stepped) { done <- r })
			<-done
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t)
			for range 3 {
				m := text("camp", "+59899123456")
				if name == "release" {
					m.Status = gateway.StatusHeld
				}
				add(t, s, m)
			}
			spoil(t, s, bucketMsg, u64(2))
			if err := s.Check(context.Background()); err == nil || !strings.Contains(err.Error(), "message 2") {
				t.Errorf("check before: %v", err)
			}
			meet(s)
			if n := s.Stats().Quarantined; n != 1 {
				t.Fatalf("%d records in quarantine", n)
			}
			if c := counters(t, s, "camp"); c.NotProcessed() != 2 || c.Deleted != 1 || !c.Balanced() {
				t.Errorf("counters %+v", c)
			}
			ev, err := s.Events(0, 0)
			if err != nil || len(ev) == 0 || ev[0].Kind != gateway.EventAlarm || !strings.Contains(string(ev[0].Body), "message 2") {
				t.Errorf("events %v, %v", ev, err)
			}
			if got := claim(t, s, "camp", 50).Messages; len(got) != 2 {
				t.Errorf("%d rows are left", len(got))
			}
			s = reopen(t, s)
			if n := s.Stats().Quarantined; n != 1 {
				t.Errorf("after a restart %d records in quarantine", n)
			}
			err = s.view(func(b *bbolt.Tx) error {
				k, v := b.Bucket(bucketQuarantine).Cursor().First()
				if body, err := unseal(k, v); err != nil || !strings.Contains(string(body), "Hi W") {
					t.Errorf("the bytes are not kept: %q, %v", body, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnUnreadableIntentLeavesItsMessageInDoubt(t *testing.T) {
	s, _ := open(t)
	idm := add(t, s, text("camp", "+59899123456"))
	step(t, s, Step{Intents: []Intent{intent(idm, 1)}})
	spoil(t, s, bucketIntent, intentKey(idm, 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openWith(t, s.o)
	if m := get(t, s, idm); m.Status != gateway.StatusUnknown {
		t.Errorf("it is %s", m.Status)
	}
	if n := s.Stats().Quarantined; n != 1 {
		t.Errorf("%d records in quarantine", n)
	}
}
