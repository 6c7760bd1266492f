package numbers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"fieldpost/gateway"

	"pgregory.net/rapid"
)

func normaliser(t testing.TB, region string) *Normaliser {
	t.Helper()
	n, err := New(Options{Region: region, ShortCodes: true})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNumbersAsPeopleTypeThem(t *testing.T) {
	for _, c := range []struct {
		region, typed string
		want          gateway.Address
	}{
		{"UY", "+59899123456", "+59899123456"},
		{"UY", "098344484", "+59898344484"}, // vectors 1 and 2 of the product
		{"UY", "091111111", "+59891111111"},
		{"UY", "099 123 456", "+59899123456"},
		{"UY", "(099) 123-456", "+59899123456"},
		{"UY", "99123456", "+59899123456"},
		{"UY", "59899123456", "+59899123456"},
		{"UY", "0059899123456", "+59899123456"},
		{"UY", "+598 99.123.456", "+59899123456"},
		{"UY", "\u202a+598\u00a099\u2011123\u2011456\u202c", "+59899123456"}, // copied from a contact
		{"uy", " 099123456\t", "+59899123456"},
		{"AR", "011 15 1234-5678", "+5491112345678"},
		{"IT", "06 1234 5678", "+390612345678"}, // the 0 belongs to the number
		{"IT", "312 345 6789", "+393123456789"},
		{"UY", "+39 (0)6 12345678", "+390612345678"},
		{"UY", "+44 (0)7911 123456", "+447911123456"},
		{"GB", "07911 123456", "+447911123456"},
		{"US", "(212) 555-1234", "+12125551234"},
		{"US", "011 598 99 123 456", "+59899123456"},
		{"BR", "(11) 98765-4321", "+5511987654321"},
		{"DE", "0151/12345678", "+4915112345678"},
		{"", "+59899123456", "+59899123456"},
		{"NO", "113", "113"}, // the library makes it +47113
		{"UY", "00123", "00123"},
		{"UY", "26100", "26100"},
	} {
		got, err := normaliser(t, c.region).Normalise(c.typed)
		if err != nil || got != c.want {
			t.Errorf("%s %q is %q, %v; want %q", c.region, c.typed, got, err, c.want)
		}
	}
}

func TestBadNumbersAreRefusedWithTheReason(t *testing.T) {
	for typed, say := range map[string]string{
		"":                         "is empty",
		" - ":                      "is empty",
		"+":                        "is empty",
		"1-800-FLOWERS":            "has 'F'",
		"099123456x12":             "has 'x'",
		"٠٩٩١٢٣٤٥٦":                "has '٠'",
		"099123456;099123457":      "has ';'",
		"099+123456":               "not at its beginning",
		"++59899123456":            "not at its beginning",
		"\xff099123456":            "cannot be read",
		"5":                        "1 digit",
		"+12345":                   "has 5 digits",
		"+1234567890123456":        "has 16 digits",
		"+0598991234567":           "has a 0 where",
		"0012345":                  "has 5 digits",
		"09912345678901":           "no international number of 7 to 15 digits in UY",
		"99999999999999999999":     "number of UY",
		strings.Repeat("0", 1<<20): "longer than 64",
	} {
		a, err := normaliser(t, "UY").Normalise(typed)
		var e *gateway.Error
		if a != "" || !errors.As(err, &e) || e.Kind != gateway.KindInvalid || e.Field != Field || !strings.Contains(e.Text, say) {
			t.Errorf("%.30q: %q, %v; want an error that says %q", typed, a, err, say)
		}
	}
}

func TestLengthOfTheNumberingPlanDecides(t *testing.T) {
	for _, c := range []struct{ region, typed, say string }{
		{"ES", "6123456", "has too few digits for a number of ES"},
		{"ES", "6123456789", "has too many digits for a number of ES"},
		{"US", "5551234", "lacks the area code"},
		{"MX", "5215512345678", "write + and the country code if it is right"},
	} {
		if _, err := normaliser(t, c.region).Normalise(c.typed); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %s: %v, want an error that says %q", c.region, c.typed, err, c.say)
		}
	}
}

func TestRegionDecidesWhatIsUnderstood(t *testing.T) {
	if _, err := New(Options{Region: "XX"}); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("region XX: %v", err)
	}
	n, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Normalise("099123456"); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Errorf("a national number without a region: %v", err)
	}
	if _, err := n.Normalise("1234"); err == nil || !strings.Contains(err.Error(), "short codes are not allowed") {
		t.Errorf("a short code where none are allowed: %v", err)
	}
}

var regions = []string{"UY", "AR", "MX", "BR", "GB", "US", "ES", "DE", "IT"}

