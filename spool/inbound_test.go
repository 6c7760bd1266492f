package spool

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
	"fieldpost/modem"
)

const (
	simA = "8959801234567890123"
	from = "+59899123456"
)

// gsm makes the parts of a GSM 7-bit text, cut every n septets. Its letters are
// the same in ASCII and in the default alphabet; 0x1B 0x65 is the euro sign.
func gsm(septets string, n int, ref uint16, sent time.Time) []modem.Part {
	var ps []modem.Part
	for s := []byte(septets); len(s) > 0; s = s[min(n, len(s)):] {
		ps = append(ps, modem.Part{From: from, Septets: s[:min(n, len(s))], Ref: ref, SentAt: sent})
	}
	for i := range ps {
		ps[i].Total, ps[i].Seq = len(ps), i+1
		ps[i].Raw = fmt.Sprintf("%X-%d-%d-%s", ps[i].Septets, ref, i, sent)
	}
	return ps
}

func take(t testing.TB, s *Spool, p modem.Part) (gateway.Inbound, bool) {
	t.Helper()
	in, ok, err := s.Inbound(bg, "bank/3", simA, p)
	if err != nil {
		t.Fatal(err)
	}
	return in, ok
}

func inbox(t testing.TB, s *Spool) []gateway.Inbound {
	t.Helper()
	ins, next, err := s.ListInbound("", 1000)
	if err != nil || next != "" {
		t.Fatal(err, next)
	}
	slices.Reverse(ins)
	return ins
}

func inboundEvents(t testing.TB, s *Spool) []gateway.InboundEvent {
	t.Helper()
	ev, err := s.Events(0, 1000)
	must(t, err)
	var out []gateway.InboundEvent
	for _, e := range ev {
		if e.Kind != gateway.EventInbound {
			continue
		}
		var b gateway.InboundEvent
		must(t, json.Unmarshal(e.Body, &b))
		out = append(out, b)
	}
	return out
}

func TestInboundSingleIsStoredOnce(t *testing.T) {
	s, c := open(t)
	p := modem.Part{From: from, Text: "hola", SentAt: c.now(), Raw: "07915989", ICCID: simA, SMSC: "+598"}
	in, ok := take(t, s, p)
	if !ok || in.Seq != 1 || in.Text != "hola" || in.From != from || in.Channel != "bank/3" || in.ICCID != simA || in.Segments != 1 {
		t.Fatalf("inbound %+v, %t", in, ok)
	}
	s = reopen(t, s)
	c.add(keepSeen)
	again, ok := take(t, s, p)
	if !ok || again.Seq != in.Seq || len(inbox(t, s)) != 1 || len(inboundEvents(t, s)) != 1 {
		t.Errorf("a TPDU that came again: %+v, %t", again, ok)
	}
	c.add(time.Second)
	if in, _ := take(t, s, p); in.Seq != 2 {
		t.Error("a fingerprint is kept for ever")
	}
}

func TestIdenticalTextsAreTwoMessages(t *testing.T) {
	s, c := open(t)
	for i, p := range []modem.Part{
		{From: from, Text: "pos", SentAt: c.now(), Raw: "AA"},
		{From: from, Text: "pos", SentAt: c.now().Add(time.Second), Raw: "AB"},
		{From: from + "7", Text: "pos", SentAt: c.now(), Raw: "AA"},
		{From: from, Text: "pos"}, {From: from, Text: "pos"}, // nothing but the text names them
	} {
		if in, ok := take(t, s, p); !ok || in.Seq != uint64(i+1) {
			t.Errorf("message %d: %+v, %t", i+1, in, ok)
		}
	}
	in, ok, err := s.Inbound(bg, "bank/4", "another SIM", modem.Part{From: from, Text: "pos", SentAt: c.now(), Raw: "AA"})
	if err != nil || !ok || in.Seq != 6 {
		t.Errorf("on another SIM: %+v, %t, %v", in, ok, err)
	}
}

