package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway/internal/access"
)

var update = flag.Bool("update", false, "write the golden files anew")

// operation is what a test needs of the document.
type operation struct {
	method, path string
	ID           string                     `json:"operationId"`
	Summary      string                     `json:"summary"`
	Scope        string                     `json:"x-scope"`
	Responses    map[string]json.RawMessage `json:"responses"`
	Body         *struct {
		Content map[string]struct {
			Example json.RawMessage `json:"example"`
		} `json:"content"`
	} `json:"requestBody"`
}

func (r *rig) operations() []operation {
	r.t.Helper()
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	must(r.t, json.Unmarshal(r.Document(), &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		r.t.Fatalf("the document is OpenAPI %s", doc.OpenAPI)
	}
	var all []operation
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			op := operation{method: strings.ToUpper(method), path: path}
			must(r.t, json.Unmarshal(raw, &op))
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// filled is a path with its parameters filled in.
func filled(path string) string {
	return strings.NewReplacer("{name}", "test1", "{id}", "1", "{provider}", "modems", "{port}", "3",
		"{upload}", "none", "{number}", "+59898344484").Replace(path)
}

func TestTheDocumentIsTheOneOnRecord(t *testing.T) {
	r := newRig(t)
	var got bytes.Buffer
	must(t, json.Indent(&got, r.Document(), "", "\t"))
	got.WriteByte('\n')
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if !bytes.Equal(want, got.Bytes()) {
		t.Error("the API is not the one on record: look at what changed, then run this test with -update")
	}
	if status, body := r.do(call{method: "GET", path: root + "/openapi.json", from: stranger}); status != 200 || body != string(r.Document()) {
		t.Errorf("GET openapi.json: %d", status)
	}
}

func TestEveryRouteHasAnExampleAndItsProblems(t *testing.T) {
	r := newRig(t)
	for _, op := range r.operations() {
		name := op.method + " " + op.path
		if op.ID == "" || op.Summary == "" || op.Scope == "" {
			t.Errorf("%s lacks an id, a summary or a scope", name)
		}
		for _, status := range []string{"401", "403", "429", "500"} {
			if op.Responses[status] == nil {
				t.Errorf("%s does not tell of %s", name, status)
			}
		}
		good := 0
		for status, raw := range op.Responses {
			if status == "default" {
				t.Errorf("%s has a default response", name)
			}
			if status[0] != '2' {
				continue
			}
			good++
			var resp struct {
				Content map[string]struct {
					Example json.RawMessage `json:"example"`
				} `json:"content"`
			}
			must(t, json.Unmarshal(raw, &resp))
			if status != "204" && len(resp.Content) == 0 {
				t.Errorf("%s %s has no content", name, status)
			}
			for kind, c := range resp.Content {
				if len(c.Example) == 0 || string(c.Example) == "null" {
					t.Errorf("%s %s %s has no example", name, status, kind)
				}
			}
		}
		if good != 1 {
			t.Errorf("%s has %d ways to succeed", name, good)
		}
		if op.Body == nil {
			continue
		}
		for kind, c := range op.Body.Content {
			if len(c.Example) == 0 || string(c.Example) == "null" {
				t.Errorf("%s: the %s of the request has no example", name, kind)
			}
		}
	}
}

// Each route that the document names is served: its answer is no 404 of the mux,
// and no 405.
func TestRoutesAndDocumentAgree(t *testing.T) {
	r := newRig(t)
	ops := r.operations()
	if len(ops) < 45 {
		t.Fatalf("the document has %d operations only", len(ops))
	}
	for _, op := range ops {
		req, err := http.NewRequest(op.method, filled(op.path), nil)
		must(t, err)
		if _, pattern := r.mux.Handler(req); pattern != op.method+" "+op.path {
			t.Errorf("%s %s is served by %q", op.method, op.path, pattern)
		}
	}
}

// Who may what: every route, with no token, a wrong one, one of every other
// scope, and the right one.
func TestAuthMatrix(t *testing.T) {
	r := newRig(t)
	tokens := map[string]string{}
	for _, word := range access.Words() {
		tokens[word] = r.token(word)
	}
	for i, op := range r.operations() {
		name := op.method + " " + op.path
		// Each route calls from an address of its own: wrong tokens are throttled.
		c := call{method: op.method, path: filled(op.path), from: "203.0.113." + idOf(uint64(i+1)) + ":1", kind: "text/plain", body: "x"}
		if op.path == root+"/events" {
			c.path += "?after=x" // Refused behind the gate: a stream would not end.
		}
		if op.method == "GET" {
			c.kind, c.body = "", ""
		}
		if got, _ := r.do(c); got != 401 {
			t.Errorf("%s without a token: %d", name, got)
		}
		c.token = "fp_wrong"
		if got, _ := r.do(c); got != 401 {
			t.Errorf("%s with a wrong token: %d", name, got)
		}
		for word, token := range tokens {
			c.token = token
			got, _ := r.do(c)
			allowed := word == op.Scope || word == "admin"
			if allowed == (got == 401 || got == 403) || got == 500 {
				t.Errorf("%s (%s) with the scope %s: %d", name, op.Scope, word, got)
			}
		}
	}
}
