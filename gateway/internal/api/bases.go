package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/intake"
	"fieldpost/spool"
)

// Times of an upload.
const (
	chunkTime  = time.Minute      // for the next bytes of a file to come
	filesRetry = 10 * time.Second // that a caller should wait when too many files are on their way
	loadTime   = 2 * time.Second  // that an answer waits for the rows of a file to be in the spool
)

// maxFiles is how many files may be on their way at once: each holds up to three
// descriptors, of which a serial port needs a low one (S1).
const maxFiles = 64

// fileDoor lets a file in, or says when to come again; leave it when it is stored.
func (a *API) fileDoor() error {
	if a.files.Add(1) > maxFiles {
		a.files.Add(-1)
		return throttled(filesRetry, fmt.Sprintf("%d files are on their way already", maxFiles))
	}
	return nil
}

// Intake is the one door of messages and files.
type Intake interface {
	Submit(ctx context.Context, r intake.Request) (spool.Added, error)
	TakeBase(ctx context.Context, r intake.BaseRequest) (spool.Upload, error)
	TakeBlacklist(ctx context.Context, r intake.BaseRequest) (spool.Upload, error)
	Await(ctx context.Context, id string) (spool.Upload, error)
}

// take hands a file in.
type take func(context.Context, intake.BaseRequest) (spool.Upload, error)

func (a *API) baseRoutes() {
	text := "The body is the file (text/csv), read as a stream, or multipart/form-data with the fields upload, name and agent " +
		"before the file. It answers when the file is on disk; rows of a large one are still being loaded then. " +
		"The same file with the same upload id adds nothing; the Idempotency-Key serves as upload id where there is none."
	for _, kind := range []string{"campaigns", "dialers"} {
		a.file(&route{
			method: http.MethodPost, path: root + "/" + kind + "/{name}/bases", id: "upload-base-to-" + kind, tag: kind,
			summary: "Upload a base of messages", text: text, class: ClassBase, scope: access.Send,
			takes: true, status: http.StatusAccepted, errors: []int{http.StatusConflict},
		}, a.Intake.TakeBase, "campaign;destination;message;priority\r\nalerts;098344484;This is my SMS;9999\r\n")
	}
	a.file(&route{
		method: http.MethodPost, path: root + "/blacklist/bases", id: "upload-blacklist", tag: "blacklist",
		summary: "Upload numbers to block", text: text, class: ClassBase, scope: access.Blacklist,
		takes: true, status: http.StatusAccepted, errors: []int{http.StatusConflict},
	}, a.Intake.TakeBlacklist, "phone;campaign\r\n098344484;alerts\r\n")
	handle(a, route{
		method: http.MethodGet, path: root + "/bases/{upload}", id: "get-base", tag: "campaigns",
		summary: "How far a file is loaded", class: ClassRead, scope: access.Read,
	}, a.upload)
}

type uploadInput struct {
	Upload string `path:"upload" maxLength:"128" example:"b3f1c2d4"`
}

func (a *API) upload(_ context.Context, in *uploadInput) (client.Upload, error) {
	u, err := a.Spool.Upload(in.Upload)
	if err != nil {
		return client.Upload{}, err
	}
	return uploadOf(u), nil
}

// file registers a route that takes a file.
func (a *API) file(rt *route, hand take, example string) {
	a.mux.HandleFunc(rt.method+" "+rt.path, a.plain(rt, func(w http.ResponseWriter, r *http.Request, c access.Caller) error {
		return a.takeFile(w, r, c, hand)
	}))
	a.describe(rt, a.fileDoc(rt, example))
}

func (a *API) takeFile(w http.ResponseWriter, r *http.Request, c access.Caller, hand take) error {
	in, err := a.fileRequest(r, c)
	if err != nil {
		return err
	}
	if err := a.fileDoor(); err != nil {
		return err
	}
	defer a.files.Add(-1)
	if err := a.openFile(w, r, &in); err != nil {
		return err
	}
	if err := errors.Join(printed("name", in.Name), printed("agent", in.Agent)); err != nil {
		return err
	}
	u, err := hand(r.Context(), in)
	if err != nil {
		return fileFault(err)
	}
	u, err = a.settled(r.Context(), u)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = writeJSON(w, uploadOf(u)) // A caller that is gone hears nothing more; its file is safe.
	return nil
}

// fileRequest reads what a request says of its file, before the file travels.
func (a *API) fileRequest(r *http.Request, c access.Caller) (in intake.BaseRequest, err error) {
	known := []string{"upload", "name", "agent", "held"}
	if r.PathValue("name") == "" {
		known = known[:3] // A blacklist takes effect at once.
	}
	if err := onlyQuery(r, known...); err != nil {
		return in, err
	}
	q := r.URL.Query()
	in = intake.BaseRequest{Campaign: r.PathValue("name"), Upload: q.Get("upload"), Name: q.Get("name"), Agent: q.Get("agent"), Async: true}
	if in.Held, err = heldWord(q.Get("held")); err != nil {
		return in, err
	}
	if in.Upload == "" {
		in.Upload = uploadID(c, r)
	}
	if in.Agent == "" {
		in.Agent = c.Name
	}
	return in, a.known(in.Campaign)
}