func TestTheIdentityOfADeviceNamesATPDUWhereverItsSIMIsMeanwhile(t *testing.T) {
	s, c := open(t)
	p := modem.Part{From: from, Text: "pos", SentAt: c.now(), ID: "rack 1"}
	take(t, s, p)
	p.SentAt = time.Time{} // the device's clock is known better now
	if _, _, err := s.Inbound(bg, "bank/3", "another SIM", p); err != nil {
		t.Fatal(err)
	}
	if n := len(inbox(t, s)); n != 1 {
		t.Errorf("%d messages are stored, want one", n)
	}
	p.ID = "rack 2"
	take(t, s, p)
	if n := len(inbox(t, s)); n != 2 {
		t.Errorf("%d messages are stored, want two: their text is no identity", n)
	}
}

func TestEscapeOverTheBorderOfTwoSegments(t *testing.T) { // S19
	s, c := open(t)
	ps := gsm("abc \x1Bef", 5, 7, c.now())
	if _, ok := take(t, s, ps[1]); ok {
		t.Fatal("one of two segments was delivered")
	}
	in, ok := take(t, s, ps[0])
	if !ok || in.Text != "abc €f" || in.Segments != 2 || len(in.Raw) != 2 || in.Incomplete {
		t.Errorf("inbound %+v, %t", in, ok)
	}
}

func TestSurrogatePairOverTheBorderOfTwoSegments(t *testing.T) { // S15
	s, c := open(t)
	octets := []byte{0x00, 'a', 0xD8, 0x3D, 0xDE, 0x00, 0x00, 'b'}
	part := func(seq int, o []byte) modem.Part {
		return modem.Part{From: from, Octets: o, Coding: modem.CodingUCS2, Total: 2, Seq: seq, SentAt: c.now(), Raw: fmt.Sprint(seq)}
	}
	take(t, s, part(1, octets[:4]))
	if in, _ := take(t, s, part(2, octets[4:])); in.Text != "a😀b" {
		t.Errorf("text %q", in.Text)
	}
}

func TestMixedCodingsAndDataAreJoined(t *testing.T) {
	at := time.Time{}
	ps := []piece{
		{Seq: 1, Septets: []byte("ab"), SentAt: at},
		{Seq: 2, Coding: modem.CodingUCS2, Octets: []byte{0x04, 0x10}},
		{Seq: 3, Text: "cd"},
		{Seq: 4, Coding: modem.Coding8Bit, Octets: []byte("ef")},
	}
	if got, why := joinPieces(ps, 4); got != "abАcdef" || why != "" {
		t.Errorf("joined %q, %q", got, why)
	}
	ps[3].Octets = []byte{0, 1, 2}
	if got, why := joinPieces(ps, 4); got != "abАcd" || why == "" {
		t.Errorf("joined %q, %q", got, why)
	}
	if got, _ := joinPieces(ps[1:2], 3); got != gapMark+"А"+gapMark {
		t.Errorf("joined %q", got)
	}
}

func TestSameReferenceIsNotTheSameMessage(t *testing.T) { // S22
	s, c := open(t)
	a := gsm("first message", 8, 1, c.now())
	b := gsm("later message", 8, 1, c.now().Add(23*time.Hour))
	take(t, s, a[0])
	if _, ok := take(t, s, b[1]); ok {
		t.Fatal("segments of two messages were joined")
	}
	conflict := gsm("other message", 8, 1, c.now().Add(time.Minute))
	take(t, s, conflict[0]) // the slot is taken: a set of its own
	for _, p := range []modem.Part{b[0], a[1], conflict[1]} {
		if _, ok := take(t, s, p); !ok {
			t.Errorf("segment %d completes nothing", p.Seq)
		}
	}
	var texts []string
	for _, in := range inbox(t, s) {
		texts = append(texts, in.Text)
	}
	if want := []string{"later message", "first message", "other message"}; !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	w := gsm("wide reference", 8, 1, c.now())
	w[0].Wide = true
	take(t, s, w[0])
	if _, ok := take(t, s, w[1]); ok {
		t.Error("references of 8 and of 16 bits were taken for the same")
	}
}

