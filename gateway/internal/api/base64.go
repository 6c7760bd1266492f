package api

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/intake"
)

// uploadBase64 is POST .../uploadbase. The campaign may come behind the file, and
// the file may be large: it is decoded as it comes, into a file of its own.
func (a *API) uploadBase64(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.oldAnswer(w, r, a.takeBase64(w, r, c), "OK", "ERROR")
}

func (a *API) takeBase64(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	// Base64 takes four bytes for three, and up to three times that when every "+"
	// and "/" is escaped; the file itself is bounded where it is written.
	body := &patient{r: http.MaxBytesReader(w, r.Body, 2*a.maxBase), c: http.NewResponseController(w)}
	f, err := formOf(r, body)
	if err != nil {
		return err
	}
	if err := a.fileDoor(); err != nil {
		return err
	}
	defer a.files.Add(-1)
	tmp, err := os.CreateTemp(a.dir, intake.Partial) // what a killed process leaves goes with intake's own
	if err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "the file cannot be stored now: %w", err)
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	in, err := a.readBase64(f, r, tmp)
	if err != nil {
		return err
	}
	if _, err := a.Catalog.Resolve(in.Campaign); err != nil {
		return err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "the file cannot be read back: %w", err)
	}
	in.Body, in.Agent, in.Async = tmp, c.Name, true
	in.Upload = uploadID(c, r)
	_, err = a.Intake.TakeBase(r.Context(), in)
	return err
}

// readBase64 reads the form; its file goes to tmp.
func (a *API) readBase64(f fields, r *http.Request, tmp *os.File) (in intake.BaseRequest, err error) {
	var buf bytes.Buffer
	file := false
	for range maxFields {
		name, value, err := f.next()
		if err == io.EOF {
			if !file {
				return in, gateway.Invalid("fileb64", "is missing")
			}
			return in, nil
		}
		if err != nil {
			return in, readFault(err)
		}
		if name == "fileb64" {
			if file {
				return in, gateway.Invalid("fileb64", "is there twice")
			}
			file = true
			if err := a.decode64(tmp, value); err != nil {
				return in, err
			}
			continue
		}
		text, err := readValue(name, value, &buf)
		if err != nil {
			return in, err
		}
		switch name {
		case "filename":
			in.Name = decoded(text, r)
		case "campaign":
			in.Campaign = text
		}
	}
	return in, gateway.Invalid("", "the form has more than %d fields", maxFields)
}

// decode64 writes the bytes of a base64 value.
func (a *API) decode64(to io.Writer, value io.Reader) error {
	out := bufio.NewWriterSize(to, 64<<10)
	n, err := io.Copy(out, io.LimitReader(base64.NewDecoder(base64.StdEncoding, unspaced{value}), a.maxBase+1))
	var bad base64.CorruptInputError
	switch {
	case errors.As(err, &bad), errors.Is(err, io.ErrUnexpectedEOF):
		return gateway.Invalid("fileb64", "is no base64 (RFC 4648 §4)")
	case err != nil:
		return readFault(err)
	case n > a.maxBase:
		return tooLarge(a.maxBase)
	}
	if err := out.Flush(); err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "the file cannot be stored now: %w", err)
	}
	return nil
}

// unspaced mends the "+" that a client forgot to escape, which arrives as a blank.
type unspaced struct{ r io.Reader }

// Read reads.
func (u unspaced) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	for i, c := range p[:n] {
		if c == ' ' {
			p[i] = '+'
		}
	}
	return n, err
}

// formDoc describes a form and its answer.
func formDoc(example map[string]string, required []string, kind string, answer any) described {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, Required: required}
	for name := range example {
		s.Properties[name] = &huma.Schema{Type: huma.TypeString}
	}
	out := &huma.Schema{Type: huma.TypeString}
	if kind == "application/json" {
		out = &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"id": {Type: huma.TypeString}}}
	}
	return described{
		body: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/x-www-form-urlencoded": {Schema: s, Example: example},
		}},
		answer: map[string]*huma.MediaType{kind: {Schema: out, Example: answer}},
	}
}
