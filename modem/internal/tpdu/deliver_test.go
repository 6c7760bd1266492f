package tpdu

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fieldpost/gateway/gsm7"

	codec "github.com/warthog618/sms/encoding/tpdu"
	"pgregory.net/rapid"
)

// The pieces of a TPDU from +59899123456 at 14:45:01 -03 on 22 November 2026, put
// together by hand.
const (
	sender = "0B919598193254F6"
	scts   = "62112241541029"
)

var sentAt = time.Date(2026, 11, 22, 17, 45, 1, 0, time.UTC)

// deliver gives the line of an SMS-DELIVER without SMSC; ud begins with TP-UDL.
func deliver(first, oa, dcs, ud string) string { return "00" + first + oa + "00" + dcs + scts + ud }

func TestDeliverVectors(t *testing.T) {
	for _, c := range []struct {
		name, line string
		length     int
		want       Deliver
	}{
		{"a modem's", "07919598090000F0040B919598193254F600006211224154102904C8373B0C", 23,
			Deliver{SMSC: "+59899000000", From: "+59899123456", SentAt: sentAt, Text: "Hola"}},
		{"widely published, 1999", "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37", 0,
			Deliver{SMSC: "+27381000015", From: "27838890001", SentAt: time.Date(1999, 3, 29, 13, 16, 59, 0, time.UTC), Text: "hellohello"}},
		{"widely published, 2002", "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07", 0,
			Deliver{SMSC: "+31624000000", From: "+31641600986", SentAt: time.Date(2002, 8, 26, 19, 37, 41, 0, time.UTC), Text: "How are you?"}},
		{"UCS2", deliver("04", sender, "08", "10004100630063006900F3006E002000F1"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Text: "Acción ñ", Coding: UCS2, DCS: 8}},
		{"flash", deliver("04", sender, "10", "04C8373B0C"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Text: "Hola", DCS: 0x10, Flash: true}},
		{"binary", deliver("04", sender, "04", "03010203"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, DCS: 4, Coding: Binary}},
		{"empty", deliver("04", sender, "00", "00"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt}},
		{"second of two, 8-bit reference", deliver("44", sender, "00", "0B050003CC0202906F7618"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Ref: 0xCC, Total: 2, Seq: 2}},
		{"second of two, 16-bit reference", deliver("40", sender, "00", "0C060804123402026572D90C"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Ref: 0x1234, Wide: true, Total: 2, Seq: 2, More: true}},
		{"letters", deliver("04", "0ED0D637396C7EBBCB", "00", "04C8373B0C"), 0,
			Deliver{From: "Vodafone", SentAt: sentAt, Text: "Hola"}},
		{"a short code", deliver("04", "05812143F5", "00", "04C8373B0C"), 0,
			Deliver{From: "12345", SentAt: sentAt, Text: "Hola"}},
		{"Spanish single shift", deliver("44", sender, "00", "0903240102D8843709"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Text: "áç"}},
		{"Turkish locking shift", deliver("44", sender, "00", "0703250101382C00"), 0,
			Deliver{From: "+59899123456", SentAt: sentAt, Text: "ıĞ"}},
	} {
		got := DecodeDeliver(c.line, c.length)
		if got.Undecoded != "" || len(got.Notes) != 0 || got.Raw != c.line {
			t.Errorf("%s: undecoded %q, notes %q, raw %s", c.name, got.Undecoded, got.Notes, got.Raw)
		}
		got.Notes, got.Raw, got.Septets, got.Octets = nil, "", nil, nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}

// guards lists what networks and modems do wrong; each case fails without its guard.
var guards = []struct {
	name, line string
	length     int
	from, text string
	note       string // "" = mended without a word
}{
	{"S10 a reserved coding is GSM7", deliver("04", sender, "80", "04C8373B0C"), 0, "+59899123456", "Hola", "coding 80 is reserved"},
	{"S10 the other end of the range", deliver("04", sender, "BF", "04C8373B0C"), 0, "+59899123456", "Hola", "coding BF is reserved"},
	{"S11 a sender with brackets", deliver("04", "0ED01B9E30EC5E6F7C", "00", "04C8373B0C"), 0, "[Bank]", "Hola", ""},
	{"S11 a sender with a euro", deliver("04", "09D0D0707E5306", "00", "04C8373B0C"), 0, "Pay€", "Hola", ""},
	{"S12 a length rounded up", deliver("04", "0ED0D432BBEC7ECB01", "00", "04C8373B0C"), 0, "Telenor", "Hola", ""},
	{"S12 a length that is right", deliver("04", "0DD0D432BBEC7ECB01", "00", "04C8373B0C"), 0, "Telenor", "Hola", ""},
	{"S13 an odd number filled with 0", deliver("04", "0B91959819325406", "00", "04C8373B0C"), 0, "+59899123456", "Hola", ""},
	{"S13 fill in the middle", deliver("04", "0C919598F932F4FF", "00", "04C8373B0C"), 0, "+59899", "Hola", ""},
	{"S13 fill before the end", deliver("04", "0C9195981932F4FF", "00", "04C8373B0C"), 0, "+598991234", "Hola", ""},
	{"S14 one octet too many", deliver("04", sender, "00", "04C8373B0C00"), 0, "+59899123456", "Hola", "1 octets behind the text"},
	{"S14 octets behind the announced length", deliver("04", sender, "00", "04C8373B0C00"), 23, "+59899123456", "Hola", "behind the announced length"},
	{"S14 a length one too large", deliver("04", sender, "00", "06C8373B0C"), 0, "+59899123456", "Hola", "shorter than it says"},
	{"S15 an emoji cut in half", deliver("04", sender, "08", "040041D83D"), 0, "+59899123456", "A\uFFFD", ""},
	{"S15 an odd length", deliver("04", sender, "08", "0500410042DE"), 0, "+59899123456", "AB\uFFFD", ""},
	{"S17 a reserved type", deliver("07", sender, "00", "04C8373B0C"), 0, "+59899123456", "Hola", "type is reserved"},
	{"S20 an element past the end of the header", deliver("44", sender, "04", "0A030008041234020141"), 0, "+59899123456", "", "past its end"},
	{"a concatenation that makes no sense", deliver("44", sender, "08", "09060804123402030041"), 0, "+59899123456", "A", "segment 3 of 2"},
	{"the SMSC is missing", deliver("04", sender, "00", "04C8373B0C")[2:], 23, "+59899123456", "Hola", "SMSC is missing"},
	{"lower case and blanks around it", " " + strings.ToLower(deliver("04", sender, "00", "04C8373B0C")) + "\r\n", 0, "+59899123456", "Hola", ""},
	{"a quote behind it", deliver("04", sender, "00", "04C8373B0C") + "\"", 0, "+59899123456", "Hola", "not hexadecimal behind digit 48"},
	{"half an octet behind it", deliver("04", sender, "00", "04C8373B0C") + "A", 0, "+59899123456", "Hola", "half missing"},
}

func TestGuards(t *testing.T) {
	for _, c := range guards {
		d := DecodeDeliver(c.line, c.length)
		if d.From != c.from || d.Text != c.text || d.Undecoded != "" || d.Total > 1 {
			t.Errorf("%s: from %q, text %q, undecoded %q, notes %q", c.name, d.From, d.Text, d.Undecoded, d.Notes)
		}
		noted := slices.ContainsFunc(d.Notes, func(n string) bool { return strings.Contains(n, c.note) })
		if (c.note == "") != (len(d.Notes) == 0) || c.note != "" && !noted {
			t.Errorf("%s: notes %q, want one that says %q", c.name, d.Notes, c.note)
		}
		if !d.SentAt.Equal(sentAt) {
			t.Errorf("%s: sent at %s", c.name, d.SentAt)
		}
	}
}

// The defects are real: without the guards the library gives nothing, or something else.
func TestGuardsAreNeeded(t *testing.T) {
	for _, c := range guards {
		id, _, _ := strings.Cut(c.name, " ")
		if len(id) != 3 || id[0] != 'S' || id == "S15" || strings.Contains(c.name, "is right") || c.length > 0 {
			continue // no defect of the library's, or one of its text decoder
		}
		octets, err := hex.DecodeString(c.line[2:])
		if err != nil {
			t.Fatal(err)
		}
		lib := codec.TPDU{Direction: codec.MT}
		if err := lib.UnmarshalBinary(octets); err == nil && lib.OA.Number() == c.from && len(lib.UDH) == 0 {
			t.Errorf("%s: the library reads it by itself now", c.name)
		}
	}
}

// S16
func TestTimeThatIsNoTimeIsZeroAndLosesNothing(t *testing.T) {
	for _, bad := range []string{
		"00000000000000", "FFFFFFFFFFFFFF", "6A112241541029", // no digits
		"62312241541029", "62119941541029", "62201341541029", // month 13, day 99, 31 February
		"62112252541029", "62112241061029", "62112241540629", // 25 o'clock, minute 60, second 60
		"62112241541007", "621122415410F9", // 17:30 hours ahead, no digit
	} {
		line := strings.Replace(deliver("04", sender, "00", "04C8373B0C"), scts, bad, 1)
		d := DecodeDeliver(line, 0)
		if !d.SentAt.IsZero() || d.Text != "Hola" || d.Undecoded != "" || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], bad) {
			t.Errorf("%s: %s, text %q, undecoded %q, notes %q", bad, d.SentAt, d.Text, d.Undecoded, d.Notes)
		}
	}
}

