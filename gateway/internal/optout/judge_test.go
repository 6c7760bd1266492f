package optout

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"fieldpost/gateway"
)

func judge(t testing.TB, w Words) *Judge {
	t.Helper()
	if w.Languages == nil {
		w.Languages = gateway.WishLanguages()
	}
	j, err := NewJudge(w)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// What customers really write.
func TestWishesAsCustomersWriteThem(t *testing.T) {
	j := judge(t, Words{})
	for want, texts := range map[gateway.Wish][]string{
		gateway.WishStop: {
			"STOP", "stop", "Stop.", "STOP!!", " stop \r\n", "\"STOP\"", "'Stop'", "S\u0074op", "Stop. Thank you", "stop por favor",
			"Please stop", "STOP STOP STOP", "stop, thanks", "Stop 🙏", "🛑 STOP", "STOPALL", "stop all", "UNSUBSCRIBE", "unsubscribe me please",
			"Cancel", "END", "Quit!", "REVOKE", "OPTOUT", "Opt out", "opt-out", "STOP\nSent from my iPhone",
			"BAJA", "Baja por favor", "dar de baja", "Quiero darme de baja, gracias", "parar", "SALIR", "¡Basta ya!", "No más",
			"NO MA\u0301S MENSAJES", "hola, baja", "PARAR", "SAIR", "Sair, obrigado", "descadastrar", "Não quero mais", "STOP\x00\x1b", "\xffSTOP\xfe",
		},
		gateway.WishStart: {"START", "start!", "Unstop", "start please", "subscribe", "OPTIN", "ALTA", "alta por favor", "Darme de alta", "reativar", "quero receber"},
		gateway.WishNear: {
			"STOP 12345", "please stop sending me this", "Stop! Who are you?", "can you stop", "I asked you to stop", "I said to UNSUBSCRIBE me from this list",
			"don't stop", "CANCEL 4711", "cancel it", "start stop", "STOP START", "yes cancel", "UNSUSCRIBE", "unsubcribe", "STOPP", "sotpall",
			"take me off your list", "Leave me alone!", "wrong number, this is not Ana", "quiero que me den de baja", "no me envíen más mensajes",
			"dejen de molestar", "no quiero recibir esto", "por favor parem de mandar isso", "Não quero receber", "me tire da lista", "BAJA 3",
			// answers to a question, perhaps
			"ALTO", "Cancelar", "CANCELAR por favor", "cancelar cita", "borrar", "remover", "chega", "suspender",
			"STOP" + strings.Repeat(" ", 3000) + "is not what I want",
		},
		gateway.WishNone: {
			"", " ", "...", "👍", "yes", "YES", "Si", "ok", "ok thanks", "gracias", "Muchas gracias!", "hello", "1", "12345", "no",
			"see you at the end of the road", "La señal es muy baja aquí", "how do I get to the tall house, el alto de la colina",
			"at what time does it start tomorrow", "posso cancelar amanha a consulta", "I will pay at the end of the month", "thanks for the reminder",
			"step", "shop", "best", "help", "FIN", "NO", "No gracias", "el dolor es muy alto hoy", "quiero cancelar el turno de mañana",
			strings.Repeat("\xff", 100<<10) + "STOP", strings.Repeat("\u0301", 50<<10), strings.Repeat("a", 100<<10),
			strings.Repeat("word ", 30) + "stop", strings.Repeat("x", 5000) + " STOP",
		},
	} {
		for _, text := range texts {
			if got := j.Wish(text); got != want {
				t.Errorf("%.60q is taken for %s, want %s", text, got, want)
			}
		}
	}
}

func TestEveryWordOfTheListsIsAWishAlone(t *testing.T) {
	j := judge(t, Words{})
	for name, l := range tongues() {
		for want, words := range map[gateway.Wish][]string{gateway.WishStop: l.stop, gateway.WishStart: l.start} {
			for _, w := range words {
				if got := j.Wish(strings.ToUpper(w)); got != want {
					t.Errorf("%s: %q is taken for %s, want %s", name, w, got, want)
				}
			}
		}
		for _, w := range slices.Concat(l.stop, l.start, l.mild, l.open, l.near, l.courtesy) {
			if words, _ := wordsOf(w); strings.Join(words, " ") != w || len(words) > maxPhrase {
				t.Errorf("%s: %q is not written as it is looked up", name, w)
			}
		}
		for _, w := range l.open {
			if got := j.Wish(w); got != gateway.WishNear {
				t.Errorf("%s: %q is taken for %s: it is for a person", name, w, got)
			}
		}
		for _, w := range l.mild {
			if !slices.Contains(slices.Concat(l.stop, l.start), w) {
				t.Errorf("%s: %q is mild, and no wish", name, w)
			}
		}
	}
	for _, name := range gateway.WishLanguages() {
		if len(tongues()[name].stop) == 0 {
			t.Errorf("there are no words of %s", name)
		}
	}
}

func TestALanguageThatIsNotNamedIsNotKnown(t *testing.T) {
	j := judge(t, Words{Languages: []string{}})
	for text, want := range map[string]gateway.Wish{
		"STOP": gateway.WishStop, "start": gateway.WishStart, "BAJA": gateway.WishNone, "end": gateway.WishNone, "stop please": gateway.WishNear,
	} {
		if got := j.Wish(text); got != want {
			t.Errorf("%q is taken for %s, want %s", text, got, want)
		}
	}
}

func TestASiteHasWordsOfItsOwn(t *testing.T) {
	j := judge(t, Words{Stop: []string{"Sto p 12345", "¡ABMELDEN!", "ALTO"}, Start: []string{"dale"}, Ignore: []string{"Cancel", "CANCELAR"}})
	for text, want := range map[string]gateway.Wish{
		"sto p 12345": gateway.WishStop, "alto, por favor": gateway.WishStop, "abmelden, please": gateway.WishStop, "bitte abmelden jetzt sofort alle": gateway.WishNear,
		"DALE": gateway.WishStart, "cancel": gateway.WishNone, "cancel it": gateway.WishNone, "Cancelar": gateway.WishNone, "stop": gateway.WishStop,
	} {
		if got := j.Wish(text); got != want {
			t.Errorf("%q is taken for %s, want %s", text, got, want)
		}
	}
}

func TestWordsThatCannotBeAreRefused(t *testing.T) {
	for field, w := range map[string]Words{
		"languages":     {Languages: []string{"en", "xx"}},
		"stop_words":    {Stop: []string{"!!"}},
		"start_words":   {Start: []string{"STOP"}},
		"ignore_words":  {Ignore: []string{"one two three four five"}},
		"ignore_words ": {Ignore: []string{"Stop!"}},
	} {
		_, err := NewJudge(w)
		if e, ok := err.(*gateway.Error); !ok || e.Kind != gateway.KindInvalid || e.Field != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzWish(f *testing.F) {
	for _, s := range []string{"STOP", "stop por favor", "no más", "\xff\xfe", "a\u0301", strings.Repeat("stop ", 600), "STOP 12345"} {
		f.Add(s)
	}
	j := judge(f, Words{Stop: []string{"x y z w"}})
	f.Fuzz(func(t *testing.T, s string) {
		w := j.Wish(s)
		if w != j.Wish(s) {
			t.Fatal("it is no function of the text")
		}
		if utf8.ValidString(s) && len(s) < 100 && !strings.ContainsFunc(s, func(r rune) bool { return r > 0x24F }) {
			if up := j.Wish(" " + s + " !"); up != w {
				t.Fatalf("punctuation makes %s of %s", up, w)
			}
		}
		if words, _ := wordsOf(s); w == gateway.WishStop && len(words) == 0 {
			t.Fatal("a text without a word is a wish")
		}
	})
}
