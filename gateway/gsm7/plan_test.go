package gsm7

import (
	"errors"
	"strings"
	"testing"

	"fieldpost/gateway"

	"pgregory.net/rapid"
)

// The borders of TS 23.040 §9.2.3.24.1 and §9.2.3.24.8.
func TestSegmentsAtTheBorders(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		o    Options
		want Plan
	}{
		{"one", strings.Repeat("a", 160), Options{}, Plan{Segments: 1, Units: 160, PerSegment: 160}},
		{"two", strings.Repeat("a", 161), Options{}, Plan{Segments: 2, Units: 161, PerSegment: 152, Left: 143}},
		{"full two", strings.Repeat("a", 304), Options{}, Plan{Segments: 2, Units: 304, PerSegment: 152}},
		{"three", strings.Repeat("a", 305), Options{}, Plan{Segments: 3, Units: 305, PerSegment: 152, Left: 151}},
		{"8-bit two", strings.Repeat("a", 306), Options{Ref8: true}, Plan{Segments: 2, Units: 306, PerSegment: 153}},
		{"8-bit three", strings.Repeat("a", 307), Options{Ref8: true}, Plan{Segments: 3, Units: 307, PerSegment: 153, Left: 152}},
		{"escapes", strings.Repeat("€", 80), Options{}, Plan{Segments: 1, Units: 160, PerSegment: 160}},
		{"escape on the border", strings.Repeat("a", 151) + "€" + strings.Repeat("a", 10), Options{},
			Plan{Segments: 2, Units: 163, PerSegment: 152, Left: 140}},
		{"UCS2 one", strings.Repeat("ú", 70), Options{}, Plan{Encoding: 1, Segments: 1, Units: 70, PerSegment: 70}},
		{"UCS2 two", strings.Repeat("ú", 71), Options{}, Plan{Encoding: 1, Segments: 2, Units: 71, PerSegment: 66, Left: 61}},
		{"UCS2 8-bit", strings.Repeat("ú", 134), Options{Ref8: true}, Plan{Encoding: 1, Segments: 2, Units: 134, PerSegment: 67}},
		{"surrogate on the border", strings.Repeat("ú", 65) + "😀" + strings.Repeat("ú", 10), Options{},
			Plan{Encoding: 1, Segments: 2, Units: 77, PerSegment: 66, Left: 54}},
		{"the most", strings.Repeat("a", 1520), Options{}, Plan{Segments: 10, Units: 1520, PerSegment: 152}},
	} {
		got, err := c.o.Plan(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got.Forced = nil
		if got.Encoding != c.want.Encoding || got.Segments != c.want.Segments || got.Units != c.want.Units ||
			got.PerSegment != c.want.PerSegment || got.Left != c.want.Left {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestTextsThatNeverTravelAreRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name, text, say string
		o               Options
	}{
		{"empty", "", "is empty", Options{}},
		{"S24 invalid UTF-8", "Acci\xf3n", "byte 4 (0xF3)", Options{}},
		{"S9 escape", "pay \x1be", "U+001B at character 4", Options{}},
		{"nul", "ñ\x00", "U+0000 at character 1", Options{}},
		{"C1", "a\u0085", "U+0085", Options{}},
		{"delete", "\x7f", "U+007F", Options{}},
		{"eleven segments", strings.Repeat("a", 1521), "takes 11 segments in GSM7, and at most 10", Options{}},
		{"eleven segments of UCS2", strings.Repeat("ú", 661), "takes 11 segments in UCS2, and at most 10", Options{}},
		{"the limit asked for", strings.Repeat("a", 161), "at most 1", Options{MaxSegments: 1}},
		{"a limit above the hard one", strings.Repeat("a", 1521), "at most 10", Options{MaxSegments: 11}},
		{"far too long", strings.Repeat("a", 1<<20), "more than 1600 characters", Options{}},
	} {
		_, err := c.o.Plan(c.text)
		var e *gateway.Error
		if !errors.As(err, &e) || e.Kind != gateway.KindInvalid || e.Field != "text" || !strings.Contains(e.Text, c.say) {
			t.Errorf("%s: %v, want an invalid text that says %q", c.name, err, c.say)
		}
		segments, cutErr := c.o.Cut(c.text)
		if cutErr == nil || cutErr.Error() != err.Error() || segments != nil {
			t.Errorf("%s: Cut says %v, Plan %v", c.name, cutErr, err)
		}
	}
}

// Plan looks for what it refuses only among the characters that have no code.
func TestControlCharactersHaveNoCode(t *testing.T) {
	for r := rune(0); r < 0x100; r++ {
		if control(r) && septetCost(r) > 0 {
			t.Errorf("U+%04X has a code", r)
		}
	}
}

func TestTextThatIsTooLongStillSaysWhy(t *testing.T) {
	p, err := Options{MaxSegments: 2}.Plan("“" + strings.Repeat("a", 150))
	if err == nil || p.Segments != 3 || len(p.Forced) != 1 || p.Forced[0].Rune != '“' {
		t.Errorf("%+v, %v", p, err)
	}
}

// texts draws texts with every kind of character, dense around the borders.
func texts() *rapid.Generator[string] {
	char := rapid.OneOf(
		rapid.SampledFrom([]rune("abc @\n\r\fÑ")),
		rapid.SampledFrom([]rune("€[]{}^~|\\")),
		rapid.SampledFrom([]rune("úç“—😀𐐷漢\t\u0301")),
		rapid.Rune(),
	)
	gsm := rapid.SampledFrom([]rune("abc@€[Ñ\n"))
	wide := rapid.SampledFrom([]rune("aú😀"))
	return rapid.OneOf(
		rapid.StringOfN(char, 0, 400, -1),
		rapid.StringOfN(gsm, 100, 1700, -1),
		rapid.StringOfN(wide, 50, 800, -1),
	)
}

func TestPlanIsWhatCutCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		o := Options{Ref8: rapid.Bool().Draw(t, "8-bit"), MaxSegments: rapid.IntRange(0, 12).Draw(t, "most")}
		p, planErr := o.Plan(text)
		segments, cutErr := o.Cut(text)
		if (planErr == nil) != (cutErr == nil) {
			t.Fatalf("Plan says %v, Cut %v", planErr, cutErr)
		}
		if planErr == nil {
			checkCut(t, text, p, segments)
		}
	})
}