func TestZonesOfTheWorld(t *testing.T) {
	for zone, quarters := range map[string]int{"00": 0, "08": 0, "80": 8, "29": -12, "65": 56, "84": 48, "22": 22} {
		line := strings.Replace(deliver("04", sender, "00", "04C8373B0C"), scts, scts[:12]+zone, 1)
		want := time.Date(2026, 11, 22, 14, 45, 1, 0, time.UTC).Add(-time.Duration(quarters) * 15 * time.Minute)
		if d := DecodeDeliver(line, 0); !d.SentAt.Equal(want) {
			t.Errorf("zone %s: %s, want %s", zone, d.SentAt, want)
		}
	}
}

// S19: an escape pair over two segments is whole again once the septets are joined.
func TestEscapeSplitOverTwoSegments(t *testing.T) {
	a := DecodeDeliver(deliver("44", sender, "00", "0C0608041234020161F17803"), 0)
	b := DecodeDeliver(deliver("44", sender, "00", "0C060804123402026572D90C"), 0)
	if a.Text != "" || b.Text != "" || a.Seq != 1 || b.Seq != 2 {
		t.Errorf("%+v %+v", a, b)
	}
	if got := gsm7.DecodeSeptets(append(a.Septets, b.Septets...)); got != "abc€def" {
		t.Errorf("%q", got)
	}
}

