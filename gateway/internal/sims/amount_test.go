package sims

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAmountsAreReadAsPeopleWriteThem(t *testing.T) {
	for s, want := range map[string]float64{
		"120": 120, "1.234,56": 1234.56, "1,234.56": 1234.56, "12,5": 12.5, "12.50": 12.5, "0.234": 0.234, ".50": 0.5, "0,5": 0.5,
		"1.234": 1234, "1,234": 1234, "1.234.567": 1234567, "1 234,56": 1234.56, "1\u00a0234,56": 1234.56, "1'234.50": 1234.5,
		"-12,30": -12.3, "−5": -5, "+7": 7, "12.": 12, "99,": 99, "1234.567": 1234.567, "00.250": 0.25, "0": 0, "-0": 0,
		"٣٤٫٥": 34.5, "۱۲": 12, "١٬٢٣٤٫٥": 1234.5,
	} {
		if got, ok := parseAmount(s); !ok || got != want || math.Signbit(got) != (want < 0) {
			t.Errorf("%q is %v (%v), want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", ".", ",", "-", "12,34.5", "1.23.456", "1,234,5", "1.2,3.4", "12a", "1e9", "0x10", "NaN", "Inf", "--1", "1234567890123456", "1..2"} {
		if got, ok := parseAmount(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

func TestTwoAmountsBesideEachOtherAreNotOne(t *testing.T) {
	for _, s := range []string{"12.50 100", "120 30", "1 2", "12 3456", "1'2", "5 000 00", "12, 500", "120 30.50"} {
		if got, ok := parseAmount(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
	for s, want := range map[string]float64{" 120 ": 120, "- 5": -5, "12 345 678": 12345678} {
		if got, ok := parseAmount(s); !ok || got != want {
			t.Errorf("%q is %v (%v), want %v", s, got, ok, want)
		}
	}
}

func TestAmountsOfEveryStyleAreReadAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Range(0, 99_999_999_999).Draw(t, "cents")
		style := rapid.SampledFrom([][2]string{{".", ","}, {",", "."}, {" ", ","}, {"'", "."}, {"", ","}, {"", "."}}).Draw(t, "style")
		whole := fmt.Sprint(cents / 100)
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + style[0] + whole[i:]
		}
		s := fmt.Sprintf("%s%s%02d", whole, style[1], cents%100)
		if got, ok := parseAmount(s); !ok || math.Abs(got-float64(cents)/100) > 0.001 {
			t.Fatalf("%q is %v (%v)", s, got, ok)
		}
	})
}

func TestAnAnswerWithoutItsAmountIsNone(t *testing.T) {
	re := regexp.MustCompile(`(?i)saldo[^0-9-]*([0-9.,]*)`)
	for text, want := range map[string]string{
		"Su saldo es $ 1.234,56. Vence 31/12": "1234.56", "SALDO: 10": "10", "saldo no disponible": "", "Servicio no disponible 404": "",
	} {
		got, ok := amountIn(re, text)
		if ok != (want != "") || ok && fmt.Sprint(got) != want {
			t.Errorf("%q gives %v (%v), want %q", text, got, ok, want)
		}
	}
	if _, ok := amountIn(regexp.MustCompile(`(a)|b`), "b"); ok {
		t.Error("a group that took no part is an amount")
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"1.234,56", "-12", "٣٤٫٥", strings.Repeat("9", 400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := parseAmount(s); ok && (math.IsNaN(v) || math.Abs(v) > 1e15) {
			t.Errorf("%q is %v", s, v)
		}
	})
}

func TestForecastGoesByWhatWentOff(t *testing.T) {
	at := time.Date(2030, 1, 20, 12, 0, 0, 0, time.UTC)
	balances := func(daily ...float64) (b Balance) {
		for i, a := range daily {
			b.Amounts = append([]Amount{{At: at.AddDate(0, 0, i), Amount: a}}, b.Amounts...)
		}
		return b
	}
	for _, c := range []struct {
		name string
		b    Balance
		want int
		ok   bool
	}{
		{"steady", balances(100, 90, 80, 70), 7, true},
		{"a top-up is no income", balances(40, 30, 120, 110), 16, true}, // 20 in three days
		{"nothing is spent", balances(100, 100, 100), 0, false},
		{"one balance", balances(100), 0, false},
		{"none", Balance{}, 0, false},
		{"used up", balances(10, 0), 0, true},
		{"in debt", balances(10, -5), 0, true},
		{"for ever", balances(1e9, 1e9-0.01), 0, false},
	} {
		if got, ok := c.b.DaysLeft(); got != c.want || ok != c.ok {
			t.Errorf("%s: %d days (%v), want %d (%v)", c.name, got, ok, c.want, c.ok)
		}
	}
	soon := Balance{Amounts: []Amount{{at.Add(time.Hour), 90}, {at, 100}}}
	if _, ok := soon.DaysLeft(); ok {
		t.Error("an hour tells how long a balance lasts")
	}
	old := Balance{Amounts: []Amount{{at.AddDate(0, 0, 20), 90}, {at, 100}}}
	if _, ok := old.DaysLeft(); ok {
		t.Error("a balance of three weeks ago tells how long this one lasts")
	}
}
