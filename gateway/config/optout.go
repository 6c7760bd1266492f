package config

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
)

// OptOut says what becomes of a customer who answers STOP, or START.
type OptOut struct {
	Enabled     bool
	Languages   []string // of gateway.WishLanguages
	StopWords   []string // more words or phrases, beside those of the languages
	StartWords  []string
	IgnoreWords []string // of the languages': they mean something else here
	ReplyStop   string   // the one confirmation; "" = none
	ReplyStart  string
}

// Inbound says what becomes of received messages.
type Inbound struct {
	IncompleteAfter time.Duration // how long a long message waits for its missing segments
}

const (
	maxWord      = 64 // bytes of a word or phrase
	maxWordCount = 4  // words of a phrase
)

func (r *reader) optOut(t *table, o *OptOut, segments int) {
	o.Enabled = t.flag("enabled", o.Enabled)
	o.Languages = t.list("languages", o.Languages)
	for i, name := range o.Languages {
		if !slices.Contains(gateway.WishLanguages(), name) {
			t.add(indexed(t, "languages", i), "%q is none of the languages whose words are known: %s", name, strings.Join(gateway.WishLanguages(), ", "))
		}
	}
	o.StopWords = wishWords(t, "stop_words")
	o.StartWords = wishWords(t, "start_words")
	o.IgnoreWords = wishWords(t, "ignore_words")
	o.ReplyStop = replyText(t, "reply_stop", segments)
	o.ReplyStart = replyText(t, "reply_start", segments)
	t.done()
}

// wishWords reads words that customers may answer with.
func wishWords(t *table, key string) []string {
	all := t.list(key, nil)
	for i, w := range all {
		n := len(strings.FieldsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) }))
		if n < 1 || n > maxWordCount || len(w) > maxWord {
			t.add(indexed(t, key, i), "%q is no word, and no phrase of at most %d words and %d bytes", w, maxWordCount, maxWord)
		}
	}
	return all
}

// replyText reads a text that is sent as it is.
func replyText(t *table, key string, segments int) string {
	text := t.text(key, "")
	if text == "" {
		return ""
	}
	if _, err := (gsm7.Options{MaxSegments: segments}).Plan(text); err != nil {
		t.add(t.at(key), "%s", textOf(err))
	}
	return text
}

func (r *reader) inbound(t *table, in *Inbound) {
	in.IncompleteAfter = t.duration("incomplete_after", in.IncompleteAfter, time.Minute, 3*day)
	t.done()
}
