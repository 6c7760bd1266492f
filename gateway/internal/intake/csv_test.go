package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads a text's rows: "line|field|field" or "line!fault".
func readAll(t testing.TB, r *csvReader) []string {
	t.Helper()
	var all []string
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.fault != "" {
			all = append(all, fmt.Sprintf("%d!%s", rec.line, rec.fault))
			continue
		}
		all = append(all, fmt.Sprintf("%d|%s", rec.line, strings.Join(rec.fields, "|")))
	}
}

const (
	faultClosing = "a closing quote must be followed by ; or the end of the line"
	faultOpen    = "a quote is opened and not closed"
	faultLong    = "the row is longer than 64 KiB"
	faultUTF8    = "is not UTF-8, as the rest of the file is"
)

var csvVectors = []struct {
	name, text string
	want       []string
}{
	{"plain", "a;b;c;1\nd;e;f;2\n", []string{"1|a|b|c|1", "2|d|e|f|2"}},
	{"no line end", "a;b", []string{"1|a|b"}},
	{"windows line ends", "a;b\r\nc;d\r\n", []string{"1|a|b", "2|c|d"}},
	{"mark", "\xEF\xBB\xBFa;b\n", []string{"1|a|b"}},
	{"empty fields", ";;\n;", []string{"1|||", "2||"}},
	{"empty line", "\na\n\n", []string{"1|", "2|a", "3|"}},
	{"quoted", `"a;b";"say ""hi""";""` + "\n", []string{`1|a;b|say "hi"|`}},
	{"quoted to the end", `a;"b"`, []string{"1|a|b"}},
	{"quoted and windows", "\"a\"\r\n\"b\"\r\n", []string{"1|a", "2|b"}},
	{"line end in quotes", "a;\"b\nc\";d\ne\n", []string{"1|a|b\nc|d", "3|e"}},
	{"quote inside a bare field", `a;5" screen;b` + "\n", []string{`1|a|5" screen|b`}},
	{"text behind a quote", "a;\"b\"x;c\nd;e\n", []string{"1!" + faultClosing, "2|d|e"}},
	{"quote never closed", "a;\"b;c\nd;e\nf;g\n", []string{"1!" + faultOpen, "2|d|e", "3|f|g"}},
	{"quote closed by the next one", "a;\"b;c\nd;\"e\";f\n", []string{"1!" + faultClosing, "2|d|e|f"}},
	{"bad letter", "a;\xff\nñ;b\n", []string{"1!" + faultUTF8, "2|ñ|b"}},
	{"only the mark and a letter", "\xEF\xBB\xBFa", []string{"1|a"}},
}

func TestCSVVectors(t *testing.T) {
	for _, v := range csvVectors {
		t.Run(v.name, func(t *testing.T) {
			if got := readAll(t, newCSVReader(strings.NewReader(v.text), charsetUTF8, 0, 0)); !slices.Equal(got, v.want) {
				t.Errorf("whole:\ngot  %q\nwant %q", got, v.want)
			}
			slow := iotest.OneByteReader(strings.NewReader(v.text))
			if got := readAll(t, newCSVReader(slow, charsetUTF8, 0, 0)); !slices.Equal(got, v.want) {
				t.Errorf("byte by byte:\ngot  %q\nwant %q", got, v.want)
			}
		})
	}
}

