package gsm7

import (
	"testing"
	"unicode/utf8"
)

func TestForcedCharactersAreNamedWithAWayOut(t *testing.T) {
	p, err := PlanText("ñ “a” é café\u0301 漢á")
	if err != nil {
		t.Fatal(err)
	}
	want := []Forced{
		{Rune: '“', Index: 2, Width: 1, Suggestion: "\"", Known: true, Safe: true},
		{Rune: '”', Index: 4, Width: 1, Suggestion: "\"", Known: true, Safe: true},
		{Rune: '\u0301', Index: 12, Width: 1, Known: true}, // behind a whole é
		{Rune: '漢', Index: 14, Width: 1},
		{Rune: 'á', Index: 15, Width: 1, Suggestion: "a", Known: true},
	}
	if len(p.Forced) != len(want) {
		t.Fatalf("%d characters, want %d: %+v", len(p.Forced), len(want), p.Forced)
	}
	for i := range want {
		if p.Forced[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, p.Forced[i], want[i])
		}
	}
}

func TestForcedCharactersOfAGSM7TextAreNone(t *testing.T) {
	if p, _ := PlanText("¿Qué tal? [20 €]"); p.Forced != nil {
		t.Errorf("%+v", p.Forced)
	}
}

func TestSubstituteKeepsTheReading(t *testing.T) {
	for in, want := range map[string]string{
		"“Hola” – ¿cómo…?": "“Hola” – ¿cómo…?", // ó would stay, so nothing is won
		"“Hola” – ¿que…?":  "\"Hola\" - ¿que...?",
		"10\u00a0€":        "10 €",
		"a\tb":             "a b",
		"caf" + "e\u0301":  "café",
		"AN\u0303O":        "AÑO",
		"soft\u00adhyphen": "softhyphen",
		"`x´":              "'x'",
		"ΑΒΓ":              "ABΓ",
		"ya fits":          "ya fits",
		"😀 “x”":            "😀 “x”",
		"Banco™ − 5 ≤ 6":   "BancoTM - 5 <= 6",
	} {
		if got := Substitute(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestTransliterateAlsoDropsAccents(t *testing.T) {
	for in, want := range map[string]string{
		"Acción única":      "Accion unica",
		"São João, coração": "Sao Joao, coracao",
		"łódź":              "lodz",
		"İstanbul, ığdır":   "Istanbul, igdir",
		"o\u0301":           "o",
		"漢 ú":               "漢 ú",
	} {
		if got := Transliterate(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestEverySuggestionFitsTheAlphabet(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		s, safe, known := suggest(r)
		if !Fits(s) || safe && !known || s != "" && !known {
			t.Errorf("%q: %q safe=%v known=%v", r, s, safe, known)
		}
		if known && septetCost(r) > 0 {
			t.Errorf("%q has a suggestion and needs none", r)
		}
	}
	for mark := rune(0x300); mark < 0x370; mark++ {
		for _, letter := range "aAcCeEiInNoOuU" {
			if whole, ok := compose(letter, mark); ok && septetCost(whole) != 1 {
				t.Errorf("%q and %q compose to %q, which the alphabet does not hold", letter, mark, whole)
			}
		}
	}
}

func TestStripControlsMakesATextThatPlanTakes(t *testing.T) {
	got := StripControls("a\x1be\x00\u0085\nb\tc")
	if got != "ae\nb\tc" {
		t.Errorf("%q", got)
	}
	if _, err := PlanText(got); err != nil {
		t.Error(err)
	}
}