func TestWhatCannotBeReadIsKeptWithTheReason(t *testing.T) {
	whole := deliver("04", sender, "00", "04C8373B0C")
	for _, c := range []struct{ line, say, from string }{
		{"", "no hexadecimal digit", ""},
		{"garbage", "no hexadecimal digit", ""},
		{"07", "inside the SMSC", ""},
		{"00", "it is empty", ""},
		{whole[:4], "inside the sender", ""},
		{whole[:12], "inside the sender", "+5989"},
		{whole[:20], "behind the sender", "+59899123456"},
		{whole[:30], "inside the SMSC's time", "+59899123456"},
		{whole[:38], "before the text", "+59899123456"},
		{deliver("05", sender, "00", "04C8373B0C"), "no SMS-DELIVER", ""},
		{deliver("06", sender, "00", "04C8373B0C"), "no SMS-DELIVER", ""},
		{deliver("44", sender, "00", "04FF373B0C"), "header of the text is longer", "+59899123456"},
		{deliver("04", sender, "20", "04C8373B0C"), "compressed", "+59899123456"},
	} {
		d := DecodeDeliver(c.line, 0)
		if !strings.Contains(d.Undecoded, c.say) || d.From != c.from || d.Raw != strings.ToUpper(c.line) {
			t.Errorf("%s: undecoded %q, from %q, raw %s; want %q", c.line, d.Undecoded, d.From, d.Raw, c.say)
		}
	}
}

