package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"fieldpost/gateway"
)

// Bounds of a JSON body besides its length: what a body of 1 MiB becomes in memory
// depends on how many values it holds.
const (
	maxTokens = 10_000 // names, values and brackets
	maxDepth  = 16     // objects and lists within each other
	maxKey    = 255    // bytes of an Idempotency-Key
)

// unambiguous holds that a request says one thing only: a filter that is there twice, or
// that cannot be read, must not look like none.
func unambiguous(r *http.Request) error {
	if keys := r.Header["Idempotency-Key"]; len(keys) > 1 {
		return gateway.Invalid("Idempotency-Key", "is there twice")
	} else if len(keys) == 1 && len(keys[0]) > maxKey {
		return gateway.Invalid("Idempotency-Key", "has %d bytes; at most %d are allowed", len(keys[0]), maxKey)
	}
	if r.URL.RawQuery == "" || !strings.HasPrefix(r.URL.Path, root) {
		return nil // The old services never looked at a query.
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return gateway.Invalid("", "the query cannot be read: write name=value, & between them, and a %% as %%25")
	}
	for name, values := range q {
		if len(values) > 1 {
			return gateway.Invalid(fieldOf("query."+name), "is there twice")
		}
	}
	return nil
}

// readBody reads a JSON body whole and puts it back for huma, which answers 500 to
// a body that breaks off and takes the last of two fields with one name.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") != "" && (err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json")) {
		return withStatus(http.StatusUnsupportedMediaType,
			&gateway.Error{Kind: gateway.KindInvalid, Text: "the body must be application/json"})
	}
	if r.ContentLength > a.maxBody {
		return tooLarge(a.maxBody)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.maxBody))
	if err != nil {
		return cutShort(err)
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// cutShort says why a body could not be read to its end.
func cutShort(err error) error {
	var long *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &long):
		return tooLarge(long.Limit)
	case errors.As(err, &slow) && slow.Timeout():
		return withStatus(http.StatusRequestTimeout,
			&gateway.Error{Kind: gateway.KindInvalid, Text: "the body did not come within " + bodyTime.String()})
	}
	return badBody("the body broke off before its end")
}

func badBody(text string) error {
	return withStatus(http.StatusBadRequest, &gateway.Error{Kind: gateway.KindInvalid, Text: text})
}

// level is one object or list that is open.
type level struct {
	names map[string]bool // of an object, folded as encoding/json folds them; nil = a list
	value bool            // of an object: a name was read, its value comes next
}

// checkJSON refuses what encoding/json would mend or overlook in silence: bytes that
// are not UTF-8 (RFC 8259 §8.1) would become U+FFFD and go on the air as such, and of
// two fields with one name (§4) the first would not count.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return badBody("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var open []level
	for n := 0; ; n++ {
		t, err := d.Token()
		switch {
		case err == io.EOF && n == 0:
			return badBody("the body is missing: it must be JSON")
		case err == io.EOF && len(open) == 0:
			return nil
		case err != nil:
			return badBody("the body is no JSON: " + strings.TrimPrefix(err.Error(), "json: "))
		case n == maxTokens:
			return badBody("the body holds too many values")
		case n > 0 && len(open) == 0:
			return badBody("the body holds more than one JSON value")
		}
		if open, err = nested(open, t); err != nil {
			return err
		}
	}
}

// nested takes one token of the body.
func nested(open []level, t json.Token) ([]level, error) {
	if c, ok := t.(json.Delim); ok {
		switch {
		case c == '}' || c == ']':
			return open[:len(open)-1], nil
		case len(open) == maxDepth:
			return nil, badBody("the body is nested too deeply")
		}
	}
	if len(open) > 0 {
		in := &open[len(open)-1]
		if name, ok := t.(string); ok && in.names != nil && !in.value {
			folded := strings.ToLower(name)
			if in.names[folded] {
				return nil, gateway.Invalid(fieldOf("body."+name), "is there twice")
			}
			in.names[folded], in.value = true, true
			return open, nil
		}
		in.value = false
	}
	switch v := t.(type) {
	case json.Number:
		if _, err := v.Float64(); err != nil {
			return nil, badBody("a number in the body is too large")
		}
	case json.Delim:
		if v == '{' {
			return append(open, level{names: map[string]bool{}}), nil
		}
		return append(open, level{}), nil
	}
	return open, nil
}

// printed refuses a word that would move the cursor of the screen that shows it, or
// hide what stands there.
func printed(field, word string) error {
	if !utf8.ValidString(word) || strings.ContainsFunc(word, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return gateway.Invalid(field, "holds a character that cannot be printed")
	}
	return nil
}
