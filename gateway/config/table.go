package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// table reads one TOML table key by key. Each read names the key, so that it is
// known; done says which keys nobody asked for. A key that is absent, or wrong,
// gives the default; what is wrong goes to faults.
type table struct {
	*faults
	path  string
	keys  map[string]any
	known []string
}

// at gives the path of a key.
func (t *table) at(key string) string { return join(t.path, key) }

// get gives the raw value of a key.
func (t *table) get(key string) (any, bool) {
	t.known = append(t.known, key)
	v, ok := t.keys[key]
	return v, ok
}

// has says that the file sets the key.
func (t *table) has(key string) bool { _, ok := t.keys[key]; return ok }

// wrong notes that a key has a value of another type.
func (t *table) wrong(key, want string, v any) {
	t.add(t.at(key), "must be %s, not %s", want, typeOf(v))
}

// done notes the keys that are not known, with the nearest one that is.
func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.keys)) {
		if slices.Contains(t.known, key) {
			continue
		}
		if k := nearest(key, t.known); k != "" {
			t.add(t.at(key), "is not known: did you mean %s?", k)
			continue
		}
		sorted := slices.Sorted(slices.Values(t.known))
		t.add(t.at(key), "is not known: here are %s", strings.Join(slices.Compact(sorted), ", "))
	}
}

// text reads a string without control characters.
func (t *table) text(key, def string) string {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	if !ok {
		t.wrong(key, "a string", v)
		return def
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		t.add(t.at(key), "must not hold control characters")
		return def
	}
	return s
}

// choice reads one of a few words.
func (t *table) choice(key, def string, words ...string) string {
	s := t.text(key, def)
	if slices.Contains(words, s) {
		return s
	}
	hint := "must be one of " + strings.Join(words, ", ")
	if w := nearest(s, words); w != "" {
		hint += ": did you mean " + w + "?"
	}
	t.add(t.at(key), "%s", hint)
	return def
}

// flag reads true or false.
func (t *table) flag(key string, def bool) bool {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		t.wrong(key, "true or false", v)
		return def
	}
	return b
}

// integer reads a whole number within bounds.
func (t *table) integer(key string, def, least, most int64) int64 {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	n, ok := v.(int64)
	switch {
	case !ok:
		t.wrong(key, "a whole number", v)
	case n < least || n > most:
		t.add(t.at(key), "must be %d to %d", least, most)
	default:
		return n
	}
	return def
}

// number reads a number, whole or not, within bounds.
func (t *table) number(key string, def, least, most float64) float64 {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	n, ok := v.(float64)
	if i, whole := v.(int64); whole {
		n, ok = float64(i), true
	}
	switch {
	case !ok:
		t.wrong(key, "a number", v)
	case math.IsNaN(n) || n < least || n > most:
		t.add(t.at(key), "must be %g to %g", least, most)
	default:
		return n
	}
	return def
}

// duration reads a string such as "30s", "10m", "24h" or "7d". The TOML library
// would take a bare 30 for 30 ns without a word.
func (t *table) duration(key string, def, least, most time.Duration) time.Duration {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	if !ok {
		t.wrong(key, `a time with its unit as a string, such as "30s" or "10m"`, v)
		return def
	}
	d, ok := parseDuration(s)
	switch {
	case !ok:
		t.add(t.at(key), `%q is no time: write a number and its unit, such as "30s", "10m", "24h" or "7d"`, s)
	case d < least || d > most:
		t.add(t.at(key), "must be %s to %s", formatDuration(least), formatDuration(most))
	default:
		return d
	}
	return def
}

// size reads a string such as "64MiB", in bytes.
func (t *table) size(key string, def, least, most int64) int64 {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	if !ok {
		t.wrong(key, `a size with its unit as a string, such as "64MiB"`, v)
		return def
	}
	n, ok := parseSize(s)
	switch {
	case !ok:
		t.add(t.at(key), `%q is no size: write a whole number and KiB, MiB or GiB, such as "64MiB"`, s)
	case n < least || n > most:
		t.add(t.at(key), "must be %s to %s", formatSize(least), formatSize(most))
	default:
		return n
	}
	return def
}

// list reads one string or an array of strings.
func (t *table) list(key string, def []string) []string {
	v, ok := t.get(key)
	if !ok {
		return def
	}
	if s, one := v.(string); one {
		return []string{s}
	}
	all, ok := v.([]any)
	if !ok {
		t.wrong(key, "a string or a list of strings", v)
		return def
	}
	words := make([]string, 0, len(all))
	for i, w := range all {
		s, ok := w.(string)
		if !ok {
			t.add(fmt.Sprintf("%s.%d", t.at(key), i), "must be a string, not %s", typeOf(w))
			continue
		}
		words = append(words, s)
	}
	return words
}

// sub reads a table in the table; never nil.
func (t *table) sub(key string) *table {
	v, ok := t.get(key)
	keys, isTable := v.(map[string]any)
	if ok && !isTable {
		t.wrong(key, "a table, ["+keyOf(t.at(key))+"]", v)
	}
	return &table{faults: t.faults, path: t.at(key), keys: keys}
}

// subs reads an array of tables.
func (t *table) subs(key string) []*table {
	v, ok := t.get(key)
	if !ok {
		return nil
	}
	var all []map[string]any
	switch v := v.(type) {
	case []map[string]any:
		all = v
	case []any: // key = [{...}, {...}]
		for _, e := range v {
			keys, ok := e.(map[string]any)
			if !ok {
				t.wrong(key, "a list of tables, [["+keyOf(t.at(key))+"]]", v)
				return nil
			}
			all = append(all, keys)
		}
	default:
		t.wrong(key, "a list of tables, [["+keyOf(t.at(key))+"]]", v)
	}
	subs := make([]*table, len(all))
	for i, keys := range all {
		subs[i] = &table{faults: t.faults, path: fmt.Sprintf("%s.%d", t.at(key), i), keys: keys}
	}
	return subs
}

// typeOf names the type of a TOML value.
func typeOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a point"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables"
	}
	return "a list"
}