func TestLongLineIsReadInPartOnly(t *testing.T) {
	line := strings.Repeat("F", 1<<20)
	if d := DecodeDeliver(line, 0); d.Undecoded == "" || len(d.Raw) != len(line) || !slices.Contains(d.Notes, "only the first 1024 digits were read") {
		t.Errorf("undecoded %q, %d digits kept, notes %q", d.Undecoded, len(d.Raw), d.Notes)
	}
}

func TestIsReport(t *testing.T) {
	if IsReport(deliver("04", sender, "00", "04C8373B0C"), 0) || !IsReport(reportLine, 25) || IsReport("", 0) || IsReport("zz", 3) {
		t.Error("a message and a report are confused")
	}
}

// On what is well formed, the library and we agree.
func TestDeliverReadsWhatTheLibraryReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lib, _ := codec.NewDeliver()
		lib.OA = codec.NewAddress(codec.FromNumber(rapid.StringMatching(`[1-9][0-9]{2,14}`).Draw(t, "from")))
		lib.SCTS.Time = time.Unix(rapid.Int64Range(1e9, 3e9).Draw(t, "sent"), 0).In(time.FixedZone("", rapid.IntRange(-48, 56).Draw(t, "zone")*900))
		lib.DCS = codec.DCS(rapid.SampledFrom([]byte{0, 4, 8, 0x10, 0x18, 0xC0, 0xE0, 0xF4}).Draw(t, "dcs"))
		if rapid.Bool().Draw(t, "concat") {
			lib.SetUDH(codec.UserDataHeader{{ID: 8, Data: []byte{1, 2, 3, 2}}})
		}
		alphabet, _ := lib.Alphabet()
		data := rapid.SliceOfN(rapid.ByteRange(0, 127), 0, 60).Draw(t, "data")
		if alphabet == codec.AlphaUCS2 {
			data = data[:len(data)/2*2]
		}
		lib.UD = data
		octets, err := lib.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		d := DecodeDeliver("00"+hex.EncodeToString(octets), len(octets))
		got := d.Octets
		if alphabet == codec.Alpha7Bit {
			got = d.Septets
		}
		total, seq, ref, _ := lib.ConcatInfo()
		if d.Undecoded != "" || len(d.Notes) > 0 || !slices.Equal(got, data) || d.From != lib.OA.Number() || !d.SentAt.Equal(lib.SCTS.Time) ||
			d.Total != total || d.Seq != seq || int(d.Ref) != ref {
			t.Fatalf("%X: %+v, want %X from %s at %s", octets, d, data, lib.OA.Number(), lib.SCTS)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, c := range guards {
		f.Add(c.line, c.length)
	}
	f.Add(reportLine, 25)
	f.Fuzz(func(t *testing.T, line string, length int) {
		d, r := DecodeDeliver(line, length), DecodeReport(line, length)
		if d.Undecoded == faultOfOurs || r.Undecoded == faultOfOurs {
			t.Fatalf("%q: panicked", line)
		}
		if d.Raw != strings.ToUpper(strings.TrimSpace(line)) || d.Raw != r.Raw {
			t.Fatalf("%q is kept as %q", line, d.Raw)
		}
		if d.Total > 255 || d.Seq > d.Total || len(d.Septets) > 255 || len(d.Octets) > 255 {
			t.Fatalf("%q: %+v", line, d)
		}
		if !utf8.ValidString(d.Text) || !utf8.ValidString(d.From) || !utf8.ValidString(r.Recipient) {
			t.Fatalf("%q: %q from %q", line, d.Text, d.From)
		}
		if r.Undecoded != "" && r.ST != StatusMissing {
			t.Fatalf("%q: an unread report has the status %02X", line, r.ST)
		}
		IsReport(line, length)
	})
}

func BenchmarkDecodeDeliver(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		DecodeDeliver("07919598090000F0040B919598193254F600006211224154102904C8373B0C", 23)
	}
}
