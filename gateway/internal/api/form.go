package api

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"fieldpost/gateway"
)

// Bounds of a form.
const (
	maxName   = 64        // bytes of a field's name
	maxFields = 100       // fields
	maxValue  = 64 << 10  // bytes of a value that is no file
	maxForm   = 256 << 10 // bytes of a form without a file
)

const urlencoded = "application/x-www-form-urlencoded"

// fields are the fields of a form, one after the other, as they come. The value
// ends where the next field begins.
type fields interface {
	next() (name string, value io.Reader, err error) // io.EOF behind the last one
}

// formOf opens the form of a request: application/x-www-form-urlencoded, also
// where the client names no type at all, or multipart/form-data.
func formOf(r *http.Request, body io.Reader) (fields, error) {
	given := r.Header.Get("Content-Type")
	if given == "" || given == urlencoded {
		return newPairs(r, body), nil
	}
	kind, params, err := mime.ParseMediaType(given)
	switch {
	case err == nil && kind == urlencoded:
		return newPairs(r, body), nil
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		return parts{multipart.NewReader(body, params["boundary"])}, nil
	}
	return nil, withStatus(http.StatusUnsupportedMediaType, &gateway.Error{
		Kind: gateway.KindInvalid, Text: "the body must be application/x-www-form-urlencoded or multipart/form-data"})
}

// parts are the fields of multipart/form-data (RFC 7578).
type parts struct{ r *multipart.Reader }

func (p parts) next() (string, io.Reader, error) {
	part, err := p.r.NextPart()
	if err != nil {
		return "", nil, err
	}
	return part.FormName(), part, nil
}

// pairs are the fields of application/x-www-form-urlencoded (URL Standard §5.1).
type pairs struct {
	r     *bufio.Reader
	value bool // a value is being read
	err   error
}

// newPairs reads with no more of a buffer than the form needs.
func newPairs(r *http.Request, body io.Reader) *pairs {
	size := int64(32 << 10)
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength)
	}
	return &pairs{r: bufio.NewReaderSize(body, int(size))}
}

func (p *pairs) next() (string, io.Reader, error) {
	if p.value {
		if _, err := io.Copy(io.Discard, p); err != nil {
			return "", nil, err
		}
	}
	if p.err != nil {
		return "", nil, p.err
	}
	var name []byte
	for {
		c, err := p.r.ReadByte()
		switch {
		case err == io.EOF && len(name) > 0, err == nil && c == '&':
			return "", nil, gateway.Invalid(fieldOf("form."+string(name)), "has no value: write name=value")
		case err != nil:
			return "", nil, err
		case c == '=':
			p.value = true
			word, err := url.QueryUnescape(string(name))
			if err != nil {
				return "", nil, errEscape
			}
			return word, p, nil
		case len(name) == 3*maxName:
			return "", nil, gateway.Invalid("", "a field's name is longer than %d bytes", maxName)
		}
		name = append(name, c)
	}
}

var errEscape = gateway.Invalid("", "the form is not urlencoded: a %% needs two hexadecimal digits behind it")

// Read reads the present value, decoded.
func (p *pairs) Read(to []byte) (int, error) {
	for n := range to {
		if !p.value {
			return n, eof(n)
		}
		c, err := p.r.ReadByte()
		switch {
		case err != nil:
			p.value = false
			if err != io.EOF {
				p.err = err
				return n, err
			}
			p.err = io.EOF
			return n, eof(n)
		case c == '&':
			p.value = false
			return n, eof(n)
		case c == '+':
			c = ' '
		case c == '%':
			if c, err = p.escaped(); err != nil {
				return n, err
			}
		}
		to[n] = c
	}
	return len(to), nil
}

// eof is the end of a value: not before the bytes that were read were taken.
func eof(n int) error {
	if n > 0 {
		return nil
	}
	return io.EOF
}

func (p *pairs) escaped() (byte, error) {
	var digits, c [2]byte
	if _, err := io.ReadFull(p.r, digits[:]); err != nil {
		p.value, p.err = false, errEscape
		return 0, errEscape
	}
	if _, err := hex.Decode(c[:1], digits[:]); err != nil {
		p.value, p.err = false, errEscape
		return 0, errEscape
	}
	return c[0], nil
}

// readForm reads a small form whole. A field that comes twice is refused: which
// one was meant?
func readForm(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	body := http.MaxBytesReader(w, r.Body, maxForm)
	f, err := formOf(r, body)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	var buf bytes.Buffer
	for {
		name, value, err := f.next()
		if err == io.EOF {
			return known, nil
		}
		if err != nil {
			return nil, readFault(err)
		}
		if _, twice := known[name]; twice {
			return nil, gateway.Invalid(fieldOf("form."+name), "is there twice")
		}
		if len(known) == maxFields {
			return nil, gateway.Invalid("", "the form has more than %d fields", maxFields)
		}
		text, err := readValue(name, value, &buf)
		if err != nil {
			return nil, err
		}
		known[name] = decoded(text, r)
	}
}

// readValue reads a value that is no file; buf is only lent to it.
func readValue(name string, value io.Reader, buf *bytes.Buffer) (string, error) {
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(value, maxValue+1))
	if err != nil {
		return "", readFault(err)
	}
	if n > maxValue {
		return "", gateway.Invalid(fieldOf("form."+name), "is longer than %d bytes", maxValue)
	}
	return buf.String(), nil
}

// decoded gives UTF-8: the old clients of a Windows site write Windows-1252, and
// say so or not. ISO-8859-1 means Windows-1252 (Encoding Standard §4.2).
func decoded(text string, r *http.Request) string {
	if utf8.ValidString(text) && !declared1252(r) {
		return text
	}
	out, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return out
}

func declared1252(r *http.Request) bool {
	given := r.Header.Get("Content-Type")
	if !strings.Contains(given, "charset") {
		return false
	}
	_, params, _ := mime.ParseMediaType(given)
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin1", "windows-1252", "cp1252":
		return true
	}
	return false
}

// readFault says why a body could not be read to its end.
func readFault(err error) error {
	var long *http.MaxBytesError
	var known *gateway.Error
	var slow net.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &long), errors.As(err, &slow):
		return cutShort(err)
	}
	return badBody("the body broke off before its end, or is no form")
}
