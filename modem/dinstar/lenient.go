package dinstar

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// num is a whole number that may come as one, in quotes, as a float, or not at all.
type num struct {
	n  int64
	ok bool // it was there, and a number
}

// UnmarshalJSON never fails: what is no number is not there.
func (n *num) UnmarshalJSON(b []byte) error {
	*n = num{}
	s := strings.TrimSpace(strings.Trim(string(b), `"`))
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = num{v, true}
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		*n = num{int64(f), true}
	}
	return nil
}

// octet gives a number of one byte.
func (n num) octet() (uint8, bool) { return uint8(n.n), n.ok && n.n >= 0 && n.n <= math.MaxUint8 }

// text is a word that may come as one, as a number, or as null.
type text string

// UnmarshalJSON never fails: an object or a list is no word.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	var s string
	switch {
	case bytes.Equal(b, []byte("null")) || len(b) == 0 || b[0] == '{' || b[0] == '[':
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

// word gives it without the spaces and the <NULL> that stand for nothing.
func (t text) word() string {
	s := strings.TrimSpace(string(t))
	if strings.EqualFold(s, "<null>") || strings.EqualFold(s, "null") {
		return ""
	}
	return s
}

// short gives the word, or what is kept of one that is longer than any.
func (t text) short() string { return cut(t.word(), maxWord) }

// list takes what can be read of a list, and one thing for a list of one.
type list[T any] []T

// UnmarshalJSON never fails: what cannot be read is left out.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		raw = []json.RawMessage{b}
	}
	for _, r := range raw {
		var v T
		if len(r) > 0 && r[0] == '{' && json.Unmarshal(r, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}
