package optout

import (
	"slices"
	"strings"

	"fieldpost/gateway"
)

// mark is what a phrase means. One phrase may have several marks.
type mark uint8

const (
	markStop     mark = 1 << iota // a wish to stop, alone
	markStart                     // a wish to start, alone
	markMild                      // an everyday word, in a sentence
	markOpen                      // a near-miss among few words
	markNear                      // a near-miss wherever it is
	markCourtesy                  // changes nothing
)

const (
	// maxPhrase is the most words of a phrase.
	maxPhrase = 4
	// fewWords is how long a message may be in which an everyday word is a near-miss.
	fewWords = 3
	// leastTypo is the least length of a word that may be a misspelt one, in letters.
	leastTypo = 5
)

// Words are what a Judge knows.
type Words struct {
	Languages []string // of gateway.WishLanguages
	Stop      []string // more words or phrases, of at most four words
	Start     []string
	Ignore    []string // words that mean something else at this site: no wish, and no near-miss
}

// Judge reads customers' texts. It never changes.
type Judge struct {
	phrases map[string]mark
	typos   []string // words that a single misspelt one is compared with
}

// NewJudge makes a judge. KindInvalid names the field whose word cannot be one.
func NewJudge(w Words) (*Judge, error) {
	j := &Judge{phrases: map[string]mark{}}
	all := tongues()
	j.learn(all[""])
	for _, name := range w.Languages {
		if !slices.Contains(gateway.WishLanguages(), name) {
			return nil, gateway.Invalid("languages", "%q is none of %s", name, strings.Join(gateway.WishLanguages(), ", "))
		}
		j.learn(all[name])
	}
	for _, more := range []struct {
		field string
		words []string
		mark  mark
	}{{"stop_words", w.Stop, markStop}, {"start_words", w.Start, markStart}, {"ignore_words", w.Ignore, 0}} {
		for _, word := range more.words {
			if err := j.teach(more.field, word, more.mark); err != nil {
				return nil, err
			}
		}
	}
	for phrase, m := range j.phrases {
		if m&(markStop|markStart) != 0 && len(phrase) >= leastTypo-1 && !strings.Contains(phrase, " ") {
			j.typos = append(j.typos, phrase)
		}
	}
	return j, nil
}

// learn takes in a language.
func (j *Judge) learn(t tongue) {
	for _, list := range []struct {
		words []string
		mark  mark
	}{{t.stop, markStop}, {t.start, markStart}, {t.mild, markMild}, {t.open, markOpen}, {t.near, markNear}, {t.courtesy, markCourtesy}} {
		for _, w := range list.words {
			j.phrases[w] |= list.mark
		}
	}
}

// teach takes in a word of the site. It means nothing else from then on.
func (j *Judge) teach(field, word string, m mark) error {
	words, _ := wordsOf(word)
	phrase := strings.Join(words, " ")
	switch old, all := j.phrases[phrase], tongues()[""]; {
	case len(words) == 0 || len(words) > maxPhrase:
		return gateway.Invalid(field, "%q is no word, and no phrase of at most %d words", word, maxPhrase)
	case m == 0 && slices.Contains(all.stop, phrase):
		return gateway.Invalid(field, "%q is how customers of every network say stop: it cannot mean something else", word)
	case m == markStart && old&markStop != 0 || m == markStop && old&markStart != 0:
		return gateway.Invalid(field, "%q means the opposite already: choose another", word)
	}
	j.phrases[phrase] = m
	return nil
}

// Wish says what a text asks.
func (j *Judge) Wish(text string) gateway.Wish {
	words, all := wordsOf(text)
	if len(words) == 0 || len(words) > maxWords {
		return gateway.WishNone
	}
	seen, firm, whole := j.scan(words)
	whole = whole && all
	switch wish := seen & (markStop | markStart); {
	case whole && wish == markStop:
		return gateway.WishStop
	case whole && wish == markStart:
		return gateway.WishStart
	case firm, (wish != 0 || seen&markOpen != 0) && len(words) <= fewWords, len(words) == 1 && j.misspelt(words[0]):
		return gateway.WishNear
	}
	return gateway.WishNone
}

// scan finds the phrases in a text, the longest first. firm says that one of them is a
// near-miss in any sentence, whole that the text has nothing else than wishes and courtesies.
func (j *Judge) scan(words []string) (seen mark, firm, whole bool) {
	whole = true
	for i := 0; i < len(words); {
		n, m := j.longest(words[i:])
		seen |= m
		firm = firm || m&markNear != 0 || m&(markStop|markStart) != 0 && m&markMild == 0
		whole = whole && m&(markStop|markStart|markCourtesy) != 0
		i += n
	}
	return seen, firm, whole
}

// longest gives the longest phrase that the words begin with; one word without a mark
// where they begin with none.
func (j *Judge) longest(words []string) (int, mark) {
	for n := min(maxPhrase, len(words)); n > 0; n-- {
		if m, ok := j.phrases[strings.Join(words[:n], " ")]; ok {
			return n, m
		}
	}
	return 1, 0
}

// misspelt says that a message's only word is nearly a wish.
func (j *Judge) misspelt(word string) bool {
	_, known := j.phrases[word]
	return len(word) >= leastTypo && !known &&
		slices.ContainsFunc(j.typos, func(w string) bool { return nearly(word, w) })
}
