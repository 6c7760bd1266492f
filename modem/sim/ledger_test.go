package sim_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/tpdu"

	"fieldpost/modem/sim"
)

func segment(ref uint16, seq, total int, text string) sim.Entry {
	return sim.Entry{SIM: "1", To: "+59899123456", Ref: ref, Wide: true, Seq: seq, Total: total, Text: text}
}

func TestTheLedgerCountsCompleteMessages(t *testing.T) {
	for _, c := range []struct {
		name   string
		on     []sim.Entry
		copies map[string]int
		stray  int
	}{
		{"in order", []sim.Entry{segment(1, 1, 2, "a"), segment(1, 2, 2, "b")}, map[string]int{"ab": 1}, 0},
		{"out of order", []sim.Entry{segment(1, 2, 2, "b"), segment(1, 1, 2, "a")}, map[string]int{"ab": 1}, 0},
		{"one missing", []sim.Entry{segment(1, 2, 3, "b"), segment(1, 1, 3, "a")}, map[string]int{}, 2},
		{"one repeated", []sim.Entry{segment(1, 1, 2, "a"), segment(1, 1, 2, "a"), segment(1, 2, 2, "b")}, map[string]int{"ab": 1}, 1},
		{"all repeated", []sim.Entry{segment(1, 1, 2, "a"), segment(1, 2, 2, "b"), segment(1, 1, 2, "a"), segment(1, 2, 2, "b")}, map[string]int{"ab": 2}, 0},
		{"two references", []sim.Entry{segment(1, 1, 2, "a"), segment(2, 2, 2, "b")}, map[string]int{}, 2},
		{"a reference used again", []sim.Entry{segment(1, 1, 2, "a"), segment(1, 2, 2, "b"), segment(1, 1, 2, "c"), segment(1, 2, 2, "d")}, map[string]int{"ab": 1, "cd": 1}, 0},
		{"the same single text twice", []sim.Entry{segment(0, 1, 1, "x"), segment(0, 1, 1, "x")}, map[string]int{"x": 2}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := sim.NewNetwork(sim.NetworkOptions{})
			defer n.Close()
			for _, e := range c.on {
				n.Submit(e, nil)
			}
			got := n.Copies()
			for text, want := range c.copies {
				if got[sim.Copy{To: "+59899123456", Text: text}] != want {
					t.Errorf("%v, want %d of %q", got, want, text)
				}
			}
			if len(got) != len(c.copies) || len(n.Unpaired()) != c.stray {
				t.Errorf("%d messages and %d strays, want %d and %d", len(got), len(n.Unpaired()), len(c.copies), c.stray)
			}
		})
	}
}

func TestTheLedgerTakesManyAtOnce(t *testing.T) {
	seen := 0
	n := sim.NewNetwork(sim.NetworkOptions{OnEntry: func(sim.Entry) { seen++ }})
	defer n.Close()
	changed := n.Changed()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				n.Submit(sim.Entry{SIM: fmt.Sprint(i), To: "1", Text: fmt.Sprint(i, j)}, nil)
			}
		})
	}
	<-changed
	wg.Wait()
	if n.Len() != 800 || seen != 800 || len(n.Copies()) != 800 || n.PerSIM()["3"] != 100 {
		t.Errorf("%d entries, %d seen, %d messages, %d of card 3", n.Len(), seen, len(n.Copies()), n.PerSIM()["3"])
	}
}

// TestReadsWhatAnotherEncoderWrites holds the simulator's reader of SMS-SUBMIT, and
// its writer of SMS-DELIVER, against a library that shares no code with them.
func TestReadsWhatAnotherEncoderWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ 09@£€{}[]~\\^|ñéüñжΩ你🚀👍\n")), 1, 300, -1).Draw(t, "text")
		n := sim.NewNetwork(sim.NetworkOptions{})
		defer n.Close()
		tpdus, err := sms.Encode([]byte(text), sms.To("59899123456"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i := range tpdus {
			b, err := tpdus[i].MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			e, err := sim.ReadSubmit(append([]byte{0}, b...))
			if err != nil {
				t.Fatalf("%X: %v", b, err)
			}
			if e.To != "+59899123456" || e.Total != len(tpdus) || e.Seq != i+1 {
				t.Fatalf("%X is read as %+v", b, e)
			}
			n.Submit(e, nil)
		}
		for _, m := range n.Messages() {
			got += m.Text
		}
		if got != text {
			t.Fatalf("read %q, want %q", got, text)
		}
	})
}

func TestAnotherDecoderReadsWhatItDelivers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ 09@£€{}[]~\\^|ñéüñжΩ你🚀👍\n")), 1, 300, -1).Draw(t, "text")
		n := sim.NewNetwork(sim.NetworkOptions{})
		defer n.Close()
		var parts []*tpdu.TPDU
		n.Attach("1", "+1", func(pdu []byte, report bool) bool {
			p, err := sms.Unmarshal(pdu[1+pdu[0]:], sms.AsMT)
			if err != nil {
				t.Fatalf("%X: %v", pdu, err)
			}
			parts = append(parts, p)
			return true
		})
		if err := n.Deliver(sim.Incoming{From: "+59899123456", To: "+1", Text: text, Wide: true, Ref: 0xBEEF}); err != nil {
			t.Fatal(err)
		}
		got, err := sms.Decode(parts)
		if err != nil || string(got) != text || parts[0].OA.Number() != "+59899123456" {
			t.Fatalf("read %q from %s: %v; want %q", got, parts[0].OA.Number(), err, text)
		}
	})
}

func FuzzReadSubmit(f *testing.F) {
	f.Add(unhex(f, hola))
	f.Add(unhex(f, "0021000B919598193254F6000810004100630063006900F3006E002000F1"))
	f.Fuzz(func(t *testing.T, pdu []byte) {
		e, err := sim.ReadSubmit(pdu)
		if err == nil && (e.Seq < 1 || e.Seq > e.Total) {
			t.Errorf("%X is segment %d of %d", pdu, e.Seq, e.Total)
		}
		_, _ = sim.ReadDeliver(pdu) // it must not panic
	})
}
