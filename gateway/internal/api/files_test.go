package api

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/intake"
)

// A file that is on its way holds descriptors, and a serial port needs a low one.
func TestFilesOnTheirWayAreBounded(t *testing.T) {
	r := newRig(t)
	r.files.Store(maxFiles)
	p := r.problem(call{method: "POST", path: root + "/dialers/test1/bases", kind: "text/csv", body: "test1;098344484;Hi;1\r\n"})
	if p.Status != http.StatusTooManyRequests || p.Retry == 0 {
		t.Errorf("got %+v", p)
	}
	form := url.Values{"fileb64": {"eA=="}, "campaign": {"test1"}}
	w := r.serve(call{method: "POST", path: legacyRoot + "/SMS/uploadbase", kind: urlencoded, body: form.Encode()})
	if w.Body.String() != "ERROR" || !strings.Contains(w.Header().Get(reasonHeader), gateway.KindThrottled.String()) {
		t.Errorf("got %q, %q", w.Body, w.Header())
	}
	r.files.Store(0)
	for range 2 {
		r.json(call{method: "POST", path: root + "/dialers/test1/bases?upload=u1", kind: "text/csv", body: "test1;098344484;Hi;1\r\n"}, nil)
	}
	if n := r.files.Load(); n != 0 {
		t.Errorf("%d files still count", n)
	}
}

// seen remembers the files that there were while a form was read.
type seen struct {
	dir   string
	form  *strings.Reader
	names map[string]bool
}

func (s *seen) Read(p []byte) (int, error) {
	list, _ := os.ReadDir(s.dir)
	for _, e := range list {
		s.names[e.Name()] = true
	}
	return s.form.Read(p[:1])
}

// A form that breaks off leaves no file, and what a killed process leaves has the name
// that the next start looks for.
func TestAFormThatBreaksOffLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(o *Options) { o.Dir = dir })
	body := &seen{dir: dir, form: strings.NewReader("campaign=test1&fileb64=dGVzdDE%"), names: map[string]bool{}}
	req, err := http.NewRequest("POST", "http://192.0.2.9"+legacyRoot+"/SMS/uploadbase", body)
	must(t, err)
	req.RemoteAddr = trusted
	req.Header.Set("Content-Type", urlencoded)
	w := r.record(req)
	if w.Body.String() != "ERROR" {
		t.Errorf("got %q", w.Body)
	}
	if len(body.names) != 1 {
		t.Errorf("on the way there were %v", body.names)
	}
	for name := range body.names {
		if !strings.HasPrefix(name, intake.Partial) {
			t.Errorf("%s would stay after a kill", name)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