// nationals gives national numbers of the region's kind and slips of them, many
// with the same beginning.
func nationals(region string, r *rand.Rand) string {
	heads := map[string][]string{
		"UY": {"0991", "0983", "991", "598991", "2401", "02401"},
		"AR": {"0111512", "1112", "0221154", "54911", "0299154", "02901", "1115"},
		"MX": {"55123", "52155", "0155", "04455", "33123", "5255", "1551"},
		"BR": {"119876", "0119876", "01511", "551198", "0211198", "2133"},
		"GB": {"07911", "02079", "44791", "0800", "01204", "016977", "0169773"},
		"US": {"212555", "1212555", "800555", "5551", "011598"},
		"ES": {"612", "912", "34612", "0612", "900", "8000"},
		"DE": {"0151", "030", "0171", "49151", "01511", "02", "0800"},
		"IT": {"06", "02", "312", "0789", "39312", "800", "390", "00"},
	}[region]
	s := heads[r.IntN(len(heads))]
	for range 4 + r.IntN(6) {
		s += string(rune('0' + r.IntN(10)))
	}
	return s
}

// The memo must never change an answer. Each beginning is asked for often enough
// to be remembered, then with every kind of tail against the plans themselves.
func TestMemoGivesWhatThePlansGive(t *testing.T) {
	for _, region := range regions {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			n, r := normaliser(t, region), rand.New(rand.NewPCG(1, 2))
			hits := 0
			for range 60 {
				digits := nationals(region, r)
				key, ok := begin(digits)
				if !ok || strings.HasPrefix(digits, "00") {
					continue
				}
				for range proveAfter {
					n.memo.address(digits)
				}
				if _, ok := n.memo.prefix(key); ok {
					hits++
				}
				for range 8 {
					other := digits[:len(digits)-tail] + fmt.Sprintf("%04d", r.IntN(10000))
					got, gotErr := n.memo.address(other)
					want, wantErr := n.national(other)
					if got != want || (gotErr == nil) != (wantErr == nil) {
						t.Fatalf("%s is %q (%v) from memory, %q (%v) by the plan", other, got, gotErr, want, wantErr)
					}
				}
			}
			if hits < 5 {
				t.Errorf("only %d beginnings were remembered", hits)
			}
		})
	}
}

// No plan that we know looks at the last digits; one that did would stay slow.
func TestMemoKeepsNoBeginningWhoseTailMatters(t *testing.T) {
	for _, special := range []string{"9999", "3333"} {
		plan := func(digits string) (gateway.Address, error) {
			switch {
			case !strings.HasSuffix(digits, special):
				return gateway.Address("+598" + digits), nil
			case special == "9999":
				return gateway.Address("+999" + digits), nil
			}
			return "", gateway.Invalid(Field, "is nobody's")
		}
		m := memo{plan: plan}
		for i := range 3 * proveAfter {
			m.address(fmt.Sprintf("9912%04d", i))
		}
		got, gotErr := m.address("9912" + special)
		want, wantErr := plan("9912" + special)
		if got != want || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%s is %q (%v), want %q (%v)", special, got, gotErr, want, wantErr)
		}
	}
}

func TestMemoStaysWithinItsBound(t *testing.T) {
	var m memo
	for i := range uint64(3 * maxMemo) {
		m.count(beginning{digits: i, length: 9})
		if len(m.known) > maxMemo {
			t.Fatalf("%d beginnings are remembered", len(m.known))
		}
	}
	m.keep(beginning{digits: 1, length: 9}, "+1") // forgotten meanwhile
	if _, ok := m.prefix(beginning{digits: 1, length: 9}); ok {
		t.Error("a beginning that was forgotten came back unproven")
	}
}

