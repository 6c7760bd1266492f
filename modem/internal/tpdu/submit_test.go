package tpdu

import (
	"encoding/hex"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"

	codec "github.com/warthog618/sms/encoding/tpdu"
	"pgregory.net/rapid"
)

const uruguayan = gateway.Address("+59899123456")

func cut(t testing.TB, text string) []gsm7.Segment {
	t.Helper()
	segments, err := gsm7.Cut(text)
	if err != nil {
		t.Fatal(err)
	}
	return segments
}

func encode(t testing.TB, s Submit) Encoded {
	t.Helper()
	e, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSubmitVectors(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      Submit
		hex    string
		length int
	}{
		{"GSM7 with report", Submit{To: uruguayan, Segment: cut(t, "Hola")[0], Report: true},
			"0021000B919598193254F6000004C8373B0C", 17},
		{"UCS2 with report", Submit{To: uruguayan, Segment: cut(t, "Acción ñ")[0], Report: true},
			"0021000B919598193254F6000810004100630063006900F3006E002000F1", 29},
		{"S1 a short code is no international number", Submit{To: "12345", Segment: cut(t, "Hola")[0]},
			"00010005812143F5000004C8373B0C", 14},
		{"a short code of two digits", Submit{To: "09", Segment: cut(t, "Hola")[0]},
			"000100028190000004C8373B0C", 12},
		{"flash", Submit{To: uruguayan, Segment: cut(t, "Hola")[0], Flash: true},
			"0001000B919598193254F6001004C8373B0C", 17},
		{"flash in UCS2", Submit{To: uruguayan, Segment: cut(t, "ú")[0], Flash: true},
			"0001000B919598193254F600180200FA", 15},
		{"validity of a day", Submit{To: uruguayan, Segment: cut(t, "Hola")[0], Validity: 24 * time.Hour},
			"0011000B919598193254F60000A704C8373B0C", 18},
		{"first of two, 16-bit reference", Submit{To: uruguayan, Segment: gsm7.Segment{Septets: []byte("abc\x1b")}, Ref: 0x1234, Total: 2, Seq: 1},
			"0041000B919598193254F600000C0608041234020161F17803", 24},
	} {
		e := encode(t, c.s)
		if e.Hex != c.hex || e.Length != c.length {
			t.Errorf("%s:\n%s %d, want\n%s %d", c.name, e.Hex, e.Length, c.hex, c.length)
		}
	}
}

// The table of TS 23.040 §9.2.3.12.1; S7: the library makes 10 minutes of 5.
func TestValidityInTheRelativeFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "00", 5 * time.Minute: "00", 7 * time.Minute: "00", 10 * time.Minute: "01", 15 * time.Minute: "02",
		time.Hour: "0B", 12 * time.Hour: "8F", 12*time.Hour + 30*time.Minute: "90", 24 * time.Hour: "A7",
		48 * time.Hour: "A8", 30 * 24 * time.Hour: "C4", 35 * 24 * time.Hour: "C5", 63 * 7 * 24 * time.Hour: "FF", 1000 * 24 * time.Hour: "FF",
	} {
		e := encode(t, Submit{To: uruguayan, Segment: cut(t, "Hola")[0], Validity: d})
		if got := e.Hex[26:28]; got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func TestSubmitRefusesWhatCannotTravel(t *testing.T) {
	hola := cut(t, "Hola")[0]
	for say, s := range map[string]Submit{
		"to: is no international number":                    {To: "BANCO", Segment: hola},
		"to: is":                                            {Segment: hola},
		"text: is empty":                                    {To: uruguayan},
		"segment: is number 0 of 2":                         {To: uruguayan, Segment: hola, Total: 2},
		"segment: is number 3 of 2":                         {To: uruguayan, Segment: hola, Total: 2, Seq: 3},
		"segment: is number 1 of 256":                       {To: uruguayan, Segment: hola, Total: 256, Seq: 1}, // S4
		"validity: is negative":                             {To: uruguayan, Segment: hola, Validity: -1},
		"takes 140 octets in one segment, and 133 are free": {To: uruguayan, Segment: gsm7.Segment{Septets: make([]byte, 160)}, Total: 2, Seq: 1},
		"takes 141 octets":                                  {To: uruguayan, Segment: gsm7.Segment{Septets: make([]byte, 161)}},
	} {
		e, err := s.Encode()
		if gateway.KindOf(err) != gateway.KindInvalid || !strings.Contains(err.Error(), say) || e.Hex != "" {
			t.Errorf("%v, want an error that says %q", err, say)
		}
	}
}

func TestLibraryReadsBackWhatWeWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"abc @€[]\n", "aú漢😀"}).Draw(t, "alphabet")
		text := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), 1, 700, -1).Draw(t, "text")
		segments, err := gsm7.Cut(text)
		if err != nil {
			return
		}
		to := gateway.Address(rapid.StringMatching(`\+[1-9][0-9]{6,14}|[0-9]{2,6}`).Draw(t, "to"))
		ref := rapid.Uint16().Draw(t, "ref")
		var joined []byte
		for i := range segments {
			s := Submit{To: to, Segment: segments[i], Ref: ref, Total: len(segments), Seq: i + 1, Report: rapid.Bool().Draw(t, "report")}
			e, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			octets, err := hex.DecodeString(e.Hex[2:])
			if err != nil || len(octets) != e.Length || e.Hex != strings.ToUpper(e.Hex) { // S26
				t.Fatalf("%s has %d octets, announced %d, %v", e.Hex, len(octets), e.Length, err)
			}
			back := codec.TPDU{Direction: codec.MO}
			if err := back.UnmarshalBinary(octets); err != nil {
				t.Fatalf("%s: %v", e.Hex, err)
			}
			total, seq, mref, concat := back.ConcatInfo()
			if concat != (len(segments) > 1) || concat && (total != len(segments) || seq != i+1 || mref != int(ref)) {
				t.Fatalf("%s: segment %d of %d, reference %d", e.Hex, seq, total, mref)
			}
			if back.DA.Number() != string(to) || back.FirstOctet.SRR() != s.Report {
				t.Fatalf("%s is for %s, report %v", e.Hex, back.DA.Number(), back.FirstOctet.SRR())
			}
			joined = append(joined, back.UD...)
		}
		got := gsm7.DecodeSeptets(joined)
		if segments[0].Encoding() == gateway.EncodingUCS2 {
			got = gsm7.DecodeUCS2(joined)
		}
		if got != text {
			t.Fatalf("%q came back as %q", text, got)
		}
	})
}

// S23: the library builds its tables at their first use, so the race is there once
// in the life of a process: this one starts another to have it, under the race
// detector where that is on.
func TestManyModemsEncodeAndDecodeAtOnce(t *testing.T) {
	const child = "FIELDPOST_TPDU_CHILD"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	segment := cut(t, "Hola")[0]
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			<-start
			s := Submit{To: uruguayan, Segment: segment}
			if _, err := s.Encode(); err != nil {
				t.Error(err)
			}
			if d := DecodeDeliver(deliver("44", sender, "00", "0903240102D8843709"), 0); d.Text != "áç" {
				t.Errorf("%q", d.Text)
			}
		})
	}
	close(start)
	wg.Wait()
}

func BenchmarkEncode(b *testing.B) {
	s := Submit{To: uruguayan, Segment: cut(b, strings.Repeat("Hola ", 30))[0], Report: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
