package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/BurntSushi/toml"
)

// FuzzParse: any text gives a whole Config or an *Error with at least one fault,
// whose lines are in the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../../configs/*.toml", "testdata/wrong/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("version = 1\na = [[[{b='''x'''', \"c\".d = 1}]]]\n[\"q\\\"uote\".x]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz.toml", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || len(e.Faults) == 0) {
			t.Fatalf("error %v has no fault", err)
		}
		lines := 2
		for _, b := range data {
			if b == '\n' {
				lines++
			}
		}
		if e != nil {
			for _, fault := range e.Faults {
				if fault.Line < 0 || fault.Line > lines || fault.Text == "" {
					t.Fatalf("fault %+v in %d lines", fault, lines)
				}
			}
		}
	})
}

// FuzzLocate: each key that the TOML library finds has a line, and any text at
// all ends the scan.
func FuzzLocate(f *testing.F) {
	f.Add("a = 1\n[b.c]\nd = '''x\ny'''\ne = {f = [1, {g = 2}]}\n[[h]]\n[[h]]\ni.j = \"#\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, deep := locate(text)
		if len(text) > 4096 || deep > 0 {
			return
		}
		tree := map[string]any{}
		if toml.Unmarshal([]byte(text), &tree) != nil {
			return
		}
		for key := range tree {
			if n := found.of(key); plain(key) && n == 0 {
				t.Fatalf("%q has no line in %q: %v", key, text, found)
			}
		}
	})
}

// plain says that a key is bare: quoted ones with escapes are found by their table.
func plain(key string) bool {
	for i := range len(key) {
		if !bare(key[i]) {
			return false
		}
	}
	return key != ""
}