func TestIncompleteIsDeliveredAndCorrected(t *testing.T) {
	s, c := open(t)
	ps := gsm("abcdefghi", 3, 9, c.now())
	take(t, s, ps[2])
	take(t, s, ps[0])
	if n, err := s.FlushParts(bg, c.now()); err != nil || n != 0 {
		t.Fatalf("flushed %d, %v: it is not older", n, err)
	}
	c.add(time.Hour)
	if n, err := s.FlushParts(bg, c.now()); err != nil || n != 1 {
		t.Fatalf("flushed %d, %v", n, err)
	}
	if n, err := s.FlushParts(bg, c.now()); err != nil || n != 0 {
		t.Fatalf("flushed twice: %d, %v", n, err)
	}
	in := inbox(t, s)[0]
	if !in.Incomplete || in.Text != "abc"+gapMark+"ghi" || len(in.Raw) != 2 || in.Segments != 3 {
		t.Errorf("incomplete %+v", in)
	}
	if again, ok := take(t, s, ps[0]); !ok || again.Seq != in.Seq || !again.Incomplete {
		t.Errorf("a known segment gives %+v, %t", again, ok)
	}
	s = reopen(t, s)
	late, ok := take(t, s, ps[1])
	if !ok || late.Seq != in.Seq || late.Text != "abcdefghi" || late.Incomplete || !late.ReceivedAt.Equal(in.ReceivedAt) {
		t.Errorf("corrected %+v, %t", late, ok)
	}
	ev := inboundEvents(t, s)
	if len(ev) != 2 || ev[0].Corrected || !ev[0].Incomplete || !ev[1].Corrected || ev[1].Incomplete || ev[0].ID != ev[1].ID {
		t.Errorf("events %+v", ev)
	}
	if len(inbox(t, s)) != 1 {
		t.Error("the correction made a second message")
	}
}

func TestBrokenHeaderIsAMessageOfItsOwn(t *testing.T) { // TS 23.040 §9.2.3.24.1
	s, c := open(t)
	for i, p := range []modem.Part{
		{Total: 2, Seq: 0}, {Total: 2, Seq: 3}, {Total: 256, Seq: 1}, {Total: 0, Seq: 5}, {Total: 2, Seq: 1, Undecoded: "cut short"},
	} {
		p.From, p.Septets, p.SentAt, p.Raw = from, []byte("hi"), c.now(), fmt.Sprint(i)
		in, ok := take(t, s, p)
		if !ok || in.Text != "hi" || in.Undecoded != p.Undecoded || len(in.Raw) != 1 || in.Raw[0] != p.Raw {
			t.Errorf("part %d: %+v, %t", i, in, ok)
		}
	}
}

func TestWhatCannotBeReadIsKeptRaw(t *testing.T) {
	s, _ := open(t)
	in, ok := take(t, s, modem.Part{From: "?\xFF", Raw: "DEADBEEF", Undecoded: "reserved\xFE"})
	if !ok || in.Raw[0] != "DEADBEEF" || in.Undecoded == "" || in.SentAt.IsZero() {
		t.Errorf("inbound %+v, %t", in, ok)
	}
	if got := inbox(t, reopen(t, s)); len(got) != 1 || got[0].Typed != "?\uFFFD" {
		t.Errorf("stored %+v", got)
	}
}

func TestSenderIsWrittenAsTheSiteWritesNumbers(t *testing.T) {
	s, _ := open(t)
	s.o.Normalise = func(typed string) (gateway.Address, error) {
		if typed == "099123456" {
			return from, nil
		}
		return "", gateway.Invalid("number", "none")
	}
	if in, _ := take(t, s, modem.Part{From: "099123456", Text: "a"}); in.From != from || in.Typed != "099123456" {
		t.Errorf("sender %q, typed %q", in.From, in.Typed)
	}
	if in, _ := take(t, s, modem.Part{From: "Telenor", Text: "a"}); in.From != "Telenor" {
		t.Errorf("sender %q", in.From)
	}
}

func TestOpenSetsOfOneSenderAreBounded(t *testing.T) {
	s, c := open(t)
	for ref := range maxSenderSets + 5 {
		take(t, s, gsm("abcdef", 3, uint16(ref), c.now())[0])
		c.add(time.Second)
	}
	got := inbox(t, s)
	if len(got) != 5 || !got[0].Incomplete || got[0].Raw[0] != gsm("abcdef", 3, 0, newClock().now())[0].Raw {
		t.Fatalf("%d were delivered incomplete, want the 5 oldest", len(got))
	}
	in, ok := take(t, s, gsm("abcdef", 3, 0, newClock().now())[1])
	if !ok || in.Seq != got[0].Seq || in.Text != "abcdef" {
		t.Errorf("late segment gives %+v, %t", in, ok)
	}
}