func TestNormaliserServesManyAtOnce(t *testing.T) {
	n := normaliser(t, "UY")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				tail := fmt.Sprintf("%06d", (g*7919+i*13)%1000000)
				if a, err := n.Normalise("099" + tail); err != nil || a != gateway.Address("+59899"+tail) {
					t.Errorf("%s: %s, %v", tail, a, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNormaliseTakesItsOwnAnswers(t *testing.T) {
	n := normaliser(t, "UY")
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.OneOf(rapid.StringMatching(`\+?[0-9 ().-]{2,20}`), rapid.String()).Draw(t, "typed")
		a, err := n.Normalise(typed)
		if err != nil {
			if a != "" {
				t.Fatalf("%q gave %q with %v", typed, a, err)
			}
			return
		}
		if !a.E164() && !a.Short() {
			t.Fatalf("%q gave %q", typed, a)
		}
		if again, err := n.Normalise(string(a)); err != nil || again != a {
			t.Fatalf("%q gave %q, which gives %q, %v", typed, a, again, err)
		}
	})
}

func TestSenderIsNeverRefused(t *testing.T) {
	n, err := New(Options{Region: "UY"})
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]gateway.Address{
		"+59899123456":             "+59899123456",
		"099123456":                "+59899123456",
		"26100":                    "26100", // though short codes are not allowed to be sent to
		"BANCO":                    "BANCO",
		"Pay€":                     "Pay€",
		"[Bank]":                   "[Bank]",
		"Banco País 24 horas":      "Banco País ",
		"a\x00b\x1b":               "ab",
		"1-800-FLOWER":             "1-800-FLOWE",
		"123456789012345678901234": "12345678901234567890",
		"":                         "",
	} {
		if got := n.Sender(raw); got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}

func TestExplainSaysWhatAndWhy(t *testing.T) {
	n := normaliser(t, "UY")
	for _, c := range []struct {
		typed string
		want  Explanation
		say   string
	}{
		{"099123456", Explanation{Address: "+59899123456", Kind: KindE164, Region: "UY", CountryCode: 598, Valid: true, Possible: true}, "read as a number of UY"},
		{"+447400123456", Explanation{Address: "+447400123456", Kind: KindE164, Region: "GB", CountryCode: 44, Valid: true, Possible: true}, "taken as it stands"},
		{"0044 7400 123456", Explanation{Address: "+447400123456", Kind: KindE164, Region: "GB", CountryCode: 44, Valid: true, Possible: true}, "00 stands for +"},
		{"59899123456", Explanation{Address: "+59899123456", Kind: KindE164, Region: "UY", CountryCode: 598, Valid: true, Possible: true}, "without the +"},
		{"+59812345678", Explanation{Address: "+59812345678", Kind: KindE164, Region: "UY", CountryCode: 598, Possible: true}, "right length"},
		{"+346123456789", Explanation{Address: "+346123456789", Kind: KindE164, Region: "ES", CountryCode: 34}, "too many digits"},
		{"+9991234567", Explanation{Address: "+9991234567", Kind: KindE164}, "no country uses this code"},
		{"113", Explanation{Address: "113", Kind: KindShort, Valid: true, Possible: true}, "short code"},
		{"BANCO", Explanation{Kind: KindAlphanumeric}, "has 'B'"},
		{"5", Explanation{}, "too short"},
	} {
		got := n.Explain(c.typed)
		notes := strings.Join(got.Notes, "; ")
		if !strings.Contains(notes, c.say) {
			t.Errorf("%s: %q does not say %q", c.typed, notes, c.say)
		}
		c.want.Typed, c.want.Notes, got.Notes = c.typed, nil, nil
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %+v, want %+v", c.typed, got, c.want)
		}
	}
}

func TestErrorsHoldNoDigitOfTheNumber(t *testing.T) {
	for _, typed := range []string{"09912345678901", "+0987654321", "7777777x", "99999999999999999999"} {
		_, err := normaliser(t, "UY").Normalise(typed)
		if err == nil || strings.Contains(err.Error(), typed[2:6]) {
			t.Errorf("%v", err)
		}
	}
}

func BenchmarkNormaliseE164(b *testing.B) {
	n := normaliser(b, "UY")
	b.ReportAllocs()
	for b.Loop() {
		n.Normalise("+59899123456")
	}
}

// One base of mobile numbers: a thousand beginnings.
func BenchmarkNormaliseNational(b *testing.B) {
	n := normaliser(b, "UY")
	typed := make([]string, 1<<16)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range typed {
		typed[i] = fmt.Sprintf("09%d%06d", 1+r.IntN(9), r.IntN(1000000))
	}
	for _, s := range typed {
		n.Normalise(s)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		n.Normalise(typed[i&(1<<16-1)])
		i++
	}
}

func BenchmarkNormaliseByThePlans(b *testing.B) {
	n := normaliser(b, "UY")
	b.ReportAllocs()
	for b.Loop() {
		n.national("099123456")
	}
}

// A base of mobile numbers, from an empty memory on.
func BenchmarkBaseOf100000FromCold(b *testing.B) {
	typed := make([]string, 100_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range typed {
		typed[i] = fmt.Sprintf("09%d%06d", 1+r.IntN(9), r.IntN(1000000))
	}
	for b.Loop() {
		n := normaliser(b, "UY")
		for _, s := range typed {
			n.Normalise(s)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"099123456", "+44 (0)7911 123456", "0059899123456", "113", "BANCO", "+"} {
		f.Add(s)
	}
	n := normaliser(f, "UY")
	f.Fuzz(func(t *testing.T, typed string) {
		a, err := n.Normalise(typed)
		if (err == nil) != (a != "") || err == nil && !a.E164() && !a.Short() {
			t.Fatalf("%q gave %q, %v", typed, a, err)
		}
		if err != nil && gateway.KindOf(err) != gateway.KindInvalid {
			t.Fatalf("%q: %v", typed, err)
		}
		if s := n.Sender(typed); len(s) > 4*maxAlphanumeric {
			t.Fatalf("%q is the sender %q", typed, s)
		}
		n.Explain(typed)
	})
}