func TestCSVALongLineCostsItselfAndLittleMemory(t *testing.T) {
	text := io.MultiReader(strings.NewReader("a;1\n"), strings.NewReader("b;"), endless('x', 10<<20), strings.NewReader(";c\nd;2\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := readAll(t, newCSVReader(text, charsetUTF8, 0, 0))
	runtime.ReadMemStats(&after)
	if want := []string{"1|a|1", "2!" + faultLong, "3|d|2"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("a line of 10 MiB took %d bytes of memory", n)
	}
}

func TestCSVAnOpenQuoteDoesNotSwallowTheFile(t *testing.T) {
	var text strings.Builder
	text.WriteString("a;\"open;1\n")
	const rows = 20_000
	for i := range rows {
		fmt.Fprintf(&text, "c;%d;text;1\n", i)
	}
	got := readAll(t, newCSVReader(strings.NewReader(text.String()), charsetUTF8, 0, 0))
	if len(got) != rows+1 || got[0] != "1!"+faultOpen || got[rows] != fmt.Sprintf("%d|c|%d|text|1", rows+1, rows-1) {
		t.Errorf("%d rows, first %q, last %q", len(got), got[0], got[len(got)-1])
	}
}

func TestCSVAQuotedFieldOfAnyLengthIsBounded(t *testing.T) {
	text := "\"" + strings.Repeat("line\n", 20_000) + "\";b\n"
	got := readAll(t, newCSVReader(strings.NewReader(text), charsetUTF8, 0, 0))
	if got[0] != "1!"+faultOpen || got[1] != "2|line" {
		t.Errorf("got %q", got[:2])
	}
}

// endless gives n times the same byte.
func endless(c byte, n int64) io.Reader {
	return io.LimitReader(repeating(c), n)
}

type repeating byte

func (r repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestCSVReadingGoesOnAnywhere(t *testing.T) {
	text := "\xEF\xBB\xBFa;b\n\"c\nd\";e\nbad;\"x\"y\nf;g\n"
	whole := newCSVReader(strings.NewReader(text), charsetUTF8, 0, 0)
	var rest [][]string
	var offsets []int64
	var lines []int
	for range 4 {
		if _, err := whole.next(); err != nil {
			t.Fatal(err)
		}
		offsets, lines = append(offsets, whole.offset), append(lines, whole.line)
		rest = append(rest, nil)
	}
	all := readAll(t, newCSVReader(strings.NewReader(text), charsetUTF8, 0, 0))
	for i, off := range offsets {
		rest[i] = readAll(t, newCSVReader(strings.NewReader(text[off:]), charsetUTF8, off, lines[i]))
		if !slices.Equal(rest[i], all[i+1:]) {
			t.Errorf("behind row %d: got %q, want %q", i+1, rest[i], all[i+1:])
		}
	}
	if whole.offset != int64(len(text)) || whole.line != strings.Count(text, "\n") {
		t.Errorf("ends at byte %d, line %d", whole.offset, whole.line)
	}
}

func TestCSVWindows1252(t *testing.T) {
	got := readAll(t, newCSVReader(strings.NewReader("ma\xf1ana;\x80 5;\"\x93\"\n"), charset1252, 0, 0))
	if want := []string{"1|mañana|€ 5|“"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSniff(t *testing.T) {
	for name, v := range map[string]struct {
		text string
		want charset
		bad  string
	}{
		"ascii":                {"abc", charsetUTF8, ""},
		"utf-8":                {"mañana €", charsetUTF8, ""},
		"windows":              {"ma\xf1ana", charset1252, ""},
		"mark wins":            {"\xEF\xBB\xBFma\xf1ana", charsetUTF8, ""},
		"one wrong byte":       {"mañana, señor\xff", charsetUTF8, ""},
		"cut letter":           {"ma\xc3", charset1252, ""},
		"empty":                {"", charsetUTF8, "empty"},
		"nothing but the mark": {"\xEF\xBB\xBF", charsetUTF8, "empty"},
		"utf-16":               {"\xFF\xFEa\x00;\x00", charset1252, "UTF-16"},
		"spreadsheet":          {"PK\x03\x04...", charsetUTF8, "spreadsheet"},
		"binary":               {"a;b\x00c", charsetUTF8, "binary"},
	} {
		for _, r := range []io.Reader{strings.NewReader(v.text), iotest.OneByteReader(strings.NewReader(v.text))} {
			s, err := sniff(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.charset(); got != v.want {
				t.Errorf("%s: charset %d, want %d", name, got, v.want)
			}
			if err := s.check(); (err == nil) != (v.bad == "") || err != nil && !strings.Contains(err.Error(), v.bad) {
				t.Errorf("%s: %v, want %q", name, err, v.bad)
			}
		}
	}
}

// FuzzCSV: any bytes are read to their end, each row within its bounds, each byte
// and line counted once, and reading can go on behind every row.
func FuzzCSV(f *testing.F) {
	for _, v := range csvVectors {
		f.Add([]byte(v.text), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		r := newCSVReader(bytes.NewReader(data), charsetUTF8, 0, 0)
		last, n := int64(-1), 0
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.offset <= last || r.offset > int64(len(data)) || rec.line > r.line {
				t.Fatalf("row at line %d: offset %d behind %d, %d lines", rec.line, r.offset, last, r.line)
			}
			last = r.offset
			if n++; n == at {
				again := newCSVReader(bytes.NewReader(data[r.offset:]), charsetUTF8, r.offset, r.line)
				second := newCSVReader(iotest.OneByteReader(bytes.NewReader(data[r.offset:])), charsetUTF8, r.offset, r.line)
				if a, b := readAll(t, again), readAll(t, second); !slices.Equal(a, b) {
					t.Fatalf("%q and byte by byte %q", a, b)
				}
			}
		}
		lines := bytes.Count(data, []byte{'\n'})
		if len(data) > 0 && data[len(data)-1] != '\n' && !bytes.Equal(data, mark) {
			lines++
		}
		if r.offset != int64(len(data)) || r.line != lines {
			t.Fatalf("ends at byte %d of %d, line %d of %d", r.offset, len(data), r.line, lines)
		}
	})
}