// uploadID makes an upload id of an Idempotency-Key, which may be any text; "" =
// there is none.
func uploadID(c access.Caller, r *http.Request) string {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(c.ID + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

// known holds that the campaign of a path is there, before its file travels.
func (a *API) known(campaign string) error {
	if campaign == "" {
		return nil
	}
	if _, err := a.Catalog.Resolve(campaign); err != nil {
		return gateway.Errorf(gateway.KindNotFound, "no campaign or dialer has this name")
	}
	return nil
}

// openFile finds the file in the body of a request.
func (a *API) openFile(w http.ResponseWriter, r *http.Request, in *intake.BaseRequest) error {
	if r.ContentLength > a.maxBase {
		return tooLarge(a.maxBase) // Before it travels: RFC 9110 §10.1.1.
	}
	body := &patient{r: http.MaxBytesReader(w, r.Body, a.maxBase), c: http.NewResponseController(w)}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && (kind == "text/csv" || kind == "application/octet-stream" || kind == "text/plain"):
		in.Body = body
		return nil
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		return openPart(multipart.NewReader(body, params["boundary"]), in)
	}
	return withStatus(http.StatusUnsupportedMediaType,
		&gateway.Error{Kind: gateway.KindInvalid, Text: "the body must be text/csv or multipart/form-data"})
}

// openPart reads the fields of a multipart body up to its file.
func openPart(m *multipart.Reader, in *intake.BaseRequest) error {
	var buf bytes.Buffer
	for range maxFields {
		part, err := m.NextPart()
		if err == io.EOF {
			return gateway.Invalid("file", "is missing: the form has no file")
		}
		if err != nil {
			return readFault(err)
		}
		if part.FileName() != "" || part.FormName() == "file" {
			if in.Name == "" {
				in.Name = part.FileName()
			}
			in.Body = part
			return nil
		}
		value, err := readValue(part.FormName(), part, &buf)
		if err != nil {
			return err
		}
		switch part.FormName() {
		case "upload":
			in.Upload = value
		case "name":
			in.Name = value
		case "agent":
			in.Agent = value
		case "held":
			if in.Held, err = heldWord(value); err != nil {
				return err
			}
		default:
			return gateway.Invalid(fieldOf("form."+part.FormName()), "no such field")
		}
		if in.Held && in.Campaign == "" {
			return gateway.Invalid("held", "a blacklist takes effect at once")
		}
	}
	return gateway.Invalid("", "the form has more than %d fields", maxFields)
}

// patient gives each read of a body its own time: a file may take hours, silence
// may not.
type patient struct {
	r io.Reader
	c *http.ResponseController
}

// Read reads.
func (p *patient) Read(b []byte) (int, error) {
	// Where the connection has no deadline (a test's recorder), its own end bounds it.
	_ = p.c.SetReadDeadline(time.Now().Add(chunkTime))
	return p.r.Read(b)
}

// settled waits a moment for a file to be loaded, so that the answer for a small
// one is complete.
func (a *API) settled(ctx context.Context, u spool.Upload) (spool.Upload, error) {
	if u.State != "loading" {
		return u, nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	return a.Intake.Await(ctx, u.ID)
}

func tooLarge(limit int64) error {
	return withStatus(http.StatusRequestEntityTooLarge,
		gateway.Errorf(gateway.KindInvalid, "the body has more than %d bytes", limit))
}

// fileFault says what of a file's failure was the way that it came.
func fileFault(err error) error {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return tooLarge(long.Limit)
	}
	return err
}

func uploadOf(u spool.Upload) client.Upload {
	return client.Upload{
		Upload: u.ID, Kind: u.Kind, Campaign: u.Campaign, Name: u.Name, State: u.State, Error: u.Error,
		Bytes: u.Bytes, Offset: u.Offset, Line: u.Line, Accepted: u.Accepted, Invalid: u.Invalid, RejectedTotal: u.Rejected,
		Duplicates: u.Duplicates, Agent: u.Agent, Held: u.Held, Created: u.Created.UTC(), Finished: when(u.Finished),
		Rejected: mapped(u.Bad, func(b spool.BadLine) client.BadLine { return client.BadLine{Line: b.Line, Reason: b.Reason} }),
	}
}

func (a *API) fileDoc(rt *route, example string) described {
	d := described{
		params: []*huma.Param{
			query("upload", "query", "Id of the upload; absent = a new one", "november"),
			query("name", "query", "Name of the file", "november.csv"),
			query("agent", "query", "Who uploads", "anna"),
			query("Idempotency-Key", "header", "Upload id where upload is absent", "november"),
		},
		body: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}, Example: example},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
				"upload": {Type: huma.TypeString}, "name": {Type: huma.TypeString}, "agent": {Type: huma.TypeString},
				"file": {Type: huma.TypeString, Format: "binary"},
			}, Required: []string{"file"}}, Example: map[string]string{"upload": "november", "file": example}},
		}},
		answer: map[string]*huma.MediaType{"application/json": {
			Schema: a.schema(client.Upload{}), Example: exampleOf[client.Upload](),
		}},
	}
	if strings.Contains(rt.path, "{name}") {
		d.params = append([]*huma.Param{query("name", "path", "Campaign or dialer of rows that name none", "alerts")}, d.params...)
		d.params = append(d.params, query("held", "query", "true = its rows wait until they are released; absent = false", "false"))
		d.body.Content["multipart/form-data"].Schema.Properties["held"] = &huma.Schema{Type: huma.TypeString, Enum: []any{"true", "false"}}
	}
	return d
}