func TestOpenSetsAreBounded(t *testing.T) {
	s, c := openQuick(t)
	for i := range maxOpenSets + 3 {
		p := gsm("abcdef", 3, 1, c.now())[0]
		p.From = fmt.Sprintf("+5989%07d", i)
		take(t, s, p)
	}
	if got := inbox(t, s); len(got) != 3 || got[2].Typed != "+59890000002" {
		t.Errorf("%d were delivered incomplete, want the 3 oldest", len(got))
	}
	if n, err := s.FlushParts(bg, c.now().Add(1)); err != nil || n != maxOpenSets {
		t.Errorf("flushed %d, %v", n, err)
	}
}

func TestLateSetsAreForgotten(t *testing.T) {
	s, c := open(t)
	ps := gsm("abcdef", 3, 1, c.now())
	take(t, s, ps[0])
	c.add(time.Hour)
	_, err := s.FlushParts(bg, c.now())
	must(t, err)
	c.add(keepLate)
	take(t, s, gsm("abcdef", 3, 2, c.now())[0])
	if in, ok := take(t, s, ps[1]); ok {
		t.Errorf("a segment after %v completed %+v", keepLate, in)
	}
}

func TestHugePartIsRefused(t *testing.T) {
	s, _ := open(t)
	_, _, err := s.Inbound(bg, "bank/3", simA, modem.Part{From: from, Text: strings.Repeat("x", maxPart)})
	if gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("error %v", err)
	}
}

func TestListInboundPages(t *testing.T) {
	s, _ := open(t)
	for i := range 5 {
		take(t, s, modem.Part{From: from, Text: fmt.Sprint(i)})
	}
	page, next, err := s.ListInbound("", 2)
	if err != nil || next != "4" || len(page) != 2 || page[0].Text != "4" {
		t.Fatalf("page %+v, %q, %v", page, next, err)
	}
	page, next, err = s.ListInbound("2", 2)
	if err != nil || next != "" || len(page) != 1 || page[0].Seq != 1 {
		t.Errorf("last page %+v, %q, %v", page, next, err)
	}
	for _, bad := range []string{"x", "0", "-1"} {
		if _, _, err := s.ListInbound(bad, 2); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

// TestReassemblyGivesEachTextOnce sends the segments of many messages in any
// order, some of them twice, with flushes and restarts between.
func TestReassemblyGivesEachTextOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, c := openQuick(t)
		defer func() { shut(t, s) }()
		want := map[string]bool{}
		var parts []modem.Part
		for i := range rapid.IntRange(1, 6).Draw(r, "messages") {
			text := fmt.Sprintf("%d:%s", i, rapid.StringMatching(`[a-z]{1,40}`).Draw(r, "text"))
			// Two messages of one sender and reference lie further apart than one message can.
			sent := c.now().Add(time.Duration(i) * 3 * time.Hour)
			ps := gsm(text, rapid.IntRange(3, 20).Draw(r, "cut"), rapid.Uint16Range(1, 2).Draw(r, "ref"), sent)
			sender := rapid.SampledFrom([]string{from, "+59891000000"}).Draw(r, "sender")
			for j := range ps {
				ps[j].From = sender
				ps[j].SentAt = sent.Add(time.Duration(rapid.IntRange(0, 50).Draw(r, "lag")) * time.Second)
			}
			want[text] = true
			parts = append(parts, ps...)
		}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(parts)-1), 0, 5).Draw(r, "twice") {
			parts = append(parts, parts[i])
		}
		for _, p := range rapid.Permutation(parts).Draw(r, "order") {
			take(t, s, p)
			switch rapid.IntRange(0, 9).Draw(r, "event") {
			case 0:
				c.add(time.Minute)
				if _, err := s.FlushParts(bg, c.now()); err != nil {
					r.Fatal(err)
				}
			case 1:
				s = reopen(t, s)
				s.db.NoSync = true
			}
		}
		for _, in := range inbox(t, s) {
			if !want[in.Text] || in.Incomplete {
				r.Fatalf("delivered %q, incomplete %t", in.Text, in.Incomplete)
			}
			delete(want, in.Text)
		}
		if len(want) > 0 {
			r.Fatalf("never delivered: %v", want)
		}
	})
}