func checkCut(t *rapid.T, text string, p Plan, segments []Segment) {
	if len(segments) != p.Segments || len(segments) > MaxSegments {
		t.Fatalf("%d segments, the plan says %d", len(segments), p.Segments)
	}
	var joined, decoded strings.Builder
	units, last := 0, 0
	for i := range segments {
		s := &segments[i]
		last = len(s.Septets) + len(s.Units)
		units += last
		joined.WriteString(s.Text)
		if s.Encoding() != p.Encoding || last == 0 || last > p.PerSegment {
			t.Fatalf("segment %d: %d units of %s", i, last, s.Encoding())
		}
		if p.Encoding == gateway.EncodingGSM7 { // each decoded alone: so no pair is split
			decoded.WriteString(DecodeSeptets(s.Septets))
		} else {
			decoded.WriteString(decodeInside(s.Octets()))
		}
	}
	if joined.String() != text || decoded.String() != text {
		t.Fatalf("%q came back as %q and %q", text, joined.String(), decoded.String())
	}
	if units != p.Units || p.PerSegment-last != p.Left {
		t.Fatalf("%d units, %d left; the plan says %+v", units, p.PerSegment-last, p)
	}
	if (p.Encoding == gateway.EncodingUCS2) != (len(p.Forced) > 0) {
		t.Fatalf("%s with %d characters that force it", p.Encoding, len(p.Forced))
	}
}

// decodeInside reads UTF-16 that is not at the beginning of a text, where a byte
// order mark would be dropped.
func decodeInside(octets []byte) string {
	return strings.TrimPrefix(DecodeUCS2(append([]byte{0, 'x'}, octets...)), "x")
}

// P74
func TestP74ALongTextIsCutIntoSegments(t *testing.T) {
	segments, err := Cut(strings.Repeat("0123456789", 35))
	if err != nil || len(segments) != 3 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for i, want := range []int{152, 152, 46} {
		if got := len(segments[i].Septets); got != want {
			t.Errorf("segment %d has %d septets, want %d", i, got, want)
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add("Hola, ¿qué tal?")
	f.Add("Acción “ya”…\xff")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := PlanText(text)
		segments, cutErr := Cut(text)
		if (err == nil) != (cutErr == nil) || err == nil && p.Segments != len(segments) {
			t.Fatalf("%+v %v against %d segments, %v", p, err, len(segments), cutErr)
		}
		if s := Substitute(text); s != text && !Fits(s) {
			t.Fatalf("%q became %q, which does not fit either", text, s)
		}
	})
}

func BenchmarkPlanOneSegment(b *testing.B) {
	text := "Estimado cliente, su turno es el 22/11 a las 14:45. Responda SI para confirmar o NO para cancelar."
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PlanText(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCutFourSegmentsOfEmoji(b *testing.B) {
	text := strings.Repeat("Acción 😀 ", 24)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Cut(text); err != nil {
			b.Fatal(err)
		}
	}
}
