package intake

import (
	"bytes"
	"io"
	"strings"
)

// Bounds of reading a file, in bytes.
const (
	maxRecord = 64 << 10  // a row, its line ends and quotes with it
	window    = 256 << 10 // of the file that is in memory
)

// record is one row of a file.
type record struct {
	line   int      // its first line, from 1
	fields []string // good until the next row is read
	fault  string   // why it cannot be read; "" = it can
}

// blank says that nothing is in the row, as in the lines behind a table.
func (r *record) blank() bool {
	for _, f := range r.fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return r.fault == ""
}

// csvReader reads rows one after the other. encoding/csv cannot go on at the next
// line behind a quote that is never closed, and holds a line of any length.
type csvReader struct {
	src     io.Reader
	charset charset
	offset  int64 // in the file, behind the last row
	line    int   // lines behind the last row

	buf      []byte
	from, to int
	eof      bool
	fields   []string
}

// newCSVReader reads on at a place in the file: 0, or where a reader was before.
func newCSVReader(src io.Reader, c charset, offset int64, line int) *csvReader {
	return &csvReader{src: src, charset: c, offset: offset, line: line, buf: make([]byte, window)}
}

// next gives the next row; io.EOF behind the last.
func (r *csvReader) next() (record, error) {
	if r.offset == 0 {
		if err := r.skipMark(); err != nil {
			return record{}, err
		}
	}
	for {
		b := r.buf[r.from:min(r.to, r.from+maxRecord)]
		if len(b) == 0 && r.eof {
			return record{}, io.EOF
		}
		n, found := recordEnd(b, r.eof && r.from+len(b) == r.to)
		if found == needMore && len(b) < maxRecord {
			if err := r.fill(); err != nil {
				return record{}, err
			}
			continue
		}
		rec := record{line: r.line + 1}
		switch {
		case found == whole:
			r.parse(&rec, b[:n])
			r.consume(n)
			return rec, nil
		case found == broken:
			rec.fault = "a closing quote must be followed by ; or the end of the line"
		case found == openQuote, found == needMore && bytes.IndexByte(b, '\n') >= 0:
			rec.fault = "a quote is opened and not closed"
		default:
			rec.fault = "the row is longer than 64 KiB"
		}
		return rec, r.skipLine()
	}
}

func (r *csvReader) skipMark() error {
	for r.to-r.from < len(mark) && !r.eof {
		if err := r.fill(); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(r.buf[r.from:r.to], mark) {
		r.from += len(mark)
		r.offset += int64(len(mark))
	}
	return nil
}

// fill reads more behind what is there, which is less than maxRecord.
func (r *csvReader) fill() error {
	if r.from > 0 {
		r.to = copy(r.buf, r.buf[r.from:r.to])
		r.from = 0
	}
	n, err := r.src.Read(r.buf[r.to:])
	r.to += n
	if err == io.EOF {
		r.eof, err = true, nil
	}
	return err
}

// consume leaves the next n bytes behind.
func (r *csvReader) consume(n int) {
	r.line += bytes.Count(r.buf[r.from:r.from+n], []byte{'\n'})
	if r.eof && r.from+n == r.to && n > 0 && r.buf[r.to-1] != '\n' {
		r.line++ // the last line has no end
	}
	r.from += n
	r.offset += int64(n)
}

// skipLine leaves one line behind, whatever its length.
func (r *csvReader) skipLine() error {
	for {
		if i := bytes.IndexByte(r.buf[r.from:r.to], '\n'); i >= 0 {
			r.consume(i + 1)
			return nil
		}
		r.offset += int64(r.to - r.from)
		r.from = r.to
		if r.eof {
			r.line++
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// parse cuts a row, which recordEnd has found whole, into its fields.
func (r *csvReader) parse(rec *record, b []byte) {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	b = bytes.TrimSuffix(b, []byte{'\r'})
	text, ok := r.charset.text(b)
	if !ok {
		rec.fault = "is not UTF-8, as the rest of the file is"
		return
	}
	r.fields = r.fields[:0]
	for {
		field, rest, more := cutField(text)
		r.fields = append(r.fields, field)
		if !more {
			break
		}
		text = rest
	}
	rec.fields = r.fields
}

// cutField takes the first field of a row.
func cutField(text string) (field, rest string, more bool) {
	if text == "" || text[0] != '"' {
		return strings.Cut(text, ";")
	}
	end := 1
	for {
		i := strings.IndexByte(text[end:], '"')
		if i < 0 { // cannot be: recordEnd saw it closed
			return text, "", false
		}
		end += i + 1
		if end == len(text) || text[end] != '"' {
			break
		}
		end++
	}
	field = text[1 : end-1]
	if strings.Contains(field, `""`) {
		field = strings.ReplaceAll(field, `""`, `"`)
	}
	if end == len(text) {
		return field, "", false
	}
	return field, text[end+1:], true
}

// ending says how a search for the end of a row ended.
type ending uint8

const (
	whole     ending = iota // found
	needMore                // not within these bytes
	openQuote               // the file ends in a quoted field
	broken                  // something stands behind a closing quote
)

// recordEnd finds the end of the row that b begins with: how many bytes it has, its
// line end with it. last says that nothing follows b.
func recordEnd(b []byte, last bool) (int, ending) {
	nl := bytes.IndexByte(b, '\n')
	line := b
	if nl >= 0 {
		line = b[:nl]
	}
	if bytes.IndexByte(line, '"') < 0 {
		return lineEnd(b, 0, last)
	}
	for i := 0; ; {
		if i == len(b) || b[i] != '"' {
			j := bytes.IndexAny(b[i:], ";\n")
			if j < 0 || b[i+j] == '\n' {
				return lineEnd(b, i, last)
			}
			i += j + 1
			continue
		}
		j := quotedEnd(b[i+1:])
		if j < 0 && last {
			return 0, openQuote
		}
		if j < 0 {
			return 0, needMore
		}
		i += 1 + j
		switch rest := b[i:]; {
		case len(rest) == 0 && last:
			return i, whole
		case len(rest) == 0, rest[0] == '\r' && len(rest) == 1 && !last:
			return 0, needMore // the next byte may be another quote, or a line end
		case rest[0] == ';':
			i++
		case rest[0] == '\n', bytes.HasPrefix(rest, []byte("\r\n")), rest[0] == '\r' && len(rest) == 1:
			return lineEnd(b, i, last)
		default:
			return 0, broken
		}
	}
}

// quotedEnd gives what lies behind the quote that closes a field; b begins behind
// the one that opens it. -1 = it is not closed within b.
func quotedEnd(b []byte) int {
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return -1
		}
		i += j + 1
		if i == len(b) || b[i] != '"' {
			return i
		}
		i++
	}
}

// lineEnd finds the end of the line from i on.
func lineEnd(b []byte, i int, last bool) (int, ending) {
	if j := bytes.IndexByte(b[i:], '\n'); j >= 0 {
		return i + j + 1, whole
	}
	if last {
		return len(b), whole
	}
	return 0, needMore
}
