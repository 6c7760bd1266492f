package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/netip"
	"strings"
	"text/template"
	"time"
)

//go:embed example.tmpl
var exampleText string

// Example gives the commented file: every key with its meaning and the default
// that this program uses.
func Example() (string, error) {
	t, err := template.New("example").Funcs(template.FuncMap{
		"duration": func(d time.Duration) string { return `"` + formatDuration(d) + `"` },
		"size":     func(n int64) string { return `"` + formatSize(n) + `"` },
		"words":    func(w []string) string { return tomlList(w) },
		"nets": func(ps []netip.Prefix) string {
			var words []string
			for _, p := range ps {
				words = append(words, p.String())
			}
			return tomlList(words)
		},
	}).Parse(exampleText)
	if err != nil {
		return "", fmt.Errorf("parse the example: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, Default()); err != nil {
		return "", fmt.Errorf("fill in the example: %w", err)
	}
	return b.String(), nil
}

// tomlList writes a list of plain words; a list of one is a string.
func tomlList(words []string) string {
	if len(words) == 1 {
		return `"` + words[0] + `"`
	}
	return `["` + strings.Join(words, `", "`) + `"]`
}
