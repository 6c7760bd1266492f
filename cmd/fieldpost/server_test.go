package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fieldpost/gateway/client"
)

// peer is a server that is not what it should be.
func peer(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	return s.URL
}

func TestCallWhoseAnswerIsLostIsNotCalledFailed(t *testing.T) {
	url := peer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	inside(t, "", "send", "099123456", "hello", "--campaign", "orders", "--server", url).
		wants(t, exitFault, "hint: it may have been done all the same")
	if r := inside(t, "", "status", "--server", url).wants(t, exitFault); strings.Contains(r.err, "all the same") {
		t.Errorf("a question cannot have been done: %s", r.err)
	}
}

func TestServerThatIsNotFieldpostIsToldInWords(t *testing.T) {
	for body, want := range map[string]string{
		"<html>hello</html>": "no JSON of this API",
		"":                   "no JSON of this API",
	} {
		url := peer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		inside(t, "", "status", "--server", url).wants(t, exitFault, want)
	}
	url := peer(t, http.NotFound)
	inside(t, "", "queue", "--server", url).wants(t, exitFault, "404 Not Found")
	url = peer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
	})
	inside(t, "", "queue", "--server", url).wants(t, exitFault, "302 Found")
}

func TestUploadThatNobodyWaitsForGoesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // the first question after the upload: the person leaves
			cancel()
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"upload":"november","state":"loading","bytes":9,"rejected":[]}`)
	})
	path := filepath.Join(t.TempDir(), "base.csv")
	must(t, os.WriteFile(path, []byte("a;b;c;1\n"), 0o600))
	var out, errs strings.Builder
	code := execute(ctx, terminal{in: strings.NewReader(""), out: &out, err: &errs},
		[]string{"upload", path, "--campaign", "bulk", "--server", url})
	ran{code, out.String(), errs.String()}.wants(t, exitFault, "upload november is on the box's disk and goes on loading", "--id november")
}

func TestSendThatNobodyWaitsForIsOnDisk(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			cancel()
		}
		fmt.Fprint(w, `{"id":"7","status":"submitting","segments":1}`)
	})
	c, err := client.New(client.Options{BaseURL: url})
	must(t, err)
	defer c.Close()
	f := &sendFlags{wait: true, waitFor: patience}
	var out strings.Builder
	err = f.send(ctx, terminal{out: &out}, c, client.NewMessage{To: "099", Text: "x", Campaign: "c"})
	if err == nil || !strings.Contains(err.Error(), "message 7 is on disk and still") || !strings.Contains(err.Error(), `"fieldpost explain 7"`) {
		t.Errorf("whoever leaves hears %v", err)
	}
}
